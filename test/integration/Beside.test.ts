/** Commands beside a running service that holds the DuckDB file, and what its API refuses. */
import { mkdtemp, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import * as Schema from "effect/Schema"
import kafkajs, { type Admin } from "kafkajs"
import { afterAll, afterEach, assert, beforeAll, describe, inject, it } from "vitest"
import { killAll, start } from "../../scripts/support/bronzeProcess.ts"
import { freePort } from "../../scripts/support/freePort.ts"
import { makeJob } from "../support/Job.ts"
import { click, connect, eventually, messages, order, type RealKafka } from "../support/RealKafka.ts"

let folder: string
let kafka: RealKafka
let admin: Admin

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "bronze-beside-"))
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

const broken = { value: '{"order_id": 42, "status": "new"' }

const decodeSnapshot = Schema.decodeUnknownSync(
  Schema.Struct({
    lag: Schema.NullOr(Schema.Finite),
    pausedTopics: Schema.Array(Schema.String),
    ready: Schema.Struct({ ok: Schema.Boolean, reasons: Schema.Array(Schema.String) })
  })
)
const decodeJson = Schema.decodeUnknownSync(Schema.fromJsonString(Schema.Unknown))

/** A service with 20 rows and a dead letter at offset 20. */
const running = async (name: string, extra: Readonly<Record<string, string>> = {}) => {
  const port = await freePort()
  const sink = { SINK: "duckdb", DUCKDB_PATH: join(folder, `${name}.duckdb`) }
  const job = await makeJob(kafka, sink, { extra: { BATCH_TIMEOUT: "0.5", HTTP_PORT: String(port), ...extra } })
  await kafka.produce(job.orders, [...messages(20, order), broken])
  const service = start(job.env)
  await service.line(/Live page, health and metrics/)
  await service.count(/Kafka offsets committed/, 1)
  const command = async (...words: ReadonlyArray<string>) => {
    const process = start(job.env, words)
    const code = await process.exit
    return { code, output: process.output() }
  }
  const post = async (path: string, body: unknown, headers: Readonly<Record<string, string>> = {}) => {
    const init = {
      method: "POST",
      headers: { "content-type": "application/json", ...headers },
      body: JSON.stringify(body)
    }
    const answer = await fetch(`http://127.0.0.1:${port}${path}`, init)
    return { status: answer.status, text: await answer.text() }
  }
  const get = async (path: string) => {
    const answer = await fetch(`http://127.0.0.1:${port}${path}`)
    return { status: answer.status, body: decodeJson(await answer.text()) }
  }
  return { job, service, command, get, post }
}
const decodeCounts = Schema.decodeUnknownSync(Schema.fromJsonString(Schema.Array(Schema.Struct({ N: Schema.Unknown }))))

describe("beside a service that holds the DuckDB file", () => {
  it("dead letters are listed, shown and replayed, rows are queried, the audit counts, a reset is picked up", async () => {
    const { command, job, service } = await running("beside")
    const list = await command("dlq", "list", "--json")
    assert.strictEqual(list.code, 0, list.output)
    assert.include(list.output, '"offset":20')
    const shown = await command("dlq", "show", job.orders, "0", "20")
    assert.include(shown.output, broken.value)
    const fix = await command("dlq", "replay", job.orders, "0", "20")
    assert.strictEqual(fix.code, 1, "it is not JSON still")
    const audit = await command("audit")
    assert.strictEqual(audit.code, 0, audit.output)

    const counted = async (where = "TRUE") => {
      const { code, output } = await command(
        ...["query", "--json", `SELECT COUNT(*)::INTEGER AS N FROM BRONZE.${job.ordersTable} WHERE ${where}`]
      )
      assert.strictEqual(code, 0, output)
      return Number(decodeCounts(output)[0]?.N)
    }
    assert.strictEqual(await counted(), 20)
    for (const statement of [
      `DELETE FROM BRONZE.${job.ordersTable}`,
      `SELECT 1; DELETE FROM BRONZE.${job.ordersTable}`,
      `COPY (SELECT 1) TO '${join(folder, "x.csv")}'`,
      "SELECT * FROM read_text('/etc/passwd')",
      "ATTACH '/tmp/other.duckdb'",
      "SET enable_external_access = true",
      "PRAGMA database_list; SELECT 1"
    ]) {
      const refused = await command("query", statement)
      assert.strictEqual(refused.code, 1, `${statement}: ${refused.output}`)
      assert.notInclude(refused.output, "root:")
    }
    assert.strictEqual(await counted(), 20)

    const reset = await command("reset", job.orders, "--to", "earliest")
    assert.strictEqual(reset.code, 0, reset.output)
    // It learns of that with its next write.
    await kafka.produce(job.orders, messages(1, order, 20))
    await service.line(/Reading the ledger again/)
    await service.count(/Kafka offsets committed/, 2, 60_000)
    assert.strictEqual(await counted("KAFKA_OFFSET = 0"), 2)
    service.signal("SIGTERM")
    assert.strictEqual(await service.exit, 0, service.output())
  })

  it("a repaired event is replayed over the API once; nobody else may", async () => {
    const { command, job, post, service } = await running("repaired", { HTTP_TOKEN: "s3cret" })
    const at = `${job.orders}/0@20`
    const token = { authorization: "Bearer s3cret" }
    assert.strictEqual((await post("/api/replay", { at })).status, 401)
    assert.strictEqual((await post("/api/replay", { at }, { ...token, origin: "http://evil.example" })).status, 403)
    assert.strictEqual((await post("/api/replay", { at }, { ...token, "content-type": "text/plain" })).status, 415)
    assert.strictEqual((await post("/api/replay", { at: "no place" }, token)).status, 400)
    const failed = await post("/api/replay", { at }, token)
    assert.strictEqual(failed.status, 200, failed.text)
    assert.include(failed.text, '"failed":1')
    const payload = '{"order_id":"42","status":"new"}'
    const repaired = await post("/api/replay", { at, payload }, token)
    assert.include(repaired.text, '"replayed":1')
    const again = await post("/api/replay", { at, payload }, token)
    assert.include(again.text, '"before":1')
    const { output } = await command(
      "query",
      "--csv",
      `SELECT RAW_EVENT FROM BRONZE.${job.ordersTable} WHERE KAFKA_OFFSET = 20`
    )
    assert.include(output, '"{""order_id"":""42"",""status"":""new""}"')
    service.signal("SIGTERM")
    assert.strictEqual(await service.exit, 0, service.output())
    const audit = await command("audit")
    assert.strictEqual(audit.code, 0, audit.output)
  })

  it("a topic is paused and resumed, through a rebalance, while the other is read and the lag counts", async () => {
    const { get, job, post, service } = await running("paused")
    assert.strictEqual((await post("/api/topics/pause", { topic: "nowhere" })).status, 404)
    const paused = await post("/api/topics/pause", { topic: job.orders })
    assert.deepStrictEqual(decodeJson(paused.text), { pausedTopics: [job.orders] })
    await kafka.produce(job.orders, messages(5, order, 20))
    await kafka.produce(job.clicks, messages(5, click))
    await service.count(/Kafka offsets committed/, 2)
    const snapshot = async () => decodeSnapshot((await get("/api/snapshot")).body)
    const lagging = await eventually(snapshot, ({ lag }) => lag === 5)
    assert.deepStrictEqual(lagging.pausedTopics, [job.orders])
    assert.deepStrictEqual(lagging.ready, { ok: true, reasons: [`topic ${job.orders} is paused by request`] })

    // A new partition of the other topic makes the group assign all of them anew.
    await admin.createPartitions({ topicPartitions: [{ topic: job.clicks, count: 2 }] })
    await service.line(/Assigned 3 partitions/, { timeout: 90_000 })
    await kafka.produce(job.clicks, messages(5, click, 5))
    await service.count(/Kafka offsets committed/, 3)
    assert.strictEqual((await eventually(snapshot, ({ lag }) => lag === 5)).lag, 5)
    assert.strictEqual((await get(`/api/row?at=${job.orders}/0@25`)).status, 404)

    await post("/api/topics/resume", { topic: job.orders })
    const done = await eventually(snapshot, ({ lag }) => lag === 0)
    assert.deepStrictEqual(done.pausedTopics, [])
    assert.deepStrictEqual((await get(`/api/row?at=${job.orders}/0@25`)).status, 200)
    service.signal("SIGTERM")
    assert.strictEqual(await service.exit, 0, service.output())
  })
})
