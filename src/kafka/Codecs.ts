/** Teaches kafkajs the four compressions of Kafka, gzip, snappy, lz4 and zstd; a topic in any of them can be read and written. */
import { gunzipSync, gzipSync } from "node:zlib"
import kafkajs from "kafkajs"

/** What kafkajs asks of a codec. */
interface Codec {
  readonly compress: (encoder: { readonly buffer: Buffer }) => Promise<Buffer>
  readonly decompress: (compressed: Buffer) => Promise<Buffer>
}

/** Synchronous, because for blocks of this size the thread pool costs more than it gives. */
const gzip: Codec = {
  compress: async ({ buffer }) => gzipSync(buffer),
  decompress: async (compressed) => gunzipSync(compressed)
}

const lz4: Codec = {
  compress: async ({ buffer }) => (await import("lz4-napi")).compressFrameSync(buffer),
  decompress: async (compressed) => (await import("lz4-napi")).decompressFrameSync(compressed)
}

/** Java clients wrap snappy in the framing of xerial's library: this header, then blocks with their length before them. */
const xerial = Buffer.from([0x82, 0x53, 0x4e, 0x41, 0x50, 0x50, 0x59, 0x00, 0, 0, 0, 1, 0, 0, 0, 1])
const xerialMagic = xerial.subarray(0, 8)
const blockSize = 32 * 1024

const snappy: Codec = {
  compress: async ({ buffer }) => {
    const { compressSync } = await import("snappy")
    const parts: Array<Buffer> = [xerial]
    for (let start = 0; start < buffer.length; start += blockSize) {
      const block = compressSync(buffer.subarray(start, start + blockSize))
      const length = Buffer.alloc(4)
      length.writeUInt32BE(block.length)
      parts.push(length, block)
    }
    return Buffer.concat(parts)
  },
  decompress: async (compressed) => {
    const { uncompressSync } = await import("snappy")
    const plain = (block: Buffer): Buffer => Buffer.from(uncompressSync(block, { asBuffer: true }))
    if (!compressed.subarray(0, xerialMagic.length).equals(xerialMagic)) return plain(compressed)
    const parts: Array<Buffer> = []
    for (let at = xerial.length; at < compressed.length; ) {
      const end = at + 4 + compressed.readUInt32BE(at)
      parts.push(plain(compressed.subarray(at + 4, end)))
      at = end
    }
    return Buffer.concat(parts)
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

const zstd: Codec = {
  compress: async ({ buffer }) => Buffer.from((await loadZstd()).compress(buffer)),
  decompress: async (compressed) => {
    const { decompress } = await loadZstd()
    // A streaming producer does not write how large the content is: give it more room until it fits.
    for (let room = 4 * 1024 * 1024; ; room *= 4) {
      try {
        return Buffer.from(decompress(compressed, { defaultHeapSize: room }))
      } catch (error) {
        if (room >= 256 * 1024 * 1024) throw error
      }
    }
  }
}

/** Registers the codecs with kafkajs, process-wide; doing it again changes nothing. */
export const register = (): void => {
  const { CompressionCodecs, CompressionTypes } = kafkajs
  CompressionCodecs[CompressionTypes.GZIP] = () => gzip
  CompressionCodecs[CompressionTypes.LZ4] = () => lz4
  CompressionCodecs[CompressionTypes.Snappy] = () => snappy
  CompressionCodecs[CompressionTypes.ZSTD] = () => zstd
}
