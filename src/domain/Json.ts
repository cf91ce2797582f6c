/**
 * What counts as JSON, for every warehouse alike: what JSON.parse takes, less what the JSON functions of a warehouse
 * cannot read.
 */
import * as Result from "effect/Result"
import type { DeadLetterCause } from "./Outcome.ts"

/**
 * Deeper than this, DuckDB's json_structure overflows its stack and ends the process that asked: seen at 17,000 levels
 * of objects, not at 14,000 (1.5.6). Snowflake documents no limit.
 */
export const maxDepth = 10_240

/** Why a text is no event. */
export interface Refusal {
  readonly cause: DeadLetterCause
  readonly message: string
}

export const parse = (text: string): Result.Result<unknown, Refusal> => {
  let event: unknown
  try {
    event = JSON.parse(text)
  } catch (error) {
    return Result.fail({ cause: "not_json", message: text.startsWith("\ufeff") ? byteOrderMark : reasonOf(error) })
  }
  const message = unreadable(text)
  return message === undefined ? Result.succeed(event) : Result.fail({ cause: "refused", message })
}

const byteOrderMark = "the payload starts with a byte order mark, which JSON does not have"

/** The reason without the snippet of the payload that V8 puts into some of its messages: payloads are not for logs. */
const reasonOf = (error: unknown): string => {
  const message = error instanceof Error ? error.message.replace(/ \(line \d+ column \d+\)$/, "") : ""
  return / (?:in|after) JSON at position \d+$/.test(message) || message === "Unexpected end of JSON input"
    ? message
    : "the payload is not JSON"
}

/** Why a text that JSON.parse takes cannot be read in the warehouse. */
const unreadable = (text: string): string | undefined => {
  // Few texts have escapes at all, and asking for those is cheap.
  const lone = text.includes("\\u") && surrogateEscape.test(text) ? loneSurrogate(text) : undefined
  if (lone !== undefined)
    return `the payload has half of a surrogate pair at position ${lone}, which the JSON functions of the warehouse cannot read`
  return isDeep(text)
    ? `the payload is nested deeper than ${maxDepth} levels, which the JSON functions of the warehouse cannot read`
    : undefined
}

const surrogateEscape = /\\u[dD][89a-fA-F]/

/** Where the first `\ud800` to `\udfff` stands that has no partner; in UTF-8 such halves can only stand as escapes. */
const loneSurrogate = (text: string): number | undefined => {
  const escapes = /\\(?:u([0-9a-fA-F]{4})|.)/g
  // Where a first half was, and where its second half would have to be.
  let open: { readonly at: number; readonly end: number } | undefined
  for (let match = escapes.exec(text); match !== null; match = escapes.exec(text)) {
    const unit = match[1] === undefined ? 0 : Number.parseInt(match[1], 16)
    const isSecond = unit >= 0xdc00 && unit <= 0xdfff
    if (open !== undefined && !(isSecond && match.index === open.end)) return open.at
    if (open === undefined && isSecond) return match.index
    open = unit >= 0xd800 && unit <= 0xdbff ? { at: match.index, end: escapes.lastIndex } : undefined
  }
  return open?.at
}

/**
 * Whether a valid text is nested deeper than `maxDepth`; few texts have so many brackets that they have to be looked
 * at.
 */
const isDeep = (text: string): boolean => {
  if (text.length <= 2 * maxDepth || count(text, "{") + count(text, "[") <= maxDepth) return false
  let depth = 0
  // What is open has to be closed again, so that nothing near the end can be too deep.
  for (let at = 0; at < text.length - maxDepth; at++) {
    const character = text.charCodeAt(at)
    if (character === quote) at = stringEnd(text, at) - 1
    else if (character === openBrace || character === openBracket) {
      if (++depth > maxDepth) return true
    } else if (character === closeBrace || character === closeBracket) depth--
  }
  return false
}

/** How often a character occurs in a text; no further than to one more than `maxDepth`. */
const count = (text: string, character: string): number => {
  let found = 0
  for (let at = text.indexOf(character); at >= 0 && found <= maxDepth; at = text.indexOf(character, at + 1)) found++
  return found
}

export const quote = 0x22
export const openBrace = 0x7b
export const openBracket = 0x5b
export const closeBrace = 0x7d
export const closeBracket = 0x5d
const backslash = 0x5c

/** White space between tokens. */
export const isBlank = (character: number): boolean =>
  character === 0x20 || character === 0x0a || character === 0x0d || character === 0x09

/** The place after the string that begins at `start`, in valid JSON. */
export const stringEnd = (text: string, start: number): number => {
  for (let from = start + 1; ; ) {
    const end = text.indexOf('"', from)
    if (end < 0) return text.length
    let before = end - 1
    while (text.charCodeAt(before) === backslash) before--
    if ((end - before) % 2 === 1) return end + 1
    from = end + 1
  }
}
