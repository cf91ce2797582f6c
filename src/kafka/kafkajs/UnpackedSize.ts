/**
 * How many bytes a compressed block stands for, read from its framing alone, so that too much is never unpacked.
 * Formats as their specifications have them.
 */
import { Reader } from "./Reader.ts"

const zstdMagic = 0xfd2fb528
const dictionaryIdBytes = [0, 1, 2, 4] as const

/** What the first frame's header says; undefined when its writer did not know. */
export const zstd = (compressed: Buffer): number | undefined => {
  if (compressed.readUInt32LE(0) !== zstdMagic) return undefined
  const descriptor = compressed.readUInt8(4)
  const isSingleSegment = (descriptor & 0x20) !== 0
  const at = 5 + (isSingleSegment ? 0 : 1) + (dictionaryIdBytes[descriptor & 3] ?? 0)
  switch (descriptor >> 6) {
    case 0:
      return isSingleSegment ? compressed.readUInt8(at) : undefined
    case 1:
      return compressed.readUInt16LE(at) + 256
    case 2:
      return compressed.readUInt32LE(at)
    default:
      return Number(compressed.readBigUInt64LE(at))
  }
}

/** What a raw snappy block begins with. */
export const snappy = (compressed: Buffer): number => {
  let value = 0
  for (let factor = 1, at = 0; at < 5; factor *= 128, at++) {
    const byte = compressed.readUInt8(at)
    value += (byte & 0x7f) * factor
    if (byte < 0x80) return value
  }
  throw new RangeError("a snappy block without its length")
}

const lz4Magic = 0x184d2204
const isUncompressed = 0x80000000

/** The lengths that all sequences of an LZ4 frame add up to. */
export const lz4 = (compressed: Buffer): number => {
  if (compressed.readUInt32LE(0) !== lz4Magic) throw new RangeError("not an LZ4 frame")
  const flags = compressed.readUInt8(4)
  const reader = new Reader(compressed)
  // Magic, flags and block size; content size, dictionary id and their checksum.
  reader.bytes(6 + ((flags & 0x08) !== 0 ? 8 : 0) + ((flags & 0x01) !== 0 ? 4 : 0) + 1)
  let total = 0
  for (;;) {
    const size = reader.bytes(4).readUInt32LE(0)
    if (size === 0) return total
    const block = reader.bytes(size % isUncompressed)
    total += size >= isUncompressed ? block.length : blockSize(block)
    if ((flags & 0x10) !== 0) reader.bytes(4)
  }
}

const blockSize = (block: Buffer): number => {
  let total = 0
  let at = 0
  const extended = (length: number): number => {
    let sum = length
    if (length === 15) {
      let byte = 255
      while (byte === 255) {
        byte = block.readUInt8(at++)
        sum += byte
      }
    }
    return sum
  }
  while (at < block.length) {
    const token = block.readUInt8(at++)
    const literals = extended(token >> 4)
    total += literals
    at += literals
    // The last sequence has literals only.
    if (at >= block.length) return total
    at += 2
    total += extended(token & 15) + 4
  }
  return total
}
