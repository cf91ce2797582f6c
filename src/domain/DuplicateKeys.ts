/**
 * Objects that name a key twice: JSON.parse takes the last one, and some readers take none of the document. What is
 * given here is the same document with the last ones only, every other byte of it as it was.
 */
import * as Predicate from "effect/Predicate"
import { isBlank, quote } from "./Json.ts"

/** Whether an object in it may name a key twice; `parsed` is what JSON.parse made of the text. */
export const isPossible = (text: string, parsed: unknown): boolean =>
  typeof parsed === "object" && namesIn(text) !== keysOf(parsed)

/**
 * Names by their colons; what looks like one inside a string makes the number larger only. NaN for a text with white
 * space before a colon: such are rare, and are looked at closely.
 */
const namesIn = (text: string): number => {
  let count = 0
  for (let at = text.indexOf(":"); at !== -1; at = text.indexOf(":", at + 1)) {
    let before = at - 1
    while (isBlank(text.charCodeAt(before))) before--
    if (text.charCodeAt(before) !== quote) continue
    if (before < at - 1) return Number.NaN
    count += 1
  }
  return count
}

/** Keys of all objects in a value; without recursion, for it may be deep. */
const keysOf = (value: unknown): number => {
  let count = 0
  const waiting: Array<unknown> = [value]
  for (let here = waiting.pop(); here !== undefined; here = waiting.pop()) {
    if (Array.isArray(here)) {
      for (const inner of here) if (typeof inner === "object" && inner !== null) waiting.push(inner)
      continue
    }
    if (!Predicate.isObject(here)) continue
    for (const name in here) {
      count += 1
      const inner = here[name]
      if (typeof inner === "object" && inner !== null) waiting.push(inner)
    }
  }
  return count
}

/** The members of an object that is being read: where each name was last seen. */
interface Open {
  readonly members: Map<string, { readonly start: number; end: number }> | undefined
  /** The member whose value is being read. */
  current: string | undefined
}

/** The text without the members that a later one of the same name replaces. It has to be JSON. */
export const without = (text: string): string => {
  const dropped: Array<{ readonly start: number; readonly end: number }> = []
  const open: Array<Open> = []
  const endMember = (at: number): void => {
    const here = open.at(-1)
    const member = here?.current === undefined ? undefined : here.members?.get(here.current)
    if (member !== undefined) member.end = at
  }
  for (let at = 0; at < text.length; at++) {
    const sign = text[at]
    if (sign === '"') {
      const end = endOfString(text, at)
      const here = open.at(-1)
      if (here?.members !== undefined && here.current === undefined) {
        const name = String(JSON.parse(text.slice(at, end)))
        const before = here.members.get(name)
        if (before !== undefined) dropped.push(before)
        here.members.set(name, { start: at, end: at })
        here.current = name
      }
      at = end - 1
    } else if (sign === "{") open.push({ members: new Map(), current: undefined })
    else if (sign === "[") open.push({ members: undefined, current: undefined })
    else if (sign === "}" || sign === "]") open.pop()
    else if (sign === ",") {
      // A member that is dropped takes its comma with it: one of the same name follows.
      endMember(at + 1)
      const here = open.at(-1)
      if (here !== undefined) here.current = undefined
    }
  }
  const kept: Array<string> = []
  let from = 0
  for (const { end, start } of dropped.sort((a, b) => a.start - b.start)) {
    // One that lies in another has gone with it.
    if (start >= from) kept.push(text.slice(from, start))
    from = Math.max(from, end)
  }
  return [...kept, text.slice(from)].join("")
}

/** The place after the string that begins here. */
const endOfString = (text: string, start: number): number => {
  let at = start + 1
  while (text[at] !== '"') at += text[at] === "\\" ? 2 : 1
  return at + 1
}
