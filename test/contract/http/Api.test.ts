/**
 * The API of the real service on a real DuckDB file, as the page and curl use it; Kafka is unreachable, and none of this
 * needs it.
 */
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import { type BronzeProcess, killAll, start } from "../../../scripts/support/bronzeProcess.ts"
import { freePort } from "../../../scripts/support/freePort.ts"
import * as Layers from "../../../src/app/Layers.ts"
import * as Batch from "../../../src/domain/Batch.ts"
import * as Settings from "../../../src/settings/Settings.ts"
import { Warehouse } from "../../../src/warehouse/Warehouse.ts"
import { route, row } from "../../support/Outcomes.ts"
import { letter } from "../../support/warehouse/batches.ts"

const home = mkdtempSync(join(tmpdir(), "bronze-api-"))
const text = "raw.orders.v1=ORDERS_RAW(ORDER_ID=order_id)"
const { table, topic } = route(text)
const broken = '{"order_id": 42, "status": "new"'
const event = '{"order_id":"o-0"}'
const base64 = (payload: string) => Buffer.from(payload).toString("base64")
const decode = Schema.decodeUnknownSync(Schema.fromJsonString(Schema.Unknown))

let service: BronzeProcess
let port: number
let env: Record<string, string>

/** Offset 0 is a row; 1 is not JSON, 2 decodes by now. */
const seed = Effect.gen(function* () {
  const { claim, init, write } = yield* Warehouse
  yield* init
  const [entry] = yield* claim([{ topic, partition: 0, offset: 0 }], "member")
  yield* write(
    Batch.make({
      table,
      outcomes: [
        row({ event, columns: ["o-0"] }),
        letter({ offset: 1, key: "Key-1", payload: base64(broken), message: "Unexpected end" }),
        letter({ offset: 2, cause: "refused", payload: base64('{"order_id":"o-2"}'), message: "refused" })
      ],
      trigger: "time",
      claimed: () => entry ?? { epoch: 0, next: 0 }
    })
  )
})

beforeAll(async () => {
  port = await freePort()
  env = {
    ...{ SINK: "duckdb", DUCKDB_PATH: join(home, "api.duckdb"), BRONZE_ROUTES: text },
    ...{ KAFKA_BOOTSTRAP_SERVERS: "127.0.0.1:1", HTTP_PORT: String(port), LOG_FILE: "" }
  }
  await Effect.runPromise(
    seed.pipe(
      Effect.provide(Layer.fresh(Layers.warehouse)),
      Effect.provide(Settings.layer),
      Effect.provide(Settings.environment(env))
    )
  )
  service = start(env)
  await service.line(/Live page, health and metrics/)
})
afterAll(() => {
  killAll()
  rmSync(home, { recursive: true, force: true })
})

const answer = async (response: Response) => {
  const said = await response.text()
  return {
    status: response.status,
    body: /json/.test(response.headers.get("content-type") ?? "") ? decode(said) : said
  }
}
const get = async (path: string) => answer(await fetch(`http://127.0.0.1:${port}${path}`))
const post = async (path: string, body: unknown, headers: Readonly<Record<string, string>> = {}) =>
  answer(
    await fetch(`http://127.0.0.1:${port}${path}`, {
      method: "POST",
      headers: { "content-type": "application/json", ...headers },
      body: JSON.stringify(body)
    })
  )

describe("the API", () => {
  it("lists dead letters without payloads, by what is asked", async () => {
    const all = await get(`/api/dead-letters?topic=${topic}`)
    assert.strictEqual(all.status, 200)
    assert.nestedInclude(all.body, { "letters.length": 2, more: false, "letters[0].offset": 1 })
    assert.notNestedProperty(all.body, "letters[0].payload")
    for (const [query, count] of [
      ["cause=refused", 1],
      ["search=kEY-1", 1],
      ["search=unexpected", 1],
      ["search=%25", 0],
      ["search=' OR 1=1 --", 0],
      ["since=2026-02-07", 2],
      ["until=2026-02-07T10:30:00Z", 0],
      ["topic=other", 0]
    ] as const)
      assert.nestedInclude((await get(`/api/dead-letters?${query}`)).body, { "letters.length": count }, query)
    assert.nestedInclude((await get("/api/dead-letters?limit=1")).body, { "letters.length": 1, more: true })
    for (const query of ["limit=0", "limit=many", "since=yesterday"])
      assert.strictEqual((await get(`/api/dead-letters?${query}`)).status, 400, query)
  })

  it("shows one with its payload and the place of the fault", async () => {
    const { body } = await get(`/api/dead-letter?at=${topic}/0@1`)
    assert.nestedInclude(body, { "letter.offset": 1, "letter.cause": "not_json", "letter.key": "Key-1" })
    assert.nestedInclude(body, { "letter.text": broken, "letter.base64": base64(broken) })
    assert.nestedInclude(body, { "letter.hint": "the JSON ends too early, at byte 32" })
    assert.strictEqual((await get(`/api/dead-letter?at=${topic}/0@0`)).status, 404)
    assert.strictEqual((await get("/api/dead-letter?at=somewhere")).status, 400)
  })

  it("gives the row of a record, and 404 while there is none", async () => {
    const { body } = await get(`/api/row?at=${topic}/0@0`)
    assert.nestedInclude(body, { "row.table": "ORDERS_RAW", "row.columns.RAW_EVENT": event })
    assert.deepStrictEqual(await get(`/api/row?at=${topic}/0@9`), {
      status: 404,
      body: { error: `there is no row of ${topic}/0@9 in ORDERS_RAW` }
    })
    assert.strictEqual((await get("/api/row?at=other/0@0")).status, 404)
  })

  it("answers what reads, and nothing else", async () => {
    const sql = "SELECT KAFKA_OFFSET AS N FROM BRONZE.DEAD_LETTERS ORDER BY 1"
    assert.deepStrictEqual(await post("/api/query", { sql, limit: 1 }), {
      status: 200,
      body: { columns: ["N"], rows: [["1"]], truncated: true }
    })
    for (const statement of [
      "DELETE FROM BRONZE.ORDERS_RAW",
      "EXPLAIN ANALYZE DELETE FROM BRONZE.ORDERS_RAW",
      "WITH a AS (SELECT 1) DELETE FROM BRONZE.ORDERS_RAW",
      "SELECT 1; DELETE FROM BRONZE.ORDERS_RAW",
      "COMMIT",
      "SET enable_external_access = true",
      `COPY (SELECT 1) TO '${join(home, "x.csv")}'`,
      "SELECT * FROM read_text('/etc/hostname')",
      "SELECT * FROM glob('/*')",
      "ATTACH '/tmp/other.duckdb'"
    ]) {
      const refused = await post("/api/query", { sql: statement })
      assert.strictEqual(refused.status, 422, statement)
      assert.nestedProperty(refused.body, "error")
    }
    assert.deepInclude(await get(`/api/row?at=${topic}/0@0`), { status: 200 })
    assert.match(
      JSON.stringify((await post("/api/query", { sql: "SELECT nothing FROM BRONZE.ORDERS_RAW" })).body),
      /Referenced column .*nothing/
    )
  })

  it("takes no POST from a page of another origin, nor one that a form can send", async () => {
    const asked = { at: `${topic}/0@2` }
    assert.strictEqual((await post("/api/replay", asked, { origin: "http://evil.example" })).status, 403)
    assert.strictEqual((await post("/api/replay", asked, { "content-type": "text/plain" })).status, 415)
    assert.strictEqual((await post("/api/snapshot", asked)).status, 405)
  })

  it("replays a dead letter once, and counts what is stored", async () => {
    const asked = { at: `${topic}/0@2` }
    assert.nestedInclude((await post("/api/replay", { ...asked, dryRun: true })).body, { would: 1, replayed: 0 })
    assert.nestedInclude((await post("/api/replay", asked)).body, { replayed: 1, before: 0 })
    assert.nestedInclude((await post("/api/replay", asked)).body, { replayed: 0, before: 1 })
    assert.strictEqual((await post("/api/replay", { at: `${topic}/0@7` })).status, 404)
    assert.nestedInclude((await get("/api/stored")).body, {
      ...{ "tables[0].table": "ORDERS_RAW", "tables[0].rows": 2, pendingDeadLetters: 1 }
    })
  })

  it("pauses and resumes a topic, and the snapshot and the probes say so", async () => {
    assert.strictEqual((await post("/api/topics/pause", { topic: "other" })).status, 404)
    assert.deepStrictEqual((await post("/api/topics/pause", { topic })).body, { pausedTopics: [topic] })
    assert.nestedInclude((await get("/api/snapshot")).body, { "pausedTopics[0]": topic })
    assert.include(JSON.stringify((await get("/readyz")).body), `topic ${topic} is paused by request`)
    assert.deepStrictEqual((await post("/api/topics/resume", { topic })).body, { pausedTopics: [] })
  })

  it("serves the commands while the service holds the file", async () => {
    const command = async (...words: ReadonlyArray<string>) => {
      const process = start(env, words)
      return { code: await process.exit, output: process.output() }
    }
    const list = await command("dlq", "list", "--json")
    assert.deepStrictEqual([list.code, /"offset":1,/.test(list.output)], [0, true], list.output)
    const query = await command("query", "--csv", "SELECT COUNT(*) AS N FROM BRONZE.ORDERS_RAW")
    assert.deepStrictEqual([query.code, query.output.split(/\r?\n/).slice(0, 2)], [0, ["N", "2"]], query.output)
    const refused = await command("query", "DROP TABLE BRONZE.ORDERS_RAW")
    assert.strictEqual(refused.code, 1, refused.output)
  })

  it("tells every point in time as ISO 8601 text, and nothing else", async () => {
    const paths = ["snapshot", "stored", "dead-letters", `dead-letter?at=${topic}/0@1`]
    const answers = await Promise.all([
      ...paths.map((path) => get(`/api/${path}`)),
      post("/api/warehouse/deadLetters", { filter: { limit: 10, since: "2026-02-07T10:30:00.000Z" } })
    ])
    for (const { body, status } of answers) {
      assert.strictEqual(status, 200)
      const leaves: Array<readonly [name: string, value: unknown]> = []
      JSON.stringify(body, (name, value: unknown) => {
        leaves.push([name, value])
        return value
      })
      assert.deepStrictEqual(
        leaves.filter(([, value]) => typeof value === "number" && value > 1e12),
        []
      )
      const times = leaves.filter(([name, value]) => /^(at|timestamp)$|At$/.test(name) && value !== null)
      for (const [, value] of times) assert.match(String(value), /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/)
      assert.isAbove(times.length, 0)
    }
  })

  it("lets status count what the tables hold, also what was there before the service started", async () => {
    const status = start(env, ["status", "--json"])
    assert.strictEqual(await status.exit, 1, "Kafka is unreachable")
    const report = decode(status.output())
    assert.nestedInclude(report, { "service.url": `http://127.0.0.1:${port}`, "tables[0].table": "ORDERS_RAW" })
    const { tables } = Object(report)
    const { body } = await post("/api/warehouse/summary", {})
    assert.deepStrictEqual(tables, body)
    assert.isAtLeast(tables[0].rows, 1)
    assert.match(tables[0].lastWriteAt, /^\d{4}-\d\d-\d\dT[\d:.]+Z$/)
    const shown = start(env, ["status"])
    await shown.exit
    assert.match(shown.output(), /^Answered by the service at http:\S+, which holds the file and started \d+ s ago$/m)
  })

  it("sends the same safe headers with every answer, a refusal too", async () => {
    const url = `http://127.0.0.1:${port}`
    const answers = await Promise.all([
      ...["/", "/page/app.js", "/livez", "/readyz", "/metrics", "/api/snapshot", "/api/stored", "/nowhere"].map(
        (path) => fetch(url + path)
      ),
      fetch(`${url}/api/dead-letters?limit=0`),
      fetch(`${url}/api/query`, { method: "POST", body: "SELECT 1" }),
      fetch(`${url}/api/query`, { method: "POST", headers: { "content-type": "application/json" }, body: "SELECT 1" }),
      fetch(`${url}/api/snapshot`, { method: "DELETE" })
    ])
    assert.deepStrictEqual(
      answers.slice(-5).map(({ status }) => status),
      [404, 400, 415, 400, 405]
    )
    for (const { headers, url } of answers) {
      assert.strictEqual(headers.get("cache-control"), "no-store", url)
      assert.strictEqual(headers.get("x-content-type-options"), "nosniff", url)
      assert.strictEqual(headers.get("referrer-policy"), "no-referrer", url)
      assert.match(headers.get("content-security-policy") ?? "", /default-src 'self'.*frame-ancestors 'none'/, url)
    }
    await Promise.all(answers.map((response) => response.body?.cancel()))
  })

  it("has one place and one limit for queries", async () => {
    const sql = "SELECT * FROM range(100001)"
    const lengthOf = async (limit?: number) => {
      const { body } = await post("/api/query", { sql, ...(limit !== undefined && { limit }) })
      return Object(body).rows?.length
    }
    assert.deepStrictEqual(
      [await lengthOf(), await lengthOf(100_000), await lengthOf(100_001)],
      [100, 100_000, undefined]
    )
    assert.strictEqual((await post("/api/query", { sql, limit: 0 })).status, 400)
    assert.strictEqual((await post("/api/warehouse/query", { sql, limit: 1 })).status, 404)
    const command = start(env, ["query", "SELECT 42 AS ANSWER", "--json"])
    assert.strictEqual(await command.exit, 0, command.output())
    assert.include(command.output(), '"ANSWER"')
  })
})
