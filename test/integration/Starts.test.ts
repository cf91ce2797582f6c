/**
 * Where reading begins: what arrives in a new partition is never skipped, and a ledger that is missing is told and not
 * skipped.
 */
import { mkdtemp, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import kafkajs, { type Admin, type Kafka } from "kafkajs"
import { afterAll, afterEach, assert, beforeAll, describe, inject, it } from "vitest"
import { freePort } from "../../scripts/kafka/broker.ts"
import { type BronzeProcess, killAll, start } from "../../scripts/support/bronzeProcess.ts"
import { duckDb } from "../support/Inspect.ts"
import { countRows, makeJob } from "../support/Job.ts"
import { connect, eventually, messages, order, type RealKafka, unique } from "../support/RealKafka.ts"

let folder: string
let kafka: RealKafka
let client: Kafka
let admin: Admin

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "bronze-starts-"))
  kafka = await connect(inject("kafka"))
  client = new kafkajs.Kafka({ brokers: [inject("kafka")], logLevel: kafkajs.logLevel.NOTHING })
  admin = client.admin()
  await admin.connect()
})
afterEach(killAll)
afterAll(async () => {
  await admin?.disconnect()
  await kafka?.close()
  await rm(folder, { recursive: true, force: true })
})

const jobIn = async (name: string, extra: Readonly<Record<string, string>> = {}) => {
  const path = join(folder, `${name}.duckdb`)
  const job = await makeJob(kafka, { SINK: "duckdb", DUCKDB_PATH: path, BATCH_TIMEOUT: "0.3", ...extra })
  return { ...job, path }
}

const end = async (service: BronzeProcess): Promise<void> => {
  service.signal("SIGTERM")
  assert.strictEqual(await service.exit, 0, service.output())
}

const rowsIn = async (path: string, table: string, where?: string): Promise<number> => {
  const inspect = await duckDb(path)
  const count = await countRows(inspect, table, where)
  await inspect.close()
  return count
}

/** Adds a partition, and puts records into it at once. */
const grow = async (topic: string, partition: number, count: number): Promise<void> => {
  await admin.createPartitions({ topicPartitions: [{ topic, count: partition + 1 }] })
  await eventually(
    () =>
      admin.fetchTopicMetadata({ topics: [topic] }).then(
        ({ topics }) => topics[0]?.partitions.length ?? 0,
        () => 0
      ),
    (partitions) => partitions > partition
  )
  const producer = client.producer({ createPartitioner: kafkajs.Partitioners.DefaultPartitioner })
  await producer.connect()
  await producer.send({ topic, messages: messages(count, order).map((message) => ({ ...message, partition })) })
  await producer.disconnect()
}

describe("AUTO_OFFSET_RESET=latest", () => {
  it("skips nothing of a partition that is added while the service runs, or while it is down", async () => {
    const job = await jobIn("latest", { AUTO_OFFSET_RESET: "latest" })
    await kafka.produce(job.orders, messages(5, order))
    const service = start(job.env)
    await service.line(new RegExp(`${job.orders}/0 from 5(,|$)`))
    await grow(job.orders, 1, 10)
    await service.line(new RegExp(`${job.orders}/1 from 0(,|$)`), { timeout: 60_000 })
    await eventually(
      () => kafka.committed(job.group, job.orders),
      (committed) => committed[1] === 10
    )
    await end(service)
    await grow(job.orders, 2, 7)
    const again = start(job.env)
    await again.line(new RegExp(`${job.orders}/2 from 0(,|$)`))
    await eventually(
      () => kafka.committed(job.group, job.orders),
      (committed) => committed[2] === 7
    )
    await end(again)
    assert.strictEqual(await rowsIn(job.path, job.ordersTable), 17)
    assert.strictEqual(await start(job.env, ["audit"]).exit, 0)
  })

  it("begins at the end in all partitions, though members come one after the other", async () => {
    const job = await makeJob(
      kafka,
      { SINK: "duckdb", DUCKDB_PATH: join(folder, "first.duckdb"), AUTO_OFFSET_RESET: "latest" },
      { partitions: 4 }
    )
    await kafka.produce(job.orders, messages(50, order))
    const second = { ...job.env, DUCKDB_PATH: join(folder, "second.duckdb"), DELIVERY: "at-least-once" }
    const first = { ...job.env, DELIVERY: "at-least-once" }
    assert.strictEqual(await start(second, ["init"]).exit, 0)
    const ends = await kafka.ends(job.orders)
    const members = [start(first), start(second)]
    await Promise.all(members.map((member) => member.line(/Assigned \d/)))
    await eventually(
      () => kafka.committed(job.group, job.orders),
      (committed) => committed.join() === ends.join()
    )
    await Promise.all(members.map(end))
    for (const path of ["first.duckdb", "second.duckdb"])
      assert.strictEqual(await rowsIn(join(folder, path), job.ordersTable), 0)
  })
})

describe("an empty ledger beside a group that has offsets", () => {
  it("stops the topic, names the offsets, and continues when it is told to", async () => {
    const job = await jobIn("read", {})
    const first = start(job.env)
    await kafka.produce(job.orders, messages(10, order))
    await eventually(
      () => kafka.committed(job.group, job.orders),
      ([committed]) => committed === 10
    )
    await end(first)
    await kafka.produce(job.orders, messages(2, order, 10))

    const path = join(folder, "empty.duckdb")
    const port = String(await freePort())
    const env = { ...job.env, DUCKDB_PATH: path, HTTP_PORT: port }
    assert.strictEqual(await start(env, ["init"]).exit, 0)
    const stopped = start(env)
    await stopped.line(
      new RegExp(
        `ERROR - No ledger: topic=${job.orders} partition=0: the group has committed offset 10.* another ledger.*stopped.*reset ${job.orders} --to earliest`
      )
    )
    await stopped.line(/Live page, health and metrics/)
    const readyz = async () => (await fetch(`http://127.0.0.1:${port}/readyz`)).text()
    await eventually(readyz, (text) => text.includes(`stopped: ${job.orders}`))
    await end(stopped)
    assert.strictEqual(await rowsIn(path, job.ordersTable), 0)
    const audit = start(env, ["audit"])
    assert.strictEqual(await audit.exit, 1)
    assert.include(audit.output(), "with another ledger")

    const going = start({ ...env, LEDGER_MISSING: "earliest" })
    await going.line(/WARN.* - No ledger: .*starting at 0/)
    await going.line(/Inserted 12 /)
    await end(going)
    assert.strictEqual(await rowsIn(path, job.ordersTable), 12)
  })

  it("takes over what another consumer has committed, and says so", async () => {
    const job = await jobIn("taken")
    await kafka.produce(job.orders, messages(12, order))
    const consumer = client.consumer({ groupId: job.group })
    await consumer.connect()
    await consumer.subscribe({ topic: job.orders, fromBeginning: true })
    await new Promise<void>((resolve, reject) => {
      consumer
        .run({
          autoCommit: false,
          eachBatch: async () => {
            await consumer.commitOffsets([{ topic: job.orders, partition: 0, offset: "9" }])
            resolve()
          }
        })
        .catch(reject)
    })
    await consumer.disconnect()
    const service = start(job.env)
    await service.line(
      /WARN.* - No ledger: .*committed by another consumer\); starting there: offsets 0 to 8 are not read/
    )
    await service.line(/Inserted 3 /)
    await end(service)
  })
})

describe("records behind an open transaction", () => {
  it("are lag, and shown by status, doctor and metrics; they are read once it ends", async () => {
    const job = await jobIn("open")
    const port = String(await freePort())
    const env = { ...job.env, HTTP_PORT: port }
    const producer = client.producer({
      ...{ transactionalId: unique("open"), maxInFlightRequests: 1, idempotent: true },
      createPartitioner: kafkajs.Partitioners.DefaultPartitioner
    })
    await producer.connect()
    await kafka.produce(job.orders, messages(1, order))
    const transaction = await producer.transaction()
    await transaction.send({ topic: job.orders, messages: [...messages(3, order, 1)] })
    await kafka.produce(job.orders, messages(5, order, 4))
    const service = start(env)
    await service.line(/Inserted 1 /)
    await service.line(/Live page, health and metrics/)
    const metric = async () => (await fetch(`http://127.0.0.1:${port}/metrics`)).text()
    const place = `{topic="${job.orders}",partition="0"}`
    const text = await eventually(metric, (found) => found.includes(`lag_open_transaction${place} 8`))
    assert.include(text, `bronze_consumer_lag${place} 8`)
    for (const command of ["status", "doctor"]) {
      const told = start(env, [command])
      await told.exit
      assert.include(told.output(), "8 records wait behind an open transaction", command)
    }
    await transaction.commit()
    await producer.disconnect()
    await service.count(/Inserted 8 /, 1)
    await eventually(metric, (found) => found.includes(`bronze_consumer_lag${place} 0`))
    await end(service)
  })
})
