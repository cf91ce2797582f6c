/** Protobuf's scalars: how each stands on the wire, and as JSON text. */
import type { ByteReader } from "../ByteReader.ts"
import * as JsonText from "../JsonText.ts"

export const wire = { varint: 0, fixed64: 1, bytes: 2, groupStart: 3, groupEnd: 4, fixed32: 5 } as const

export interface Scalar {
  readonly wire: number
  readonly read: (reader: ByteReader) => string
  /** What an absent one stands for. */
  readonly zero: string
}

/** Signed numbers are extended to 64 bits on the wire. */
export const int32 = (reader: ByteReader): number => {
  const value = reader.varint()
  return typeof value === "number" ? value | 0 : Number(BigInt.asIntN(32, value))
}

const uint32 = (reader: ByteReader): number => int32(reader) >>> 0

const sint32 = (reader: ByteReader): number => {
  const value = uint32(reader)
  return (value >>> 1) ^ -(value & 1)
}

const int64 = (reader: ByteReader): number | bigint => {
  const value = reader.varint()
  return typeof value === "number" ? value : BigInt.asIntN(64, value)
}

export const length = (reader: ByteReader): number => Number(reader.varint())

const number = (wireType: number, read: (reader: ByteReader) => number | bigint): Scalar => ({
  wire: wireType,
  read: (reader) => reader.put(String(read(reader))),
  zero: "0"
})

const scalars: Readonly<Record<string, Scalar>> = {
  int32: number(wire.varint, int32),
  uint32: number(wire.varint, uint32),
  sint32: number(wire.varint, sint32),
  int64: number(wire.varint, int64),
  uint64: number(wire.varint, (reader) => reader.varint()),
  sint64: number(wire.varint, (reader) => reader.zigzag()),
  fixed32: number(wire.fixed32, (reader) => reader.uint32()),
  sfixed32: number(wire.fixed32, (reader) => reader.int32()),
  fixed64: number(wire.fixed64, (reader) => reader.uint64()),
  sfixed64: number(wire.fixed64, (reader) => reader.int64()),
  float: { wire: wire.fixed32, read: (reader) => reader.put(JsonText.float(reader.float())), zero: "0" },
  double: { wire: wire.fixed64, read: (reader) => reader.put(JsonText.double(reader.double())), zero: "0" },
  bool: { wire: wire.varint, read: (reader) => reader.put(reader.varint() ? "true" : "false"), zero: "false" },
  string: { wire: wire.bytes, read: (reader) => reader.string(length(reader)), zero: '""' },
  bytes: {
    wire: wire.bytes,
    read: (reader) => reader.put(JsonText.base64(reader.bytes(length(reader)))),
    zero: '""'
  }
}

export const scalar = (type: string): Scalar | undefined => (Object.hasOwn(scalars, type) ? scalars[type] : undefined)
