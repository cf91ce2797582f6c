/** What the framing of a packed block says of its size is what comes out of it. */
import { assert, describe, it } from "@effect/vitest"
import kafkajs from "kafkajs"
import * as Codecs from "../../../../src/kafka/kafkajs/Codecs.ts"
import * as UnpackedSize from "../../../../src/kafka/kafkajs/UnpackedSize.ts"

const samples = [
  Buffer.from("a"),
  Buffer.alloc(300),
  Buffer.from("0123456789".repeat(10_000)),
  Buffer.alloc(5_000_000, "abcdefg"),
  Buffer.from(Array.from({ length: 70_000 }, (_, index) => (index * 7919 + (index >> 3)) % 256))
]

const packed = async (type: 1 | 2 | 3 | 4, plain: Buffer): Promise<Buffer> => {
  Codecs.register()
  return kafkajs.CompressionCodecs[type]().compress({ buffer: plain })
}

describe("the size of a packed block", () => {
  it("lz4: all sequences of all blocks", async () => {
    for (const plain of samples) assert.strictEqual(UnpackedSize.lz4(await packed(3, plain)), plain.length)
  })
  it("zstd: by its frame's header", async () => {
    for (const plain of samples) assert.strictEqual(UnpackedSize.zstd(await packed(4, plain)), plain.length)
  })
  it("snappy: by what the block begins with", async () => {
    const { compressSync } = await import("snappy")
    for (const plain of samples) assert.strictEqual(UnpackedSize.snappy(compressSync(plain)), plain.length)
  })
  it.each([1, 2, 3, 4] as const)("codec %i gives back what is small enough, and refuses more", async (type) => {
    for (const plain of samples) assert.isTrue((await Codecs.unpack(type, await packed(type, plain))).equals(plain))
    const bomb = await packed(type, Buffer.alloc(Codecs.maxUnpacked + 1))
    const refused = await Codecs.unpack(type, bomb).catch((error: unknown) => error)
    assert.instanceOf(refused, Codecs.TooLarge)
  })
})
