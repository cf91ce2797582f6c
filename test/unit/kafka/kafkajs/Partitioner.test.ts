/** Records go where Java's own producer sends them, whatever the size of their keys. */
import { randomBytes } from "node:crypto"
import { assert, describe, it } from "@effect/vitest"
import * as Partitioner from "../../../../src/kafka/kafkajs/Partitioner.ts"

const partitions = (...leaders: ReadonlyArray<number>) =>
  leaders.map((leader, partitionId) => ({ partitionId, leader, partitionErrorCode: 0, replicas: [], isr: [] }))

describe("the partition of a record", () => {
  it("is the one of Kafka's own clients", () => {
    for (const [key, hash] of [
      ["21", -973932308],
      ["foobar", -790332482],
      ["a-little-bit-long-string", -985981536],
      ["a-little-bit-longer-string", -1486304829],
      ["lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8", -58897971],
      ["abc", 479470107]
    ] as const)
      assert.strictEqual(Partitioner.murmur2(Buffer.from(key)), hash, key)
    const choose = Partitioner.make()
    const at = (key: string | Buffer) =>
      choose({ topic: "t", partitionMetadata: partitions(1, 1, 1), message: { key, value: null } })
    assert.strictEqual(at("foobar"), (-790332482 & 0x7fffffff) % 3)
    assert.strictEqual(at(Buffer.from("foobar")), at("foobar"))
  })

  it("is found in a moment for a key of a megabyte", () => {
    const key = randomBytes(1_000_000)
    const start = performance.now()
    Partitioner.murmur2(key)
    assert.isBelow(performance.now() - start, 1000)
  })

  it("is the given one, or without a key each in turn that has a leader", () => {
    const choose = Partitioner.make()
    const given = choose({
      topic: "t",
      partitionMetadata: partitions(1, 1),
      message: { key: "k", value: null, partition: 7 }
    })
    assert.strictEqual(given, 7)
    const next = () => choose({ topic: "t", partitionMetadata: partitions(1, -1, 1), message: { value: null } })
    assert.deepStrictEqual([next(), next()].sort(), [0, 2])
  })
})
