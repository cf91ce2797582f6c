/** The main job against real parts: `bronze-consumer`, Apache Kafka, the Snowflake driver talking to the emulator. */
import { afterAll, afterEach, assert, beforeAll, describe, inject, it } from "vitest"
import { type Emulator, startEmulator } from "../../scripts/emulator/emulator.ts"
import { killAll, start } from "../../scripts/support/bronzeProcess.ts"
import { type Inspect, snowflake } from "../support/Inspect.ts"
import { countRows, makeJob, snowflakeAt } from "../support/Job.ts"
import { click, connect, messages, order, type RealKafka, unique } from "../support/RealKafka.ts"

const kafkaAt = inject("kafka")
let kafka: RealKafka
let emulator: Emulator
let inspect: Inspect

const make = (extra: Record<string, string> = {}) => makeJob(kafka, snowflakeAt(emulator.url), { extra })
const count = (table: string, where?: string) => countRows(inspect, table, where)

beforeAll(async () => {
  kafka = await connect(kafkaAt)
  emulator = await startEmulator()
  inspect = await snowflake(emulator.url, "LAKE")
})
afterEach(killAll)
afterAll(async () => {
  await inspect?.close()
  await kafka?.close()
  await emulator?.stop()
})

describe("the main job on Snowflake", () => {
  it("writes 100 events at once and the rest after 5 seconds, each table by itself", async () => {
    const job = await make()
    const service = start(job.env)
    await service.line(/Consumer initialized: group=group/)
    const sentAt = Date.now()
    await kafka.produce(job.orders, messages(250, order))
    await kafka.produce(job.clicks, messages(30, click))
    await service.count(/Kafka offsets committed/, 4)
    const flushed = service.lines.filter(({ text }) => /INFO - Flushing/.test(text))
    assert.sameMembers(
      flushed.map(({ text }) => text.replace(/^.* - INFO - /, "").replace(/(orders|clicks)_\w+/, "$1")),
      [100, 100, 50].map((n) => `Flushing ${n} orders to Snowflake...`).concat("Flushing 30 clicks to Snowflake...")
    )
    const seconds = flushed.map(({ at, text }) => ({ full: /Flushing 100 /.test(text), after: (at - sentAt) / 1000 }))
    for (const { after, full } of seconds) full ? assert.isBelow(after, 4) : assert.isAbove(after, 4.5)
    assert.strictEqual(await count(job.ordersTable), 250)
    assert.strictEqual(await count(job.clicksTable), 30)
    assert.strictEqual(
      await count(job.ordersTable, "ORDER_ID = 'order-7' AND USER_ID = 7 AND RAW_EVENT:price::FLOAT = 12.99"),
      1
    )
    assert.deepStrictEqual(await kafka.committed(job.group, job.orders), [250])
    assert.deepStrictEqual(await kafka.committed(job.group, job.clicks), [30])
    service.signal("SIGTERM")
    assert.strictEqual(await service.exit, 0, service.output())
  })

  it.each(["SIGTERM", "SIGINT"] as const)(
    "flushes what is pending on %s, commits, leaves the group, exits 0",
    async (signal) => {
      const job = await make({ BATCH_TIMEOUT: "60" })
      const service = start({ ...job.env, LOG_LEVEL: "debug" })
      await service.line(/Assigned/)
      await kafka.produce(job.orders, messages(42, order))
      await service.line(/Fetched 42 /)
      assert.strictEqual(await count(job.ordersTable), 0)
      const stoppedAt = Date.now()
      service.signal(signal)
      assert.strictEqual(await service.exit, 0, service.output())
      assert.isBelow(Date.now() - stoppedAt, 5000)
      assert.strictEqual(await count(job.ordersTable), 42)
      assert.deepStrictEqual(await kafka.committed(job.group, job.orders), [42])
      assert.deepStrictEqual(await kafka.members(job.group), [])
    }
  )

  it("keeps 99 good rows and one dead letter of 100 records with a broken one, and tombstones as rows", async () => {
    const job = await make()
    const service = start(job.env)
    const broken = { key: "bad", value: '{"password": "do-not-log-me", broken' }
    await kafka.produce(job.orders, [...messages(57, order), broken, ...messages(42, order, 57)])
    await service.count(/Kafka offsets committed/, 1)
    assert.strictEqual(await count(job.ordersTable), 99)
    const letters = await inspect.query(`SELECT * FROM BRONZE.DEAD_LETTERS WHERE KAFKA_TOPIC = '${job.orders}'`)
    assert.strictEqual(letters.length, 1)
    assert.strictEqual(letters[0]?.["kafka_offset"], 57)
    assert.strictEqual(letters[0]?.["cause"], "not_json")
    assert.strictEqual(Buffer.from(String(letters[0]?.["payload_base64"]), "base64").toString(), broken.value)
    await service.line(new RegExp(`ERROR - .*topic=${job.orders} partition=0 offset=57`))
    assert.notInclude(service.output(), "do-not-log-me")
    assert.notInclude(service.output(), "s3cret")
    await kafka.produce(job.orders, [{ key: "gone", value: null }])
    await service.count(/Kafka offsets committed/, 2)
    assert.strictEqual(await count(job.ordersTable, "RAW_EVENT IS NULL"), 1)
    service.signal("SIGTERM")
    assert.strictEqual(await service.exit, 0)
  })

  it("sends dead letters to DLQ_TOPIC as well: the original bytes, with cause and coordinates in the headers", async () => {
    const topic = unique("dead.letters")
    await kafka.createTopic(topic)
    const job = await make({ DLQ_TOPIC: topic, BATCH_TIMEOUT: "1" })
    const service = start(job.env)
    const broken = Buffer.from([0x7b, 0xff, 0x7d])
    await kafka.produce(job.orders, [...messages(3, order), { key: "bad", value: broken, headers: { trace: "abc" } }])
    const [letter] = await kafka.read(topic, 1)
    assert.deepStrictEqual(letter?.value, broken)
    assert.strictEqual(letter?.key?.toString(), "bad")
    const headers = Object.fromEntries(
      Object.entries(letter?.headers ?? {}).map(([name, value]) => [name, String(value)])
    )
    assert.deepInclude(headers, {
      ...{ "bronze.cause": "not_utf8", "bronze.topic": job.orders, "bronze.partition": "0", "bronze.offset": "3" },
      "bronze.headers": '{"trace":"abc"}'
    })
    await service.count(/Kafka offsets committed/, 1)
    assert.strictEqual(await count("DEAD_LETTERS", `KAFKA_TOPIC = '${job.orders}'`), 1)
    service.signal("SIGTERM")
    assert.strictEqual(await service.exit, 0, service.output())
  })
})
