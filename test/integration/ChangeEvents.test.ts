/** The change events of a real Debezium: whole in RAW_EVENT, their rows in the typed columns, and the query of the how-to over them. */
import { mkdtemp, readFile, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterAll, afterEach, assert, beforeAll, describe, inject, it } from "vitest"
import { type Emulator, startEmulator } from "../../scripts/emulator/emulator.ts"
import { killAll, start } from "../../scripts/support/bronzeProcess.ts"
import * as Recorded from "../support/cdc/Recorded.ts"
import { duckDb, type Inspect, snowflake } from "../support/Inspect.ts"
import { snowflakeAt, streamingAt } from "../support/Job.ts"
import { connect, eventually, type RealKafka, unique } from "../support/RealKafka.ts"

let folder: string
let emulator: Emulator
let kafka: RealKafka
let guide: string

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "bronze-cdc-"))
  emulator = await startEmulator({ dataDir: join(folder, "snowflake") })
  kafka = await connect(inject("kafka"))
  guide = await readFile(new URL("../../docs/how-to/cdc.md", import.meta.url), "utf8")
})
afterEach(killAll)
afterAll(async () => {
  await kafka?.close()
  await emulator?.stop()
  await rm(folder, { recursive: true, force: true })
})

const sinks: ReadonlyArray<
  readonly [name: string, tombstones: string, env: () => Record<string, string>, inspect: () => Promise<Inspect>]
> = [
  [
    "DuckDB",
    "skip",
    () => ({ SINK: "duckdb", DUCKDB_PATH: join(folder, "cdc.duckdb") }),
    () => duckDb(join(folder, "cdc.duckdb"))
  ],
  ["Snowflake", "insert", () => snowflakeAt(emulator.url), () => snowflake(emulator.url, "LAKE")],
  [
    "Snowflake over the streaming API",
    "insert",
    () => ({ ...streamingAt(emulator.url), SNOWFLAKE_WAREHOUSE: "LOAD" }),
    () => snowflake(emulator.url, "LAKE")
  ]
]

describe("change events", () => {
  for (const [name, tombstones, env, inspectOf] of sinks)
    it(`land in ${name}, and a query says what the table is now`, async () => {
      const topic = unique("shop.public.orders")
      const table = `CDC_${topic.slice(-8).toUpperCase()}`
      const group = unique("group")
      const route = /^BRONZE_ROUTES=shop\.public\.orders=ORDERS_CDC(.*)$/m.exec(guide)?.[1]
      const query = /```sql\n([\s\S]*?);\n```/.exec(guide)?.[1]
      assert.isDefined(query)
      const service = {
        KAFKA_BOOTSTRAP_SERVERS: kafka.bootstrap,
        CONSUMER_GROUP_ID: group,
        BRONZE_ROUTES: `${topic}=${table}${route}`,
        ...{ BATCH_TIMEOUT: "0.3", AUTO_CREATE_TABLES: "true", TOMBSTONES: tombstones },
        ...env()
      }
      const events = Recorded.named("full", ".orders")
      const isKept = ({ value }: Recorded.Recorded) => value !== null || tombstones === "insert"
      await kafka.createTopic(topic)
      await kafka.produce(
        topic,
        events.map(({ headers, key, value }) => ({ key, value, headers }))
      )
      const running = start(service)
      await eventually(
        () => kafka.committed(group, topic),
        ([offset]) => offset === events.length,
        30_000
      )
      running.signal("SIGTERM")
      assert.strictEqual(await running.exit, 0, running.output())
      const inspect = await inspectOf()
      const text = name === "DuckDB" ? "RAW_EVENT::VARCHAR" : "TO_JSON(RAW_EVENT)"
      const rows = await inspect.query(`SELECT OP, ${text} AS E FROM BRONZE.${table} ORDER BY KAFKA_OFFSET`)
      assert.deepStrictEqual(
        rows.map(({ e, op }) => [op, e === null ? null : JSON.parse(String(e))]),
        events.filter(isKept).map(({ value }) => {
          const event = value === null ? null : JSON.parse(value)
          return [event?.op ?? null, event]
        })
      )
      const current = query.replace("ORDERS_CDC", `BRONZE.${table}`)
      const now = await inspect.query(`SELECT CAST(ID AS VARCHAR) AS I, CUSTOMER FROM (${current}) AS NOW`)
      assert.sameDeepMembers(
        now.map(({ customer, i }) => [i, customer]),
        [
          ["3", "after a new column"],
          ["100", "nan"],
          ["102", "bc"],
          ["103", "inf"],
          ["9007199254740995", "nothing known"],
          ["9223372036854775807", 'Zoë "Z" Müller']
        ]
      )
      await inspect.close()
    })
})
