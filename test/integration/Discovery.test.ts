/**
 * Topics that a template in BRONZE_ROUTES leads to: found while the service runs, from their first record on, each record
 * once; a table that is missing holds back its own topic only.
 */
import { mkdtemp, rm, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterAll, assert, beforeAll, describe, inject, it } from "vitest"
import { type Emulator, startEmulator } from "../../scripts/emulator/emulator.ts"
import { type BronzeProcess, killAll, start } from "../../scripts/support/bronzeProcess.ts"
import { freePort } from "../../scripts/support/freePort.ts"
import { duckDb, type Inspect, snowflake } from "../support/Inspect.ts"
import { complete, coverage, snowflakeAt, streamingAt } from "../support/Job.ts"
import { connect, eventually, messages, order, type RealKafka, unique } from "../support/RealKafka.ts"

let folder: string
let emulator: Emulator
let kafka: RealKafka

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "bronze-discovery-"))
  emulator = await startEmulator({ dataDir: join(folder, "snowflake") })
  kafka = await connect(inject("kafka"))
})
afterAll(async () => {
  killAll()
  await kafka?.close()
  await emulator?.stop()
  await rm(folder, { recursive: true, force: true })
})

interface Grown {
  readonly env: Readonly<Record<string, string>>
  readonly group: string
  readonly topic: (name: string) => string
  readonly table: (name: string) => string
}

const grown = (sink: Readonly<Record<string, string>>, extra: Readonly<Record<string, string>> = {}): Grown => {
  const prefix = unique("grow")
  const id = prefix.slice(-8).toUpperCase()
  const group = unique("group")
  return {
    group,
    topic: (name) => `${prefix}.${name}`,
    table: (name) => `G${id}_${name.toUpperCase()}`,
    env: {
      KAFKA_BOOTSTRAP_SERVERS: kafka.bootstrap,
      CONSUMER_GROUP_ID: group,
      BRONZE_ROUTES: `${prefix}.{name}=G${id}_{NAME}(ORDER_ID=order_id)`,
      BATCH_TIMEOUT: "0.3",
      ...sink,
      ...extra
    }
  }
}

const committed = (job: Grown, name: string, offsets: ReadonlyArray<number>, service?: BronzeProcess) =>
  eventually(
    () => kafka.committed(job.group, job.topic(name)),
    (found) => JSON.stringify(found) === JSON.stringify(offsets),
    60_000
  ).catch((error: Error) => {
    throw new Error(`${error.message}, and not ${offsets}\n${service?.output().slice(-4000) ?? ""}`)
  })

const stop = async (service: BronzeProcess) => {
  service.signal("SIGTERM")
  assert.strictEqual(await service.exit, 0, service.output())
}

const sinks: ReadonlyArray<
  readonly [name: string, () => { env: Readonly<Record<string, string>>; inspect: () => Promise<Inspect> }]
> = [
  [
    "DuckDB",
    () => {
      const path = join(folder, `${unique("grow")}.duckdb`)
      return { env: { SINK: "duckdb", DUCKDB_PATH: path }, inspect: () => duckDb(path) }
    }
  ],
  ["Snowflake", () => ({ env: snowflakeAt(emulator.url), inspect: () => snowflake(emulator.url, "LAKE") })],
  [
    "Snowflake over the streaming API",
    () => ({
      env: { ...streamingAt(emulator.url), SNOWFLAKE_WAREHOUSE: "LOAD" },
      inspect: () => snowflake(emulator.url, "LAKE")
    })
  ]
]

// Most of their time is waiting for the next look at the topics.
describe.concurrent("a topic that appears while the service runs", () => {
  for (const [name, sink] of sinks)
    it(`gets its table in ${name} and lands from its first record on, beside one that is read`, async () => {
      const { env, inspect } = sink()
      // What was in a topic before it was found is not skipped.
      const job = grown(env, { AUTO_CREATE_TABLES: "true", AUTO_OFFSET_RESET: "latest" })
      const service = start(job.env)
      await service.line(/Consumer initialized/)
      await kafka.createTopic(job.topic("one"), 2)
      await kafka.produce(job.topic("one"), messages(50, order))
      await service.line(/Found topic .*\.one -> /, { timeout: 30_000 })
      const [first = 0, second = 0] = await kafka.ends(job.topic("one"))
      assert.strictEqual(first + second, 50)
      await committed(job, "one", [first, second])
      await kafka.createTopic(job.topic("order-items"))
      let sent = 50
      // It goes on meanwhile: the flow that ends for the new topic has events in hand.
      while (!service.output().includes("order-items -> ")) {
        await kafka.produce(job.topic("one"), messages(10, order, sent))
        await kafka.produce(job.topic("order-items"), messages(10, order, sent))
        sent += 10
      }
      const ends = await kafka.ends(job.topic("one"))
      const items = await kafka.ends(job.topic("order-items"))
      await committed(job, "one", ends, service)
      await committed(job, "order-items", items, service)
      await stop(service)
      const seen = await inspect()
      assert.deepStrictEqual(await coverage(seen, job.table("one")), complete(ends))
      assert.deepStrictEqual(await coverage(seen, job.table("order_items")), complete(items))
      const [{ n } = {}] = await seen.query(
        `SELECT COUNT(ORDER_ID) AS N FROM BRONZE.${job.table("order_items")} WHERE KAFKA_TOPIC LIKE '%order-items'`
      )
      assert.strictEqual(Number(n), items[0], "typed columns are those of the template")
      await seen.close()
      const audit = start(job.env, ["audit"])
      assert.strictEqual(await audit.exit, 0, audit.output())
      assert.include(audit.output(), job.topic("order-items"))
    })

  it("waits for its table, which init creates, and keeps no other topic waiting", async () => {
    const job = grown(snowflakeAt(emulator.url))
    await kafka.createTopic(job.topic("one"))
    const init = () => start(job.env, ["init"])
    const created = init()
    assert.strictEqual(await created.exit, 0, created.output())
    assert.include(created.output(), `Created: ${job.table("one")}`)
    const service = start(job.env)
    await service.line(/Assigned 1 partition/)
    await kafka.createTopic(job.topic("two"))
    await kafka.produce(job.topic("two"), messages(5, order))
    const line = await service.line(/ERROR - Topic .*\.two is not read/, { timeout: 30_000 })
    assert.match(
      line.text,
      /table .*_TWO.* is missing or not visible: set AUTO_CREATE_TABLES=true, or bronze-consumer init/
    )
    await kafka.produce(job.topic("one"), messages(5, order))
    await committed(job, "one", [5])
    assert.strictEqual(await init().exit, 0)
    await committed(job, "two", [5])
    await stop(service)
    const inspect = await snowflake(emulator.url, "LAKE")
    assert.deepStrictEqual(await coverage(inspect, job.table("two")), complete([5]))
    await inspect.close()
  })

  it("is shared by the members of a group, each of which finds it", async () => {
    const job = grown(snowflakeAt(emulator.url), { AUTO_CREATE_TABLES: "true" })
    await kafka.createTopic(job.topic("one"), 4)
    const members = [start(job.env), start(job.env)]
    await Promise.all(members.map((member) => member.line(/Assigned 2 partitions/, { timeout: 60_000 })))
    await kafka.createTopic(job.topic("two"), 4)
    for (let sent = 0; sent < 200; sent += 20) {
      await kafka.produce(job.topic("one"), messages(20, order, sent))
      await kafka.produce(job.topic("two"), messages(20, order, sent))
    }
    await Promise.all(members.map((member) => member.line(/Assigned 4 partitions: .*two/, { timeout: 60_000 })))
    const ends = { one: await kafka.ends(job.topic("one")), two: await kafka.ends(job.topic("two")) }
    await committed(job, "one", ends.one)
    await committed(job, "two", ends.two)
    await Promise.all(members.map(stop))
    const inspect = await snowflake(emulator.url, "LAKE")
    assert.deepStrictEqual(await coverage(inspect, job.table("one")), complete(ends.one))
    assert.deepStrictEqual(await coverage(inspect, job.table("two")), complete(ends.two))
    await inspect.close()
  })

  it("ends nothing when it is deleted at once, nor when a table of others went missing before", async () => {
    const port = String(await freePort())
    const job = grown(snowflakeAt(emulator.url), { HTTP_PORT: port })
    const fixed = unique("fixed")
    const table = job.table("fixed")
    const env = { ...job.env, BRONZE_ROUTES: `${job.env["BRONZE_ROUTES"]}, ${fixed}=${table}` }
    await kafka.createTopic(job.topic("one"))
    await kafka.createTopic(fixed)
    assert.strictEqual(await start(env, ["init"]).exit, 0)
    const service = start(env)
    await service.line(/Assigned 2 partitions/)
    await kafka.produce(job.topic("one"), messages(5, order))
    await committed(job, "one", [5])
    const inspect = await snowflake(emulator.url, "LAKE")
    await inspect.query(`DROP TABLE BRONZE.${table}`)
    // A client of kafkajs fails in whatever it does once a topic is gone that it has known.
    const other = await connect(inject("kafka"))
    await other.createTopic(job.topic("two"))
    await service.line(/ERROR - Topic fixed.* is not read: table .* is missing/, { timeout: 30_000 })
    await other.deleteTopic(job.topic("two"))
    await other.close()
    await kafka.produce(job.topic("one"), messages(5, order, 5))
    await committed(job, "one", [10])
    const metrics = await (await fetch(`http://127.0.0.1:${port}/metrics`)).text()
    assert.include(metrics, `bronze_rows_written_total{table="${job.table("one")}"} 10`, "counted since the start")
    assert.strictEqual(await start(env, ["init"]).exit, 0)
    await kafka.produce(fixed, messages(5, order))
    await eventually(
      () => kafka.committed(job.group, fixed),
      (found) => found[0] === 5,
      60_000
    )
    await stop(service)
    assert.deepStrictEqual(await coverage(inspect, table), complete([5]))
    assert.deepStrictEqual(await coverage(inspect, job.table("one")), complete([10]))
    await inspect.close()
  })

  it("is waited for where there is none yet, and is not missed when it is deleted", async () => {
    const path = join(folder, `${unique("grow")}.duckdb`)
    const port = await freePort()
    const job = grown({ SINK: "duckdb", DUCKDB_PATH: path }, { AUTO_CREATE_TABLES: "true", HTTP_PORT: String(port) })
    const service = start(job.env)
    const ready = () =>
      fetch(`http://127.0.0.1:${port}/readyz`).then(
        (answer) => answer.text(),
        () => "no answer"
      )
    const isReady = (answer: string) => answer === `{"ok":true,"reasons":[]}`
    await service.line(/There is no topic to read yet/)
    await eventually(ready, isReady)
    const other = await connect(inject("kafka"))
    await other.createTopic(job.topic("one"))
    await service.line(/Assigned 1 partition: .*one/, { timeout: 30_000 })
    await other.produce(job.topic("one"), [{ value: "one" }, { value: "two" }])
    await service.line(/Kafka offsets committed/)
    await other.deleteTopic(job.topic("one"))
    await other.close()
    await service.count(/There is no topic to read yet/, 2)
    await eventually(ready, isReady)
    const audit = start(job.env, ["audit"])
    assert.strictEqual(await audit.exit, 0, audit.output())
    // Its dead letters wait all the same, beside the service and without it.
    const repaired = join(folder, `${unique("repaired")}.json`)
    await writeFile(repaired, order(1))
    const replay = async (offset: number) => {
      const command = start(job.env, ["dlq", "replay", `${job.topic("one")}/0@${offset}`, "--payload", repaired])
      assert.strictEqual(await command.exit, 0, command.output())
    }
    await replay(0)
    await stop(service)
    await replay(1)
    const inspect = await duckDb(path)
    assert.deepStrictEqual(await coverage(inspect, job.table("one")), complete([2]))
    await inspect.close()
  })
})
