/** The service over the streaming API: rows without a virtual warehouse, once over a restart, and again after a reset. */
import * as Schema from "effect/Schema"
import { afterAll, afterEach, assert, beforeAll, describe, inject, it } from "vitest"
import { type Emulator, startEmulator } from "../../scripts/emulator/emulator.ts"
import { killAll, start } from "../../scripts/support/bronzeProcess.ts"
import { type Inspect, snowflake } from "../support/Inspect.ts"
import { countRows, makeJob, streamingAt } from "../support/Job.ts"
import { connect, messages, order, type RealKafka } from "../support/RealKafka.ts"

let kafka: RealKafka
let emulator: Emulator
let inspect: Inspect

beforeAll(async () => {
  kafka = await connect(inject("kafka"))
  emulator = await startEmulator()
  inspect = await snowflake(emulator.url, "LAKE")
})
afterEach(killAll)
afterAll(async () => {
  await inspect?.close()
  await kafka?.close()
  await emulator?.stop()
})

const command = async (env: Readonly<Record<string, string>>, ...words: ReadonlyArray<string>) => {
  const running = start(env, words)
  return { code: await running.exit, output: running.output() }
}

const decodeStatus = Schema.decodeUnknownSync(
  Schema.fromJsonString(
    Schema.Struct({
      lag: Schema.Int,
      partitions: Schema.Array(Schema.Struct({ topic: Schema.String, source: Schema.String })),
      tables: Schema.Array(Schema.Unknown),
      notes: Schema.Array(Schema.String)
    })
  )
)

/** What `status --json` says of a topic. */
const status = (output: string, of: string) => {
  const { lag, notes, partitions, tables } = decodeStatus(output)
  const sources = partitions.filter(({ topic }) => topic === of).map(({ source }) => source)
  return { lag, notes, tables: tables.length, sources }
}

describe("the service over the streaming API", () => {
  it("lands each record once over a stop and a kill, and again after a reset, for which it has to be stopped", async () => {
    // Who is killed is missed soon.
    const extra = { BATCH_TIMEOUT: "0.5", KAFKA_SESSION_TIMEOUT: "3" }
    const job = await makeJob(kafka, streamingAt(emulator.url), { partitions: 2, extra })
    const rows = () => countRows(inspect, job.ordersTable)
    await kafka.produce(job.orders, messages(300, order))
    const first = start(job.env)
    await first.line(/Kafka offsets committed/, { timeout: 60_000 })
    first.signal("SIGTERM")
    assert.strictEqual(await first.exit, 0, first.output())
    await kafka.produce(job.orders, messages(300, order, 300))
    const second = start(job.env)
    await second.line(/Inserted \d+ orders/, { timeout: 60_000 })
    second.signal("SIGKILL")
    await second.exit
    const third = start(job.env)
    await third.line(/Assigned 3 partitions/, { timeout: 60_000 })

    const early = await command(job.env, "reset", job.orders, "--to", "earliest")
    assert.strictEqual(early.code, 1, early.output)
    third.signal("SIGTERM")
    assert.strictEqual(await third.exit, 0, third.output())
    assert.strictEqual(await rows(), 600)

    const sql = { ...job.env, SNOWFLAKE_WAREHOUSE: "LOAD" }
    const awake = await command(sql, "status", "--json")
    assert.deepInclude(status(awake.output, job.orders), { lag: 0, tables: 3, notes: [] })
    const audit = await command(sql, "audit")
    assert.strictEqual(audit.code, 0, audit.output)
    // What Kafka does not know of, the tokens do.
    await kafka.commit(job.group, job.orders, 2, 1)
    const forgotten = await command(job.env, "status", "--json")
    assert.deepInclude(status(forgotten.output, job.orders), { lag: 0, sources: ["channel", "channel"] })
    const dry = await command(job.env, "reset", job.orders, "--to", "earliest", "--dry-run")
    assert.strictEqual(dry.code, 0, dry.output)
    const reset = await command(job.env, "reset", job.orders, "--to", "earliest")
    assert.strictEqual(reset.code, 0, reset.output)
    const fourth = start(job.env)
    await fourth.count(/Kafka offsets committed/, 1)
    fourth.signal("SIGTERM")
    assert.strictEqual(await fourth.exit, 0, fourth.output())
    assert.strictEqual(await rows(), 1200)
    const twice = await command(sql, "audit")
    assert.strictEqual(twice.code, 1, twice.output)
    assert.include(twice.output, "stored more than once")
  })

  it("takes over from the SQL writer at its last commit, and back again only with a reset", async () => {
    const streaming = streamingAt(emulator.url)
    const job = await makeJob(kafka, streaming, { extra: { BATCH_TIMEOUT: "0.5" } })
    const sql = { ...job.env, SNOWFLAKE_WRITER: "sql", SNOWFLAKE_WAREHOUSE: "LOAD" }
    const run = async (env: Readonly<Record<string, string>>, from: number) => {
      await kafka.produce(job.orders, messages(100, order, from))
      const service = start(env)
      await service.line(/Kafka offsets committed/, { timeout: 60_000 })
      service.signal("SIGTERM")
      assert.strictEqual(await service.exit, 0, service.output())
    }
    await run(sql, 0)
    await run(job.env, 100)
    assert.strictEqual(await countRows(inspect, job.ordersTable), 200)

    const back = start(sql)
    await back.line(/The ledger is out of date: .*--to committed/, { timeout: 60_000 })
    back.signal("SIGTERM")
    assert.strictEqual(await back.exit, 0, back.output())
    const reset = await command(sql, "reset", job.orders, "--to", "committed")
    assert.strictEqual(reset.code, 0, reset.output)
    await run(sql, 200)
    assert.strictEqual(await countRows(inspect, job.ordersTable), 300)
  })
})
