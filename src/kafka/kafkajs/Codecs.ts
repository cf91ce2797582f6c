/**
 * The four compressions of Kafka, gzip, snappy, lz4 and zstd, in which a topic can be read and written. What would be
 * too large is refused before it is unpacked: a few kilobytes can stand for gigabytes.
 */
import { gunzipSync, gzipSync } from "node:zlib"
import kafkajs, { CompressionTypes } from "kafkajs"
import * as UnpackedSize from "./UnpackedSize.ts"

/**
 * Unpacked bytes of a record batch at most; a batch of Kafka's default size (1 MB) would have to be packed 64 times to
 * be larger.
 */
export const maxUnpacked = 64 * 1024 * 1024

/** The block stands for more than `maxUnpacked` bytes. */
export class TooLarge extends Error {
  override readonly name = "TooLarge"
}

interface Codec {
  readonly pack: (plain: Buffer) => Promise<Buffer>
  readonly unpack: (packed: Buffer) => Promise<Buffer>
}

const checked = (size: number): void => {
  if (size > maxUnpacked) throw new TooLarge(`the batch has ${size} bytes unpacked; the limit is ${maxUnpacked}`)
}
const beyond = (): TooLarge => new TooLarge(`the batch has more than ${maxUnpacked} bytes unpacked, which is the limit`)

/** Synchronous, because for blocks of this size the thread pool costs more than it gives. */
const gzip: Codec = {
  pack: async (plain) => gzipSync(plain),
  unpack: async (packed) => {
    try {
      return gunzipSync(packed, { maxOutputLength: maxUnpacked })
    } catch (error) {
      throw error instanceof RangeError && Reflect.get(error, "code") === "ERR_BUFFER_TOO_LARGE" ? beyond() : error
    }
  }
}

const lz4: Codec = {
  pack: async (plain) => (await import("lz4-napi")).compressFrameSync(plain),
  unpack: async (packed) => {
    checked(UnpackedSize.lz4(packed))
    return (await import("lz4-napi")).decompressFrameSync(packed)
  }
}

/**
 * Java clients wrap snappy in the framing of xerial's library: this header, then blocks with their length before them.
 */
const xerial = Buffer.from([0x82, 0x53, 0x4e, 0x41, 0x50, 0x50, 0x59, 0x00, 0, 0, 0, 1, 0, 0, 0, 1])
const xerialMagic = xerial.subarray(0, 8)
const blockSize = 32 * 1024

const snappyBlocks = (packed: Buffer): ReadonlyArray<Buffer> => {
  if (!packed.subarray(0, xerialMagic.length).equals(xerialMagic)) return [packed]
  const blocks: Array<Buffer> = []
  for (let at = xerial.length; at < packed.length; ) {
    const end = at + 4 + packed.readUInt32BE(at)
    blocks.push(packed.subarray(at + 4, end))
    at = end
  }
  return blocks
}

const snappy: Codec = {
  pack: async (plain) => {
    const { compressSync } = await import("snappy")
    const parts: Array<Buffer> = [xerial]
    for (let start = 0; start < plain.length; start += blockSize) {
      const block = compressSync(plain.subarray(start, start + blockSize))
      const length = Buffer.alloc(4)
      length.writeUInt32BE(block.length)
      parts.push(length, block)
    }
    return Buffer.concat(parts)
  },
  unpack: async (packed) => {
    const { uncompressSync } = await import("snappy")
    const blocks = snappyBlocks(packed)
    checked(blocks.reduce((sum, block) => sum + UnpackedSize.snappy(block), 0))
    const [first, ...rest] = blocks.map((block) => Buffer.from(uncompressSync(block, { asBuffer: true })))
    return first !== undefined && rest.length === 0 ? first : Buffer.concat([...(first ? [first] : []), ...rest])
  }
}

/** Loaded with the first block that needs it; its WebAssembly takes a moment to start. */
let zstdReady: Promise<typeof import("@bokuweb/zstd-wasm")> | undefined
const loadZstd = () => {
  zstdReady ??= import("@bokuweb/zstd-wasm").then(async (module) => {
    await module.init()
    return module
  })
  return zstdReady
}

/** What the library says when the room that it got is too small. */
const noRoom = /code -70$/

const zstd: Codec = {
  pack: async (plain) => Buffer.from((await loadZstd()).compress(plain)),
  unpack: async (packed) => {
    const size = UnpackedSize.zstd(packed)
    if (size !== undefined) checked(size)
    const { decompress } = await loadZstd()
    // A streaming producer does not write how large the content is: give it more room until it fits.
    for (let room = 4 * 1024 * 1024; ; room *= 4) {
      try {
        return Buffer.from(decompress(packed, { defaultHeapSize: room }))
      } catch (error) {
        const isShort = size === undefined && error instanceof Error && noRoom.test(error.message)
        if (!isShort) throw error
        if (room >= maxUnpacked) throw beyond()
      }
    }
  }
}

const codecs = new Map<number, Codec>([
  [CompressionTypes.GZIP, gzip],
  [CompressionTypes.Snappy, snappy],
  [CompressionTypes.LZ4, lz4],
  [CompressionTypes.ZSTD, zstd]
])

/**
 * The plain bytes of a block that is packed in the way that Kafka gives this number; fails with `TooLarge`, or with
 * what the library says.
 */
export const unpack = async (type: number, packed: Buffer): Promise<Buffer> => {
  if (type === CompressionTypes.None) return packed
  const codec = codecs.get(type)
  if (codec === undefined) throw new RangeError(`Kafka knows no compression ${type}`)
  return codec.unpack(packed)
}

/**
 * Registers the codecs with kafkajs, process-wide, for its producer and for batches of the formats before Kafka 0.11;
 * doing it again changes nothing.
 */
export const register = (): void => {
  for (const [type, { pack, unpack }] of codecs)
    Object.assign(kafkajs.CompressionCodecs, {
      [type]: () => ({ compress: ({ buffer }: { readonly buffer: Buffer }) => pack(buffer), decompress: unpack })
    })
}
