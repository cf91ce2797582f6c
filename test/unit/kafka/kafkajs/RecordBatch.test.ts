/** What is read out of a partition's record batches, whatever a producer, a broker or a network put into them. */
import { gzipSync } from "node:zlib"
import { assert, describe, it } from "@effect/vitest"
import { maxUnpacked } from "../../../../src/kafka/kafkajs/Codecs.ts"
import * as RecordBatch from "../../../../src/kafka/kafkajs/RecordBatch.ts"
import { batch, record } from "../../../support/kafka/kafkajs/batches.ts"

const room = (): RecordBatch.Room => ({ left: 96 * 1024 * 1024 })
const read = (bytes: Buffer, from = 0) => RecordBatch.read(bytes, from, [], room())
const value = Buffer.from("{}")
const gzip = 1

describe("a record batch", () => {
  it("gives its records from the offset on that was asked for", async () => {
    const messages = await read(batch([{ value }, { value }, { value }], { baseOffset: 10 }), 11)
    assert.deepStrictEqual(
      messages.map(({ isControlRecord, offset, timestamp, value }) => [
        offset,
        timestamp,
        String(value),
        isControlRecord
      ]),
      [
        ["11", "1700000000000", "{}", false],
        ["12", "1700000000000", "{}", false]
      ]
    )
  })

  it("does not keep the fetch that it came in", async () => {
    const fetched = Buffer.concat([batch([{ value }, { value }], { baseOffset: 10 }), Buffer.alloc(1024 * 1024)])
    const [first, second] = await read(fetched, 10)
    assert.isBelow(first?.value?.buffer.byteLength ?? Number.NaN, fetched.length)
    assert.strictEqual(first?.value?.buffer, second?.value?.buffer)
  })

  it("keeps headers as they are: null, twice, named like a member of every object, not UTF-8", async () => {
    const [message] = await read(
      batch([
        {
          headers: [
            [Buffer.from("none"), null],
            [Buffer.from("twice"), Buffer.from("a")],
            [Buffer.from("constructor"), Buffer.from("b")],
            [Buffer.from("__proto__"), Buffer.from("c")],
            [Buffer.from("twice"), null],
            [Buffer.from([0xff]), Buffer.from("d")]
          ]
        }
      ])
    )
    const text = (content: unknown): unknown =>
      content instanceof Uint8Array ? String(content) : Array.isArray(content) ? content.map(text) : content
    assert.deepStrictEqual(
      Object.entries(message?.headers ?? {}).map(([name, content]) => [name, text(content)]),
      [
        ["none", null],
        ["twice", ["a", null]],
        ["constructor", "b"],
        ["__proto__", "c"],
        ["base64:/w==", "d"]
      ]
    )
  })

  it("reads 100,000 headers of one record, all of one name, in the time that they need", async () => {
    const headers = Array.from({ length: 100_000 }, () => [Buffer.from("h"), value] as const)
    const begun = performance.now()
    const [message] = await read(batch([{ headers }]))
    // The square of it took minutes; this takes a tenth of a second.
    assert.isBelow(performance.now() - begun, 5_000)
    const all = message?.headers["h"]
    assert.strictEqual(Array.isArray(all) ? all.length : 0, 100_000)
  })

  it("moves on behind the gap that compaction left at its end, and behind a batch that is empty by now", async () => {
    const compacted = batch([{ value }], { lastOffset: 5000 })
    const emptied = batch([], { baseOffset: 5001, lastOffset: 6000 })
    const messages = await read(Buffer.concat([compacted, emptied]))
    assert.deepStrictEqual(
      messages.map(({ isControlRecord, offset }) => [offset, isControlRecord]),
      [
        ["0", false],
        ["5000", true],
        ["6000", true]
      ]
    )
  })

  it("of an aborted transaction takes up its offsets, from the one on that was asked for", async () => {
    const aborted = batch([{ value }, { value }, { value }], { attributes: 0x10, producerId: 5n, baseOffset: 10 })
    const messages = await RecordBatch.read(aborted, 11, [{ producerId: 5n, firstOffset: 10 }], room())
    assert.deepStrictEqual(
      messages.map(({ isControlRecord, offset }) => [offset, isControlRecord]),
      [
        ["11", true],
        ["12", true]
      ]
    )
  })

  it("that is cut off by the size of the fetch waits for the next one", async () => {
    const whole = batch([{ value }])
    const next = batch([{ value }], { baseOffset: 1 })
    const messages = await read(Buffer.concat([whole, next.subarray(0, next.length - 1)]))
    assert.deepStrictEqual(
      messages.map(({ offset }) => offset),
      ["0"]
    )
  })

  it("that stands for too many bytes is named by its offsets and not unpacked; what follows is read", async () => {
    const bomb = gzipSync(Buffer.alloc(maxUnpacked + 1))
    const bytes = Buffer.concat([
      batch([{}, {}, {}], { attributes: gzip, body: bomb, baseOffset: 7 }),
      batch([{ value }], { baseOffset: 10 })
    ])
    const messages = await read(bytes, 7)
    assert.deepStrictEqual(
      messages.map(({ fault, offset }) => [offset, fault?.from, fault?.cause]),
      [
        ["9", 7, "too_large"],
        ["10", undefined, undefined]
      ]
    )
  })

  it("that cannot be read is named by its offset, and what follows waits", async () => {
    const good = batch([{ value }])
    const after = batch([{ value }], { baseOffset: 3 })
    const broken = [
      batch([{}, {}], { attributes: gzip, body: Buffer.from("no gzip"), baseOffset: 1 }),
      batch([{}, {}], { attributes: 7, body: value, baseOffset: 1 }),
      batch([{}, {}], { body: record(0, { value }).subarray(0, 5), baseOffset: 1 })
    ]
    for (const bytes of broken) {
      const messages = await read(Buffer.concat([good, bytes, after]))
      assert.deepStrictEqual(
        messages.map(({ fault, offset }) => [offset, fault?.from, fault?.cause]),
        [
          ["0", undefined, undefined],
          ["2", 1, "unreadable"]
        ]
      )
    }
  })

  it("of very many small records gives out as many as there is room for, and the rest next time", async () => {
    const count = 5000
    const bytes = batch(Array.from({ length: count }, () => ({})))
    const small = () => RecordBatch.read(bytes, 0, [], { left: 600_000 })
    const first = await small()
    assert.isAbove(first.length, 1000)
    assert.isBelow(first.length, count)
    const rest = await read(bytes, Number(first.at(-1)?.offset) + 1)
    assert.strictEqual(first.length + rest.length, count)
  })

  it("is total: random bytes are messages or faults, never an exception", async () => {
    let seed = 1
    const chance = (): number => (seed = (seed * 48_271) % 2_147_483_647)
    for (let round = 0; round < 2000; round++) {
      const bytes = batch([{ value, headers: [[value, value]] }, { value }], { attributes: chance() % 64 })
      for (let flips = 0; flips < 3; flips++) bytes[12 + (chance() % (bytes.length - 12))] = chance() % 256
      await read(bytes)
    }
  })
})
