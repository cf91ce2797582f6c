/**
 * A large bind in the form in which it is sent: the inside of a JSON string, in bytes. The driver would turn its text into JSON three times and
 * into bytes twice, which is most of what a write costs; so it gets a token in its place, and the bytes come in when the request leaves.
 */
import { randomUUID } from "node:crypto"
import * as Predicate from "effect/Predicate"
import type { Bind } from "snowflake-sdk"

export class SnowflakeBind {
  constructor(readonly bytes: Buffer) {}

  /** The text that arrives. */
  toString(): string {
    return JSON.parse(`"${this.bytes.toString("utf8")}"`)
  }
}

const comma = 0x2c
const bracket = 0x5b

/**
 * Lists as binds that are JSON arrays, each of so many bytes at most as text; an item that is larger goes alone. Built one at a time, as they are
 * asked for.
 */
export function* jsonArrays<A>(
  items: ReadonlyArray<A>,
  element: (item: A) => string,
  maxBytes: number
): Generator<SnowflakeBind, void> {
  let array = Buffer.alloc(0)
  /** Where the next element begins, and how much of what is before it are escapes. */
  let [end, escapes] = [0, 0]
  for (const item of items) {
    const text = element(item)
    // In quotes of its own: the first one makes room for the comma, and the next element begins over the second one.
    const escaped = JSON.stringify(text)
    const size = Buffer.byteLength(escaped)
    const more = escaped.length - 2 - text.length
    if (end > 0 && end + size - 1 - escapes - more > maxBytes) {
      yield close(array, end)
      ;[array, end, escapes] = [Buffer.alloc(0), 0, 0]
    }
    if (end + size > array.length) array = grown(array, end, size, maxBytes)
    array.write(escaped, end)
    array[end] = end === 0 ? bracket : comma
    end += size - 1
    escapes += more
  }
  if (end > 0) yield close(array, end)
}

/** Twice as large each time, but seldom more than a full bind takes with its escapes. */
const grown = (array: Buffer, end: number, size: number, maxBytes: number) => {
  const larger = Buffer.allocUnsafe(Math.max(end + size, Math.min(Math.max(4096, end * 2), maxBytes * 1.25)))
  array.copy(larger, 0, 0, end)
  return larger
}

const close = (array: Buffer, end: number): SnowflakeBind => {
  array.write("]", end)
  return new SnowflakeBind(array.subarray(0, end + 1))
}

/** By their tokens. */
const waiting = new Map<string, SnowflakeBind>()

/** What the driver gets: tokens in place of large binds, until they are taken back. */
export const lend = (binds: ReadonlyArray<Bind | SnowflakeBind>) => {
  const tokens: Array<string> = []
  const lent = binds.map((bind): Bind => {
    if (!(bind instanceof SnowflakeBind)) return bind
    const token = `bind-${randomUUID()}`
    tokens.push(token)
    waiting.set(token, bind)
    return token
  })
  const takeBack = (): void => {
    for (const token of tokens) waiting.delete(token)
  }
  return { lent, takeBack }
}

/** The data of a request, with bytes in place of tokens; as it is when there are none. */
export const filled = (data: unknown): unknown => {
  if (!Predicate.hasProperty(data, "bindings") || !Predicate.isObject(data.bindings)) return data
  const parts: Array<Buffer> = []
  let text = ""
  for (const binding of Object.values(data.bindings)) {
    const token = Predicate.hasProperty(binding, "value") ? binding.value : undefined
    const bind = typeof token === "string" ? waiting.get(token) : undefined
    if (bind === undefined || typeof token !== "string") continue
    text ||= JSON.stringify(data)
    const [before = "", after = ""] = text.split(token)
    parts.push(Buffer.from(before), bind.bytes)
    text = after
  }
  return parts.length === 0 ? data : Buffer.concat([...parts, Buffer.from(text)])
}
