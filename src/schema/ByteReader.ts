/**
 * Reads numbers, bytes and text out of a body, never past its end, and keeps count of the JSON that is made of it: a
 * small body cannot ask for much time or memory.
 */
import { isUtf8 } from "node:buffer"
import { Malformed, TooLong } from "./Malformed.ts"

/** Deeper nesting is refused: each level takes a few frames of the stack. */
export const maxDepth = 500

/** What the reading of one body may take, shared by the readers of its parts. */
export class Budget {
  #text = 0
  #depth = 0
  /** How many fields were passed over that the schema does not name. */
  unknownFields = 0

  constructor(readonly maxText: number) {}

  put(text: string): string {
    this.#text += text.length
    if (this.#text > this.maxText) throw new TooLong(`its JSON is longer than ${this.maxText} characters`)
    return text
  }

  enter(): void {
    if (++this.#depth > maxDepth) throw new Malformed(`it is nested deeper than ${maxDepth} levels`)
  }

  leave(): void {
    this.#depth--
  }
}

export class ByteReader {
  readonly #bytes: Buffer
  readonly budget: Budget
  #at: number

  constructor(bytes: Uint8Array, budget: Budget, at = 0) {
    this.#bytes = bytes instanceof Buffer ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    this.budget = budget
    this.#at = at
  }

  get at(): number {
    return this.#at
  }

  get left(): number {
    return this.#bytes.length - this.#at
  }

  /** Counts text that becomes part of the result, and returns it. */
  put(text: string): string {
    return this.budget.put(text)
  }

  /** A reader of some bytes within this body. */
  part(bytes: Uint8Array): ByteReader {
    return new ByteReader(bytes, this.budget)
  }

  byte(): number {
    const byte = this.#bytes[this.#at]
    if (byte === undefined) throw endsEarly()
    this.#at++
    return byte
  }

  /** Where the next `length` bytes begin; they are passed. */
  take(length: number): number {
    const start = this.#at
    if (!(length >= 0 && length <= this.#bytes.length - start)) throw endsEarly()
    this.#at = start + length
    return start
  }

  /** An unsigned varint of up to 64 bits; a BigInt only from 2^49 on. */
  varint(): number | bigint {
    const start = this.#at
    let low = 0
    let scale = 1
    for (let count = 0; count < 7; count++) {
      const byte = this.byte()
      low += (byte & 0x7f) * scale
      if (byte < 0x80) return low
      scale *= 128
    }
    this.#at = start
    return this.#longVarint()
  }

  #longVarint(): bigint {
    let value = 0n
    for (let shift = 0n; shift < 70n; shift += 7n) {
      const byte = this.byte()
      // The tenth byte has room for one bit.
      if (shift === 63n && byte > 1) break
      value |= BigInt(byte & 0x7f) << shift
      if (byte < 0x80) return value
    }
    throw new Malformed("a number takes more than 64 bits")
  }

  /** A signed number in zigzag form. */
  zigzag(): number | bigint {
    const value = this.varint()
    if (typeof value === "number") return value % 2 === 0 ? value / 2 : -(value + 1) / 2
    return (value >> 1n) ^ -(value & 1n)
  }

  /** Bytes that have been passed already. */
  between(start: number, end: number): Buffer {
    return this.#bytes.subarray(start, end)
  }

  bytes(length: number): Buffer {
    const start = this.take(length)
    return this.#bytes.subarray(start, start + length)
  }

  /** Text as a JSON string. */
  string(length: number): string {
    const start = this.take(length)
    const text = this.#bytes.toString("utf8", start, start + length)
    if (text.includes("\ufffd") && !isUtf8(this.#bytes.subarray(start, start + length)))
      throw new Malformed("a text is not UTF-8")
    return this.put(JSON.stringify(text))
  }

  float(): number {
    return this.#bytes.readFloatLE(this.take(4))
  }

  double(): number {
    return this.#bytes.readDoubleLE(this.take(8))
  }

  uint32(): number {
    return this.#bytes.readUInt32LE(this.take(4))
  }

  int32(): number {
    return this.#bytes.readInt32LE(this.take(4))
  }

  uint64(): bigint {
    return this.#bytes.readBigUInt64LE(this.take(8))
  }

  int64(): bigint {
    return this.#bytes.readBigInt64LE(this.take(8))
  }
}

const endsEarly = () => new Malformed("it ends before its last value does")
