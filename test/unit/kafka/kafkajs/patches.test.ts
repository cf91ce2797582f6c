/**
 * What is changed inside kafkajs is in force in the version that is installed; an upgrade that breaks a change turns
 * this red.
 */
import { createRequire } from "node:module"
import { assert, describe, it } from "@effect/vitest"
import * as Schema from "effect/Schema"
import kafkajs from "kafkajs"
import * as Patches from "../../../../src/kafka/kafkajs/patches.ts"
import { batch } from "../../../support/kafka/kafkajs/batches.ts"

const require = createRequire(import.meta.url)

interface Fetch {
  readonly versions: ReadonlyArray<string>
  readonly protocol: (of: { readonly version: number }) => (request: object) => {
    readonly response: { readonly decode: (raw: Buffer) => Promise<unknown> }
  }
}

const Answer = Schema.Struct({
  responses: Schema.Array(
    Schema.Struct({
      topicName: Schema.String,
      partitions: Schema.Array(
        Schema.Struct({
          partition: Schema.Int,
          highWatermark: Schema.String,
          messages: Schema.Array(Schema.Struct({ offset: Schema.String, isControlRecord: Schema.Boolean }))
        })
      )
    })
  )
})

const int = (bytes: 2 | 4 | 8, value: number): Buffer => {
  const buffer = Buffer.alloc(bytes)
  if (bytes === 8) buffer.writeBigInt64BE(BigInt(value))
  else buffer.writeIntBE(value, 0, bytes)
  return buffer
}

/** A partition's answer to a fetch, with one producer's aborted transaction from offset 1 on. */
const answer = (version: number, records: Buffer): Buffer =>
  Buffer.concat([
    int(4, 0),
    ...(version >= 7 ? [int(2, 0), int(4, 0)] : []),
    ...[int(4, 1), int(2, 1), Buffer.from("t"), int(4, 1), int(4, 0), int(2, 0), int(8, 3), int(8, 3)],
    ...(version >= 5 ? [int(8, 0)] : []),
    ...[int(4, 1), int(8, 5), int(8, 1)],
    ...(version >= 11 ? [int(4, -1)] : []),
    ...[int(4, records.length), records]
  ])

describe("kafkajs", () => {
  it(`is the version that the changes were made for, ${Patches.version}`, () => {
    const { version }: { readonly version: string } = require("kafkajs/package.json")
    assert.strictEqual(version, Patches.version)
    Patches.apply()
  })

  it("keeps in a batch the offset that was asked for, and makes clusters of its own", () => {
    const Batch: new (topic: string, offset: string, data: object) => Parameters<typeof Patches.fetchedOffset>[0] =
      require("kafkajs/src/consumer/batch.js")
    const data = { partition: 0, highWatermark: "9", messages: [], abortedTransactions: [] }
    assert.strictEqual(Patches.fetchedOffset(new Batch("t", "7", data)), 7)

    const kafka = new kafkajs.Kafka({ brokers: ["localhost:1"], logLevel: kafkajs.logLevel.NOTHING })
    const cluster = Patches.createCluster<object>(kafka, { allowAutoTopicCreation: false })
    for (const name of ["connect", "disconnect", "refreshMetadata", "findGroupCoordinator", "fetchTopicsOffset"])
      assert.isFunction(Reflect.get(cluster, name), name)
  })

  it.each([4, 5, 6, 7, 8, 9, 10, 11])("reads fetches by our rules: version %i", async (version) => {
    Patches.apply()
    const fetch: Fetch = require("kafkajs/src/protocol/requests/fetch/index.js")
    assert.include(fetch.versions.map(Number), version)
    const exchange = fetch.protocol({ version })({
      topics: [{ topic: "t", partitions: [{ partition: 0, fetchOffset: "0" }] }]
    })
    const records = Buffer.concat([
      batch([{ key: Buffer.alloc(4) }]),
      batch([{ key: Buffer.alloc(4) }, {}], { attributes: 0x10, producerId: 5n, baseOffset: 1 })
    ])
    const decoded = Schema.decodeUnknownSync(Answer)(await exchange.response.decode(answer(version, records)))
    assert.deepStrictEqual(decoded.responses, [
      {
        topicName: "t",
        partitions: [
          {
            ...{ partition: 0, highWatermark: "3" },
            messages: [
              { offset: "0", isControlRecord: false },
              { offset: "2", isControlRecord: true }
            ]
          }
        ]
      }
    ])
  })
})
