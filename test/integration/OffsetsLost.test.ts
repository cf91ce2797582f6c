/**
 * What happens when Kafka no longer has the next records: the topic stops loudly and names the loss, and continues when
 * it is told to.
 */
import { mkdtemp, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import kafkajs, { type Admin } from "kafkajs"
import { afterAll, afterEach, assert, beforeAll, describe, inject, it } from "vitest"
import { killAll, start } from "../../scripts/support/bronzeProcess.ts"
import { duckDb } from "../support/Inspect.ts"
import { type Job, makeJob } from "../support/Job.ts"
import { connect, eventually, messages, order, type RealKafka } from "../support/RealKafka.ts"

let folder: string
let kafka: RealKafka
let admin: Admin

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "bronze-lost-"))
  kafka = await connect(inject("kafka"))
  admin = new kafkajs.Kafka({ brokers: [inject("kafka")], logLevel: kafkajs.logLevel.NOTHING }).admin()
  await admin.connect()
})
afterEach(killAll)
afterAll(async () => {
  await admin?.disconnect()
  await kafka?.close()
  await rm(folder, { recursive: true, force: true })
})

/** A job that has read 100 orders, while Kafka has already thrown away the 50 after them; 50 more are there. */
const overtaken = async (name: string): Promise<Job & { readonly path: string }> => {
  const path = join(folder, `${name}.duckdb`)
  const job = await makeJob(kafka, { SINK: "duckdb", DUCKDB_PATH: path, BATCH_TIMEOUT: "0.5" })
  await kafka.produce(job.orders, messages(100, order))
  const service = start(job.env)
  await service.count(/Kafka offsets committed/, 1)
  service.signal("SIGTERM")
  assert.strictEqual(await service.exit, 0, service.output())
  await kafka.produce(job.orders, messages(100, order, 100))
  // kafkajs knows the leaders of a topic only once it was asked for its offsets.
  await admin.fetchTopicOffsets(job.orders)
  await admin.deleteTopicRecords({ topic: job.orders, partitions: [{ partition: 0, offset: "150" }] })
  return { ...job, path }
}

const offsets = async (path: string, table: string): Promise<ReadonlyArray<unknown>> => {
  const inspect = await duckDb(path)
  const [row] = await inspect.query(
    `SELECT COUNT(*) AS TOTAL, COUNT(DISTINCT KAFKA_OFFSET) AS OFFSETS, MAX(KAFKA_OFFSET) AS LAST, SUM(CASE WHEN KAFKA_OFFSET BETWEEN 100 AND 149 THEN 1 ELSE 0 END) AS GONE FROM BRONZE.${table}`
  )
  await inspect.close()
  return [row?.["total"], row?.["offsets"], row?.["last"], Number(row?.["gone"])]
}

describe("offsets that retention has taken", () => {
  it("stop the topic, and no other, with what is lost and the command to continue", async () => {
    const job = await overtaken("stop")
    const service = start(job.env)
    await kafka.produce(job.clicks, messages(3, order))
    await service.line(
      new RegExp(
        `ERROR - Records lost: topic=${job.orders} partition=0 offsets 100 to 149 .*reset ${job.orders} --to earliest`
      )
    )
    await eventually(
      () => kafka.committed(job.group, job.clicks),
      ([committed]) => committed === 3
    )
    assert.deepStrictEqual(await kafka.committed(job.group, job.orders), [100])
    service.signal("SIGTERM")
    assert.strictEqual(await service.exit, 0, service.output())
    assert.deepStrictEqual(await offsets(job.path, job.ordersTable), [100, 100, 99, 0])

    const reset = start(job.env, ["reset", job.orders, "--to", "earliest"])
    assert.strictEqual(await reset.exit, 0, reset.output())
    assert.match(reset.output(), /100 -> 150/)
    const again = start(job.env)
    await again.count(/Kafka offsets committed/, 1)
    again.signal("SIGTERM")
    assert.strictEqual(await again.exit, 0, again.output())
    assert.deepStrictEqual(await offsets(job.path, job.ordersTable), [150, 150, 199, 0])
    const audit = start(job.env, ["audit"])
    assert.strictEqual(await audit.exit, 0, audit.output())
  })

  it("are named and skipped with OFFSETS_LOST=continue", async () => {
    const job = await overtaken("continue")
    const service = start({ ...job.env, OFFSETS_LOST: "continue" })
    await service.line(/ERROR - Records lost: .* offsets 100 to 149/)
    await eventually(
      () => kafka.committed(job.group, job.orders),
      ([committed]) => committed === 200
    )
    service.signal("SIGTERM")
    assert.strictEqual(await service.exit, 0, service.output())
    assert.deepStrictEqual(await offsets(job.path, job.ordersTable), [150, 150, 199, 0])
  })
})
