/** The SQL files say what the service does: tables as `init` makes them, and queries that run. */
import { readdirSync, readFileSync } from "node:fs"
import { DuckDBInstance } from "@duckdb/node-api"
import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import { type Emulator, startEmulator } from "../../../scripts/emulator/emulator.ts"
import { sample } from "../../../src/cli/support/Samples.ts"
import * as DuckDbSql from "../../../src/warehouse/duckdb/Sql.ts"
import { connect } from "../../../src/warehouse/snowflake/Driver.ts"
import * as InsertBinds from "../../../src/warehouse/snowflake/InsertBinds.ts"
import * as SnowflakeSql from "../../../src/warehouse/snowflake/Sql.ts"
import { routes, row } from "../../support/Outcomes.ts"
import { letter } from "../../support/warehouse/batches.ts"

const defaults = routes(
  "raw.orders.v1=ORDERS_RAW(ORDER_ID=order_id,USER_ID=user_id:NUMBER), raw.clicks.v1=CLICKS_RAW(USER_ID=user_id:NUMBER,ITEM_ID=item_id:NUMBER)"
)

/** What `produce --new-fields` sends. */
const event = String(sample("order", 1, true, new Date(0)).value)

const folder = (name: string) => new URL(`../../../sql/${name}/`, import.meta.url)
const read = (name: string, file: string) => readFileSync(new URL(file, folder(name)), "utf8")
const queries = (name: string) => readdirSync(new URL("queries/", folder(name))).sort()

const withoutComments = (sql: string) => sql.replace(/--[^\n]*/g, "")
const statements = (sql: string) =>
  withoutComments(sql)
    .split(";")
    .map((statement) => statement.trim())
    .filter((statement) => statement !== "")
const normal = (sql: string) =>
  sql.replaceAll('"', "").replace(/\s+/g, " ").replaceAll("( ", "(").replaceAll(" )", ")").trim()

describe("sql/duckdb", () => {
  const files = ["01_schema.sql", "02_tables.sql"].flatMap((file) => statements(read("duckdb", file)))

  it("creates what `init` creates", () => {
    const { create, upgrade } = DuckDbSql.ddl("lake.duckdb", defaults)
    assert.deepStrictEqual(files.map(normal), [...create, ...upgrade].map(normal))
  })

  it.live("runs, twice, and so does every query", () =>
    Effect.gen(function* () {
      const connection = yield* Effect.promise(async () => (await DuckDBInstance.create(":memory:")).connect())
      const run = (sql: string) => Effect.promise(() => connection.runAndReadAll(sql))
      yield* Effect.forEach([...files, ...files], run)
      yield* run(
        `INSERT INTO BRONZE.ORDERS_RAW SELECT 'o' || i, i, '${event}', TIMESTAMP '2026-02-07 10:30:01', 'raw.orders.v1', 0, i, TIMESTAMP '2026-02-07 10:30:00', NULL, NULL FROM unnest([0, 1, 1, 4]) t(i)`
      )
      yield* run(ledgerRow)
      for (const file of queries("duckdb")) {
        const result = yield* run(read("duckdb", `queries/${file}`))
        check(file, result.getRowObjectsJson())
      }
    })
  )
})

describe("sql/snowflake", () => {
  const files = statements(read("snowflake", "02_tables.sql"))

  it("creates what `init` creates", () => {
    const { create, upgrade } = SnowflakeSql.ddl("BRONZE_DB", "BRONZE", defaults)
    const [schema, ...tables] = [...create, ...upgrade].map(normal)
    assert.deepStrictEqual(
      files.map(normal),
      tables.map((sql) => sql.replace("BRONZE_DB.", ""))
    )
    assert.include(statements(read("snowflake", "01_schema.sql")).map(normal), schema?.replace("BRONZE_DB.", ""))
  })

  it("has the same queries as sql/duckdb", () => {
    assert.deepStrictEqual(queries("snowflake"), queries("duckdb"))
  })

  describe("on the emulator", () => {
    let emulator: Emulator | undefined
    beforeAll(async () => {
      emulator = await startEmulator()
    })
    afterAll(() => emulator?.stop())

    it.live("runs, twice, and so does every query", () =>
      Effect.gen(function* () {
        const session = yield* connect({
          account: "account",
          user: "user",
          database: "BRONZE_DB",
          schema: "BRONZE",
          warehouse: "BRONZE_WH",
          role: undefined,
          host: emulator?.url,
          credentials: { _tag: "Password", password: Redacted.make("secret") }
        })
        const all = ["01_schema.sql", "02_tables.sql", "03_role.sql"].flatMap((file) =>
          statements(read("snowflake", file))
        )
        yield* Effect.forEach([...all, ...all], (sql) => session.execute(sql))
        const [table, clicks] = defaults.map((route) => route.table)
        if (table === undefined || clicks === undefined) return yield* Effect.die("no table")
        const names = SnowflakeSql.dialect("BRONZE_DB", "BRONZE")
        const rows = [0, 1, 1, 4].map((offset) => row({ offset, event, columns: ["o", "1"] }))
        yield* session.execute(SnowflakeSql.insertRows(names, table), [...InsertBinds.rows(rows)])
        yield* session.execute(SnowflakeSql.insertRows(names, clicks), [...InsertBinds.rows([row({})])])
        const letters = [letter({ offset: 7 })]
        yield* session.execute(SnowflakeSql.insertDeadLetters(names), [...InsertBinds.deadLetters(table.name, letters)])
        // A time that is NULL beside one that is not: the emulator once answered it with HTTP 500.
        const times = yield* session.query("SELECT INGESTION_TIMESTAMP, REPLAYED_AT FROM BRONZE.DEAD_LETTERS")
        assert.match(JSON.stringify(times), /"INGESTION_TIMESTAMP":"20.*"REPLAYED_AT":null/)
        yield* session.execute(ledgerRow.replace("TIMESTAMP '", "'"))
        for (const file of queries("snowflake"))
          check(
            file,
            yield* session.query(
              withoutComments(read("snowflake", `queries/${file}`))
                .trim()
                .replace(/;$/, "")
            )
          )
        yield* session.close
      })
    )
  })
})

/** Of the offsets 0 to 4 one is accounted for as skipped. */
const ledgerRow = `INSERT INTO BRONZE.CONSUMER_OFFSETS (CONSUMER_GROUP, TOPIC, "PARTITION", NEXT_OFFSET, EPOCH, OWNER, UPDATED_AT, START_OFFSET, SKIPPED)
SELECT 'g', 'raw.orders.v1', 0, 5, 1, 'o', TIMESTAMP '2026-02-07 10:30:00', 0, 1`

/** Four rows are there, at the offsets 0, 1, 1 and 4. */
const check = (file: string, rows: ReadonlyArray<unknown>) => {
  if (file.startsWith("06")) assert.deepInclude(rows[0], { KAFKA_TOPIC: "raw.orders.v1" }, file)
  if (file.startsWith("10")) assert.match(JSON.stringify(rows), /^\[\{.*"RECORDS":"?3"?,"UNEXPLAINED":"?1"?\}\]$/, file)
  if (file.startsWith("07")) assert.match(JSON.stringify(rows[0]), /"FIRST_MISSING":"?2"?,"LAST_MISSING":"?3"?/, file)
  if (file.startsWith("04")) assert.match(JSON.stringify(rows), /"FIELD":"delivery_address","EVENTS":"?4"?/, file)
  if (file.startsWith("03")) assert.notInclude(JSON.stringify(rows), "null", file)
}
