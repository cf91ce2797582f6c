/** Reads Kafka's binary types in sequence; reading past the end is an error, never a short result. */

export class Reader {
  offset = 0
  readonly buffer: Buffer

  constructor(buffer: Buffer) {
    this.buffer = buffer
  }

  get remaining(): number {
    return this.buffer.length - this.offset
  }

  int8(): number {
    return this.buffer.readInt8(this.move(1))
  }

  int16(): number {
    return this.buffer.readInt16BE(this.move(2))
  }

  int32(): number {
    return this.buffer.readInt32BE(this.move(4))
  }

  int64(): bigint {
    return this.buffer.readBigInt64BE(this.move(8))
  }

  /** A view, not a copy. */
  bytes(length: number): Buffer {
    const start = this.move(length)
    return Buffer.from(this.buffer.buffer, this.buffer.byteOffset + start, length)
  }

  /** Preceded by its length in two bytes. */
  string(): string {
    return this.bytes(Math.max(0, this.int16())).toString("utf8")
  }

  /** Of 32 bits, zigzag. */
  varint(): number {
    const first = this.byte()
    // Most lengths and deltas take one byte.
    if (first < 0x80) return (first >>> 1) ^ -(first & 1)
    this.offset--
    let value = 0
    for (let shift = 0; shift < 35; shift += 7) {
      const byte = this.byte()
      value |= (byte & 0x7f) << shift
      if (byte < 0x80) return (value >>> 1) ^ -(value & 1)
    }
    throw new RangeError("a varint of more than five bytes")
  }

  /** Of 64 bits, zigzag; exact up to 2^53. */
  varnumber(): number {
    const start = this.offset
    let value = 0
    for (let factor = 1; factor < 2 ** 28; factor *= 128) {
      const byte = this.byte()
      value += (byte & 0x7f) * factor
      if (byte < 0x80) return (value & 1) === 0 ? value / 2 : -(value + 1) / 2
    }
    this.offset = start
    return Number(this.varlong())
  }

  /** Of 64 bits, zigzag. */
  varlong(): bigint {
    const first = this.byte()
    if (first < 0x80) return BigInt((first >>> 1) ^ -(first & 1))
    let value = BigInt(first & 0x7f)
    for (let shift = 7n; shift < 70n; shift += 7n) {
      const byte = this.byte()
      value |= BigInt(byte & 0x7f) << shift
      if (byte < 0x80) return BigInt.asIntN(64, (value >> 1n) ^ -(value & 1n))
    }
    throw new RangeError("a varlong of more than ten bytes")
  }

  /** Preceded by its length as a varint; null when that is negative. */
  varbytes(): Buffer | null {
    const length = this.varint()
    return length < 0 ? null : this.bytes(length)
  }

  private byte(): number {
    const byte = this.buffer[this.offset++]
    if (byte === undefined) throw new RangeError("the bytes end within a number")
    return byte
  }

  private move(length: number): number {
    const start = this.offset
    if (length < 0 || length > this.buffer.length - start) throw new RangeError("the bytes end within a field")
    this.offset = start + length
    return start
  }
}
