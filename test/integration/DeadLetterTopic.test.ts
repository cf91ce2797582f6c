/**
 * DLQ_TOPIC on a real broker: however many dead letters there are and however large, they go out, and the partition
 * continues.
 */
import { randomBytes } from "node:crypto"
import { mkdtemp, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import kafkajs, { type Message } from "kafkajs"
import { afterAll, afterEach, assert, beforeAll, describe, inject, it } from "vitest"
import { killAll, start } from "../../scripts/support/bronzeProcess.ts"
import { duckDb } from "../support/Inspect.ts"
import { countRows, makeJob } from "../support/Job.ts"
import { connect, eventually, order, type RealKafka, unique } from "../support/RealKafka.ts"

let folder: string
let kafka: RealKafka
let admin: kafkajs.Admin

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "bronze-dlq-topic-"))
  kafka = await connect(inject("kafka"))
  admin = new kafkajs.Kafka({ brokers: [kafka.bootstrap], logLevel: kafkajs.logLevel.NOTHING }).admin()
  await admin.connect()
})
afterEach(killAll)
afterAll(async () => {
  await Promise.all([kafka?.close(), admin?.disconnect()])
  await rm(folder, { recursive: true, force: true })
})

/** No JSON, and no codec makes it smaller. */
const noise = (bytes: number): Message => ({ value: Buffer.concat([Buffer.from([0]), randomBytes(bytes - 1)]) })
const many = (count: number, message: () => Message) => Array.from({ length: count }, message)

interface Case {
  readonly letters: ReadonlyArray<Message>
  /** Messages of one request. */
  readonly together: number
  /** What a record of the topic may have; DLQ_TOPIC keeps the default of 1,048,588. */
  readonly topicBytes?: number
  readonly isCut: boolean
}

describe("DLQ_TOPIC", () => {
  it.each<readonly [what: string, given: Case]>([
    ["100 of 20 kB", { letters: many(100, () => noise(20_000)), together: 40, isCut: false }],
    ["20,000 small ones", { letters: many(20_000, () => ({ value: "{" })), together: 5000, isCut: false }],
    ["one of nearly 1 MB", { letters: [noise(1_048_400)], together: 1, isCut: true }],
    ["one of 2 MB", { letters: [noise(2_000_000)], together: 1, topicBytes: 4_000_000, isCut: true }]
  ])("takes %s, and the record after them lands", async (_, { isCut, letters, together, topicBytes }) => {
    const path = join(folder, `${unique("raw")}.duckdb`)
    const dlq = unique("dlq")
    await kafka.createTopic(dlq)
    const job = await makeJob(kafka, { SINK: "duckdb", DUCKDB_PATH: path, DLQ_TOPIC: dlq, BATCH_TIMEOUT: "0.5" })
    if (topicBytes !== undefined)
      await admin.alterConfigs({
        validateOnly: false,
        resources: [
          {
            type: kafkajs.ConfigResourceTypes.TOPIC,
            name: job.orders,
            configEntries: [{ name: "max.message.bytes", value: String(topicBytes) }]
          }
        ]
      })
    for (let from = 0; from < letters.length; from += together)
      await kafka.produce(job.orders, letters.slice(from, from + together))
    await kafka.produce(job.orders, [{ value: order(1) }])

    const service = start(job.env)
    await eventually(
      () => kafka.committed(job.group, job.orders),
      ([offset]) => offset === letters.length + 1
    )
    service.signal("SIGTERM")
    assert.strictEqual(await service.exit, 0, service.output())

    assert.deepStrictEqual(await kafka.ends(dlq), [letters.length])
    const [last] = (await kafka.read(dlq, letters.length)).slice(-1)
    assert.strictEqual(String(last?.headers?.["bronze.offset"]), String(letters.length - 1))
    assert.strictEqual(last?.headers?.["bronze.truncated"] !== undefined, isCut)
    if (!isCut) assert.strictEqual(last?.value?.length, letters.at(-1)?.value?.length)

    const inspect = await duckDb(path)
    const counts = [await countRows(inspect, job.ordersTable), await countRows(inspect, "DEAD_LETTERS")]
    await inspect.close()
    assert.deepStrictEqual(counts, [1, letters.length])
    assert.strictEqual(await start(job.env, ["audit"]).exit, 0)
  })
})
