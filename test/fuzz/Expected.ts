/** What must become of a record, by rules of their own that share no line with the service. */
import { isUtf8 } from "node:buffer"
import type { Fuzzed } from "./Records.ts"

export type Fate = "row" | "tombstone" | "letter"

export const fateOf = ({ framed, value }: Pick<Fuzzed, "framed" | "value">): Fate => {
  if (framed !== undefined) return framed.event === undefined ? "letter" : "row"
  if (value === null || value.length === 0) return "tombstone"
  if (!isUtf8(value)) return "letter"
  const text = value.toString("utf8")
  try {
    return isShallow(JSON.parse(text)) && !hasHalf(text) ? "row" : "letter"
  } catch {
    return "letter"
  }
}

/** An escaped half of a surrogate pair, once all whole pairs are taken out. */
const hasHalf = (text: string): boolean =>
  /\\ud[89a-f]/i.test(text.replaceAll("\\\\", "").replace(/\\ud[89ab]..\\ud[c-f]../gi, ""))

/** No more than 10240 levels. */
const isShallow = (event: unknown): boolean => {
  let level: ReadonlyArray<unknown> = [event]
  for (let depth = 0; ; depth++) {
    const containers = level.filter((item) => typeof item === "object" && item !== null)
    if (containers.length === 0) return true
    if (depth === 10_240) return false
    level = containers.flatMap(Object.values)
  }
}

/** Keys and header values as they are in the warehouse. */
export const textOf = (bytes: Buffer): string =>
  isUtf8(bytes) && !bytes.subarray(0, 7).equals(Buffer.from("base64:"))
    ? bytes.toString("utf8")
    : `base64:${bytes.toString("base64")}`

/**
 * The headers as a list of names and values, sorted by name, because an object has an order of its own; null when there
 * are none.
 */
export const headersOf = ({ headers }: Pick<Fuzzed, "headers">): string | null => {
  const lists = new Map<string, Array<string | null>>()
  for (const [name, value] of headers)
    lists.set(name, [...(lists.get(name) ?? []), value === null ? null : textOf(value)])
  return lists.size === 0 ? null : sorted([...lists].map(([name, list]) => [name, list.length === 1 ? list[0] : list]))
}

/** The same of what the warehouse holds. */
export const storedHeaders = (json: string | null): string | null =>
  json === null ? null : sorted(Object.entries(JSON.parse(json)))

const sorted = (entries: ReadonlyArray<readonly [string, unknown]>): string =>
  JSON.stringify([...entries].sort(([a], [b]) => (a < b ? -1 : 1)))
