/** Kafka's answer about topics, read byte by byte: each topic by itself, whatever is wrong with it. */
import { assert, describe, it } from "vitest"
import type { RawBroker } from "../../../../src/kafka/kafkajs/RawCluster.ts"
import { describe as ask, decodeResponse, encodeRequest } from "../../../../src/kafka/kafkajs/TopicMetadata.ts"

const int16 = (value: number) => Buffer.from([(value >> 8) & 0xff, value & 0xff])
const int32 = (value: number) => Buffer.concat([int16(value >> 16), int16(value & 0xffff)])
const text = (value: string) => Buffer.concat([Buffer.of(value.length + 1), Buffer.from(value)])
/** A tagged field that nobody knows yet: its number, its length, its bytes. */
const tags = Buffer.of(1, 7, 2, 0xaa, 0xbb)
const nodes = Buffer.concat([Buffer.of(2), int32(1)])

const partition = (number: number, error = 0) =>
  Buffer.concat([int16(error), int32(number), int32(error === 5 ? -1 : 1), int32(0), nodes, nodes, Buffer.of(1), tags])

const topic = (name: string, { error = 0, id = 0, partitions = [] as ReadonlyArray<Buffer> } = {}) =>
  Buffer.concat([
    ...[int16(error), text(name), Buffer.alloc(16, id), Buffer.of(0)],
    ...[Buffer.of(partitions.length + 1), ...partitions, int32(0), tags]
  ])

const answer = (...topics: ReadonlyArray<Buffer>) =>
  Buffer.concat([
    ...[tags, int32(0), Buffer.of(2), int32(1), text("127.0.0.1"), int32(9092), Buffer.of(0), tags],
    ...[text("cluster"), int32(1), Buffer.of(topics.length + 1), ...topics, tags]
  ])

describe("the answer about topics", () => {
  const states = decodeResponse(
    answer(
      topic("sound", { id: 1, partitions: [partition(1), partition(0, 9)] }),
      topic("gone", { error: 3 }),
      topic("hidden", { error: 29 }),
      topic("leaderless", { id: 2, partitions: [partition(0), partition(1, 5)] }),
      topic("odd", { error: 57 })
    )
  )

  it("gives ids and partitions in order, also while a replica is down", () => {
    assert.deepStrictEqual(states[0], {
      topic: "sound",
      id: Buffer.alloc(16, 1).toString("base64url"),
      partitions: [0, 1],
      problem: undefined
    })
  })
  it("says of each topic by itself why it cannot be read", () => {
    assert.deepStrictEqual(
      states.map(({ id, problem, topic }) => [topic, id === undefined, problem?.reason]),
      [
        ["sound", false, undefined],
        ["gone", true, "missing"],
        ["hidden", true, "denied"],
        ["leaderless", false, "unavailable"],
        ["odd", true, "unavailable"]
      ]
    )
  })
  it("that ends too early is an error, wherever it ends", () => {
    const whole = answer(topic("sound", { id: 1, partitions: [partition(0)] }))
    // What follows the topics is not read.
    for (let length = 0; length < whole.length - tags.length; length++)
      assert.throws(() => decodeResponse(whole.subarray(0, length)), RangeError)
  })
})

describe("the question about topics", () => {
  it("names them, and never lets Kafka create one", () => {
    const [, count, ...rest] = encodeRequest(12, ["ab"])
    assert.deepStrictEqual([count, ...rest], [2, ...Buffer.alloc(16), 3, 0x61, 0x62, 0, 0, 0, 0])
    assert.strictEqual(encodeRequest(10, ["ab"]).length, encodeRequest(12, ["ab"]).length + 1)
    // A name and a list of more than 127 take two bytes for their length.
    assert.strictEqual(
      encodeRequest(
        12,
        Array.from({ length: 200 }, () => "x".repeat(200))
      ).length,
      1 + 2 + 200 * 219 + 3
    )
  })
})

describe("a broker that gives no ids", () => {
  const never = () => Promise.reject(new Error("not asked in this test"))
  const broker: RawBroker = {
    ...{ fetch: never, produce: never, heartbeat: never, connectionPool: { send: never } },
    ...{ offsetCommit: never, offsetFetch: never },
    versions: { 3: { minVersion: 0, maxVersion: 8 } },
    metadata: ([topic = ""]) =>
      topic === "sound"
        ? Promise.resolve({ topicMetadata: [{ topic, partitionMetadata: [{ partitionId: 0 }] }] })
        : Promise.reject(Object.assign(new Error(topic), topic === "gone" ? { code: 3 } : {}))
  }
  it("is asked for one topic at a time; only a lost connection is an error", async () => {
    const [sound, gone] = await ask(broker, ["sound", "gone"])
    assert.deepStrictEqual(sound, { topic: "sound", id: undefined, partitions: [0], problem: undefined })
    assert.strictEqual(gone?.problem?.reason, "missing")
    const failed = await ask(broker, ["sound", "connection closed"]).catch((error: unknown) => String(error))
    assert.strictEqual(failed, "Error: connection closed")
  })
})
