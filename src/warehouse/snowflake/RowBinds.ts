/**
 * A large bind as bytes. The driver would turn its text into JSON three times and into bytes twice, which is most of
 * what a write costs; so it gets a token in its place, and the bytes come in when the request leaves.
 */
import { randomUUID } from "node:crypto"
import * as Predicate from "effect/Predicate"
import type { Bind } from "snowflake-sdk"

/** Text in UTF-8. */
export class RowBind {
  constructor(readonly bytes: Buffer) {}

  toString(): string {
    return this.bytes.toString("utf8")
  }
}

/** Where one bind or one request at a time is put together; empty whenever one is handed out. */
let scratch = Buffer.allocUnsafe(64 * 1024)

/** Larger than this it is not kept: only very large events ask for it. */
const keptScratch = 4 * 1024 * 1024

/**
 * A text of more characters is measured before it is written; for a shorter one it is cheaper to have room for the
 * largest that it could be.
 */
const measured = 16 * 1024

/**
 * Lists as binds that are JSON arrays; an element comes in parts, of which bytes are copied as they are. Each array has
 * as many bytes as are asked for at most; an item that is larger goes alone. Built one at a time, when they are asked
 * for.
 */
export function* jsonArrays<A>(
  items: ReadonlyArray<A>,
  element: (item: A) => ReadonlyArray<string | Uint8Array>,
  maxBytes: () => number
): Generator<RowBind, void> {
  let end = 0
  for (const item of items) {
    const parts = element(item)
    let next = put(parts, end)
    if (end > 0 && next > maxBytes()) {
      yield taken(end)
      end = 0
      next = put(parts, end)
    }
    end = next
  }
  if (end > 0) yield taken(end)
}

/** Writes an element behind its bracket or comma, and returns where it ends. */
const put = (parts: ReadonlyArray<string | Uint8Array>, start: number): number => {
  let end = start + 1
  for (const part of parts) {
    if (typeof part === "string") end = append(part, end, "utf8")
    else {
      makeRoom(end, part.length)
      scratch.set(part, end)
      end += part.length
    }
  }
  scratch[start] = start === 0 ? 0x5b : 0x2c
  return end
}

const append = (text: string, end: number, encoding: "latin1" | "utf8"): number => {
  makeRoom(end, encoding === "latin1" ? text.length : mostBytes(text))
  return end + scratch.write(text, end, encoding)
}

const mostBytes = (text: string): number => (text.length > measured ? Buffer.byteLength(text) : text.length * 3)

/** With one more for the bracket at the end. */
const makeRoom = (end: number, bytes: number): void => {
  const most = end + bytes + 1
  if (most <= scratch.length) return
  const larger = Buffer.allocUnsafe(2 * most)
  scratch.copy(larger, 0, 0, end)
  scratch = larger
}

const taken = (end: number): RowBind => {
  scratch[end] = 0x5d
  return new RowBind(handOut(end + 1))
}

const handOut = (end: number): Buffer => {
  const bytes = Buffer.from(scratch.subarray(0, end))
  if (scratch.length > keptScratch) scratch = Buffer.allocUnsafe(64 * 1024)
  return bytes
}

/** By their tokens. */
const waiting = new Map<string, RowBind>()

/** What the driver gets: tokens in place of large binds, until they are taken back. */
export const lend = (binds: ReadonlyArray<Bind | RowBind>) => {
  const tokens: Array<string> = []
  const lent = binds.map((bind): Bind => {
    if (!(bind instanceof RowBind)) return bind
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

/** The data of a request, as JSON with its large bind in place; as it is when there is none. */
export const filled = (data: unknown): unknown => {
  if (!Predicate.hasProperty(data, "bindings") || !Predicate.isObject(data.bindings)) return data
  for (const binding of Object.values(data.bindings)) {
    const token = Predicate.hasProperty(binding, "value") ? binding.value : undefined
    const bind = typeof token === "string" ? waiting.get(token) : undefined
    if (bind === undefined || typeof token !== "string") continue
    const [before = "", after = ""] = JSON.stringify(data).split(token)
    return spliced(before, bind.bytes, after)
  }
  return data
}

/** Strings of this size are garbage that costs nothing; as long as a bind they would fill the old space. */
const piece = 32 * 1024

/**
 * JSON text around a string whose inside is still to be escaped. Read as Latin-1, bytes are text of one byte a
 * character, which is escaped fastest, and in any pieces; what is not ASCII passes through unchanged.
 */
const spliced = (before: string, inside: Buffer, after: string): Buffer => {
  let end = append(before, 0, "utf8")
  for (let from = 0; from < inside.length; from += piece) {
    const escaped = JSON.stringify(inside.toString("latin1", from, from + piece))
    end = append(escaped.slice(1, -1), end, "latin1")
  }
  return handOut(append(after, end, "utf8"))
}
