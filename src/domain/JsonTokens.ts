/**
 * Finds how values were written in a JSON text that has been parsed already: one pass over the text, whatever the
 * number of paths.
 */
import { closeBrace, closeBracket, isBlank, openBrace, openBracket, quote, stringEnd } from "./Json.ts"

/** The names that lead on from here, and which of the paths end here. */
interface Step {
  readonly next: Map<string, Step>
  readonly ends: Array<number>
}

export type Tokens = ReadonlyArray<string | undefined>

/** The text of the value at each path; of a name that occurs twice the last, as JSON.parse has it. */
export const tokensAt = (paths: ReadonlyArray<ReadonlyArray<string>>): ((text: string) => Tokens) => {
  const root: Step = { next: new Map(), ends: [] }
  paths.forEach((path, index) => {
    let step = root
    for (const name of path) {
      const next = step.next.get(name) ?? { next: new Map(), ends: [] }
      step.next.set(name, next)
      step = next
    }
    step.ends.push(index)
  })
  return (text) => {
    const found = paths.map((): string | undefined => undefined)
    value(text, blankEnd(text, 0), root, found)
    return found
  }
}

/**
 * Looks into a value that lies on a path, and returns the place after it. Recursion is as deep as the paths are long,
 * not the events.
 */
const value = (text: string, start: number, step: Step, found: Array<string | undefined>): number => {
  const first = step.next.size > 0 ? text.charCodeAt(start) : undefined
  const end =
    first === openBrace
      ? members(text, start, step, found)
      : first === openBracket
        ? elements(text, start, step, found)
        : valueEnd(text, start)
  for (const index of step.ends) found[index] = text.slice(start, end)
  return end
}

const members = (text: string, start: number, step: Step, found: Array<string | undefined>): number => {
  let at = blankEnd(text, start + 1)
  while (text.charCodeAt(at) === quote) {
    const nameEnd = stringEnd(text, at)
    const next = step.next.get(nameOf(text.slice(at, nameEnd)))
    const from = blankEnd(text, blankEnd(text, nameEnd) + 1)
    at = blankEnd(text, next === undefined ? valueEnd(text, from) : value(text, from, next, found))
    if (text.charCodeAt(at) === comma) at = blankEnd(text, at + 1)
  }
  return at + 1
}

/** Of a list, whose elements have their place as a name. */
const elements = (text: string, start: number, step: Step, found: Array<string | undefined>): number => {
  let at = blankEnd(text, start + 1)
  for (let index = 0; at < text.length && text.charCodeAt(at) !== closeBracket; index++) {
    const next = step.next.get(String(index))
    at = blankEnd(text, next === undefined ? valueEnd(text, at) : value(text, at, next, found))
    if (text.charCodeAt(at) === comma) at = blankEnd(text, at + 1)
  }
  return at + 1
}

const nameOf = (token: string): string => (token.includes("\\") ? String(JSON.parse(token)) : token.slice(1, -1))

const valueEnd = (text: string, start: number): number => {
  const first = text.charCodeAt(start)
  if (first === quote) return stringEnd(text, start)
  if (first !== openBrace && first !== openBracket) return scalarEnd(text, start)
  let depth = 0
  let at = start
  while (at < text.length) {
    const character = text.charCodeAt(at)
    if (character === quote) {
      at = stringEnd(text, at)
      continue
    }
    at++
    if (character === openBrace || character === openBracket) depth++
    else if ((character === closeBrace || character === closeBracket) && --depth === 0) break
  }
  return at
}

const scalarEnd = (text: string, start: number): number => {
  let at = start
  while (at < text.length && !isBlank(text.charCodeAt(at)) && !endsScalar(text.charCodeAt(at))) at++
  return at
}

const comma = 0x2c

const endsScalar = (character: number): boolean =>
  character === comma || character === closeBrace || character === closeBracket

const blankEnd = (text: string, start: number): number => {
  let at = start
  while (isBlank(text.charCodeAt(at))) at++
  return at
}

/** Without the white space between its tokens; every token stays as it was written. */
export const compact = (text: string): string => {
  const parts: Array<string> = []
  let from = 0
  for (let at = 0; at < text.length; ) {
    const character = text.charCodeAt(at)
    if (character === quote) at = stringEnd(text, at)
    else if (isBlank(character)) {
      parts.push(text.slice(from, at))
      at = blankEnd(text, at)
      from = at
    } else at++
  }
  return parts.length === 0 ? text : parts.join("") + text.slice(from)
}
