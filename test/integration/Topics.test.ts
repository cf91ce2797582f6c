/**
 * Topics one by one: one that is missing, deleted or recreated stops only itself, is named, and comes back by itself;
 * none is ever created.
 */
import { mkdtemp, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import kafkajs, { type Admin } from "kafkajs"
import { afterAll, afterEach, assert, beforeAll, describe, inject, it } from "vitest"
import { type Broker, freePort, startBroker } from "../../scripts/kafka/broker.ts"
import { type BronzeProcess, killAll, start } from "../../scripts/support/bronzeProcess.ts"
import { duckDb } from "../support/Inspect.ts"
import { countRows, type Job, makeJob } from "../support/Job.ts"
import { click, connect, eventually, messages, order, type RealKafka } from "../support/RealKafka.ts"

let folder: string
let broker: Broker
let kafka: Steps
let admin: Admin

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "bronze-topics-"))
  kafka = fresh(inject("kafka"))
  // Kafka's default: whoever asks for a topic creates it.
  broker = await startBroker({ dataDir: join(folder, "kafka"), autoCreateTopics: true })
  admin = adminOf(inject("kafka"))
  await admin.connect()
})
afterEach(killAll)
afterAll(async () => {
  await admin?.disconnect()
  await broker?.stop()
  await rm(folder, { recursive: true, force: true })
})

const adminOf = (bootstrap: string): Admin =>
  new kafkajs.Kafka({ brokers: [bootstrap], logLevel: kafkajs.logLevel.NOTHING }).admin()

/**
 * A kafkajs client that has used a topic fails with everything once that topic is deleted: so each step has one of its
 * own.
 */
const fresh = (bootstrap: string): Steps => {
  const once = async <A>(step: (kafka: RealKafka) => Promise<A>): Promise<A> => {
    const connected = await connect(bootstrap)
    return step(connected).finally(connected.close)
  }
  return {
    bootstrap,
    createTopic: (...given) => once(({ createTopic }) => createTopic(...given)),
    produce: (...given) => once(({ produce }) => produce(...given)),
    committed: (...given) => once(({ committed }) => committed(...given))
  }
}

type Steps = Pick<RealKafka, "bootstrap" | "createTopic" | "produce" | "committed">

const jobIn = async (name: string, on = kafka, extra: Readonly<Record<string, string>> = {}) => {
  const path = join(folder, `${name}.duckdb`)
  const port = String(await freePort())
  const job = await makeJob(on, { SINK: "duckdb", DUCKDB_PATH: path, BATCH_TIMEOUT: "0.3", HTTP_PORT: port, ...extra })
  return { ...job, path, readyz: async () => (await fetch(`http://127.0.0.1:${port}/readyz`)).text() }
}

const end = async (service: BronzeProcess): Promise<void> => {
  service.signal("SIGTERM")
  assert.strictEqual(await service.exit, 0, service.output())
}

const rowsIn = async (path: string, table: string): Promise<number> => {
  const inspect = await duckDb(path)
  const count = await countRows(inspect, table)
  await inspect.close()
  return count
}

/** Deleting is asynchronous: until it is done, a topic of the same name cannot be created. */
const recreate = async (topic: string): Promise<void> => {
  await admin.deleteTopics({ topics: [topic] })
  await eventually(
    () =>
      kafka.createTopic(topic).then(
        () => true,
        () => false
      ),
    (done) => done
  )
}

const committedIs = (job: Job, topic: string, offset: number) =>
  eventually(
    () => kafka.committed(job.group, topic),
    ([committed]) => committed === offset,
    60_000
  )

describe("one topic of two", () => {
  it("that is deleted stops only itself, is named, and is read again when it is there again", async () => {
    const job = await jobIn("deleted", kafka, { OFFSETS_LOST: "continue" })
    const service = start(job.env)
    await service.line(/Assigned 2 partitions/)
    await kafka.produce(job.orders, messages(3, order))
    await committedIs(job, job.orders, 3)
    await admin.deleteTopics({ topics: [job.orders] })
    const { at } = await service.line(new RegExp(`ERROR - Topic ${job.orders} is not read: Kafka has no such topic`), {
      timeout: 60_000
    })
    await kafka.produce(job.clicks, messages(5, click))
    await committedIs(job, job.clicks, 5)
    assert.isBelow(Date.now() - at, 20_000)
    assert.include(await eventually(job.readyz, (text) => text.includes(job.orders)), "is not read")
    const doctor = start(job.env, ["doctor"])
    assert.strictEqual(await doctor.exit, 1)
    assert.match(doctor.output(), new RegExp(`✗ topic ${job.orders} +does not exist`))

    await kafka.createTopic(job.orders)
    const back = Date.now()
    await kafka.produce(job.orders, messages(2, order, 100))
    await service.line(new RegExp(`Records lost: topic=${job.orders} partition=0 the topic was recreated`), {
      timeout: 40_000
    })
    await service.count(/Inserted 2 /, 1)
    assert.isBelow(Date.now() - back, 30_000)
    await eventually(job.readyz, (text) => !text.includes("is not read"))
    await end(service)
    assert.deepStrictEqual([await rowsIn(job.path, job.ordersTable), await rowsIn(job.path, job.clicksTable)], [5, 5])
  })

  it("that is missing at the start stops only itself, and is read when it comes", async () => {
    const job = await jobIn("missing")
    await admin.deleteTopics({ topics: [job.orders] })
    await eventually(
      () => admin.listTopics(),
      (topics) => !topics.includes(job.orders)
    )
    await kafka.produce(job.clicks, messages(4, click))
    const service = start(job.env)
    await service.line(new RegExp(`ERROR - Topic ${job.orders} is not read`))
    await service.line(/Inserted 4 /)
    assert.include(await eventually(job.readyz, (text) => text.includes(job.orders)), "Kafka has no such topic")
    await kafka.createTopic(job.orders)
    await kafka.produce(job.orders, messages(6, order))
    await service.line(/Inserted 6 /)
    await end(service)
  })
})

describe("a recreated topic", () => {
  it.each([
    ["smaller", 40],
    ["larger", 250]
  ])("that is %s is recognised after a stop: the topic stops with the command that resets it", async (size, count) => {
    const job = await jobIn(`stopped-${size}`)
    const first = start(job.env)
    await kafka.produce(job.orders, messages(100, order))
    await committedIs(job, job.orders, 100)
    await end(first)
    await recreate(job.orders)
    await kafka.produce(job.orders, messages(count, order, 1000))

    const audit = start(job.env, ["audit"])
    assert.strictEqual(await audit.exit, 1, audit.output())
    assert.include(audit.output(), "the topic was recreated")
    for (const command of ["status", "doctor"]) {
      const told = start(job.env, [command])
      await told.exit
      assert.match(told.output(), /the topic was recreated: partition 0 was read up to offset 100/, command)
    }
    const service = start(job.env)
    await service.line(
      new RegExp(`ERROR - Records lost: topic=${job.orders} .*recreated.*reset ${job.orders} --to earliest`)
    )
    await kafka.produce(job.clicks, messages(2, click))
    await service.line(/Inserted 2 /)
    await end(service)
    assert.strictEqual(await rowsIn(job.path, job.ordersTable), 100)
    const reset = start(job.env, ["reset", job.orders, "--to", "earliest"])
    assert.strictEqual(await reset.exit, 0, reset.output())
    const again = start(job.env)
    await committedIs(job, job.orders, count)
    await end(again)
    assert.strictEqual(await rowsIn(job.path, job.ordersTable), 100 + count)
  })

  it.each([
    ["smaller", 40],
    ["larger", 250]
  ])("that is %s is recognised while the service runs", async (size, count) => {
    const job = await jobIn(`running-${size}`)
    const service = start(job.env)
    await kafka.produce(job.orders, messages(100, order))
    await committedIs(job, job.orders, 100)
    await recreate(job.orders)
    await kafka.produce(job.orders, messages(count, order, 1000))
    await service.line(new RegExp(`ERROR - Records lost: topic=${job.orders} .*recreated.*reset`), { timeout: 40_000 })
    assert.include(await eventually(job.readyz, (text) => text.includes("stopped: ")), job.orders)
    await kafka.produce(job.clicks, messages(2, click))
    await service.line(/Inserted 2 /)
    await end(service)
  })

  it("is read from its beginning in at-least-once delivery: Kafka has dropped the group's offsets with the old one", async () => {
    const job = await jobIn("rows", kafka, { DELIVERY: "at-least-once", AUTO_OFFSET_RESET: "latest" })
    const service = start(job.env)
    await service.line(/Assigned 2/)
    await kafka.produce(job.orders, messages(10, order))
    await committedIs(job, job.orders, 10)
    await recreate(job.orders)
    await service.count(/Joining group/, 2)
    await kafka.produce(job.orders, messages(15, order, 1000))
    await committedIs(job, job.orders, 15)
    await end(service)
    assert.strictEqual(await rowsIn(job.path, job.ordersTable), 25)
  })
})

describe("on a broker that creates whatever is asked for", () => {
  it("a topic that was deleted stays deleted, and no command creates one", async () => {
    const its = fresh(broker.bootstrap)
    const other = adminOf(broker.bootstrap)
    await other.connect()
    const job = await jobIn("autocreate", its)
    const service = start(job.env)
    await service.line(/Assigned 2 partitions/)
    await other.deleteTopics({ topics: [job.orders] })
    await service.line(new RegExp(`ERROR - Topic ${job.orders} is not read`), { timeout: 60_000 })
    await its.produce(job.clicks, messages(3, click))
    await service.line(/Inserted 3 /)
    const never = { ...job.env, BRONZE_ROUTES: "never.was=NEVER_RAW" }
    for (const words of [["doctor"], ["status"], ["audit"], ["reset", "never.was", "--to", "earliest"]])
      await start({ ...never, DUCKDB_PATH: join(folder, "never.duckdb"), HTTP_PORT: "0" }, words).exit
    const topics = await other.listTopics()
    assert.notInclude(topics, job.orders)
    assert.notInclude(topics, "never.was")
    await end(service)
    await other.disconnect()
  })
})
