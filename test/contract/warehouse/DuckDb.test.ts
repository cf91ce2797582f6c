/** The contract on a real DuckDB file, and what only a file has: one process at a time, columns that users add. */
import { spawn } from "node:child_process"
import { mkdtempSync, rmSync, statSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { DuckDBConnection, DuckDBInstance } from "@duckdb/node-api"
import { afterAll, assert, describe, it } from "@effect/vitest"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import { Settings } from "../../../src/settings/Settings.ts"
import * as DuckDb from "../../../src/warehouse/duckdb/DuckDb.ts"
import { Warehouse } from "../../../src/warehouse/Warehouse.ts"
import { batchOf, claimAll } from "../../support/warehouse/batches.ts"
import { columnsOf, type Given, Inspector, settings } from "../../support/warehouse/Subject.ts"
import { suite } from "../../support/warehouse/WarehouseSuite.ts"

const home = mkdtempSync(join(tmpdir(), "bronze-duckdb-"))
afterAll(() => rmSync(home, { recursive: true, force: true }))
let files = 0
const newFile = () => join(home, `${++files}.duckdb`)

const Text = Schema.NullOr(Schema.String)
const Place = {
  topic: Schema.String,
  partition: Schema.Int,
  offset: Schema.NumberFromString,
  timestamp: Text,
  key: Text,
  headers: Text
}
const place = `KAFKA_TOPIC AS topic, KAFKA_PARTITION AS partition, KAFKA_OFFSET AS "offset", strftime(KAFKA_TIMESTAMP, '%Y-%m-%d %H:%M:%S.%g') AS timestamp, KAFKA_KEY AS key, KAFKA_HEADERS::VARCHAR AS headers`
const decodeRows = Schema.decodeUnknownSync(
  Schema.Array(Schema.Struct({ ...Place, event: Text, columns: Schema.Array(Text) }))
)
const decodeLetters = Schema.decodeUnknownSync(
  Schema.Array(Schema.Struct({ ...Place, table: Schema.String, payload: Text, cause: Schema.String, message: Text }))
)

/** The library itself is held up, for there is nothing between it and the file. */
const holdCommit = Effect.gen(function* () {
  const reached = yield* Deferred.make<void>()
  const released = yield* Deferred.make<void>()
  const { run } = DuckDBConnection.prototype
  DuckDBConnection.prototype.run = async function (sql, ...rest) {
    if (sql === "COMMIT") {
      DuckDBConnection.prototype.run = run
      await Effect.runPromise(Effect.andThen(Deferred.succeed(reached, undefined), Deferred.await(released)))
    }
    return await run.call(this, sql, ...rest)
  }
  return { reached: Deferred.await(reached), release: Effect.asVoid(Deferred.succeed(released, undefined)) }
})

const inspector = (path: string) => {
  const query = (sql: string) =>
    Effect.promise(async () => {
      const connection = await (await DuckDBInstance.fromCache(path)).connect()
      const rows = (await connection.runAndReadAll(sql)).getRowObjectsJson()
      connection.closeSync()
      return rows
    })
  const text = (name: string) =>
    name === "PAID_AT" ? `strftime(PAID_AT, '%Y-%m-%d %H:%M:%S.%f')` : `CAST("${name}" AS VARCHAR)`
  return Inspector.of({
    rows: (table) =>
      Effect.map(
        query(
          `SELECT ${place}, RAW_EVENT::VARCHAR AS event, [${columnsOf(table).map(text).join(", ")}] AS columns FROM BRONZE.${table} ORDER BY KAFKA_PARTITION, KAFKA_OFFSET`
        ),
        decodeRows
      ),
    deadLetters: Effect.map(
      query(
        `SELECT ${place}, TABLE_NAME AS "table", PAYLOAD_BASE64 AS payload, CAUSE AS cause, MESSAGE AS message FROM BRONZE.DEAD_LETTERS ORDER BY ALL`
      ),
      decodeLetters
    ),
    holdCommit,
    run: (sql) => Effect.asVoid(query(sql.replaceAll("{T}", "BRONZE.")))
  })
}

const warehouse = (path: string, given?: Given) =>
  DuckDb.layer.pipe(Layer.provide(Layer.succeed(Settings, settings({ _tag: "DuckDb", path }, given))))

const open = (given?: Given, path = newFile()) =>
  Layer.merge(warehouse(path, given), Layer.succeed(Inspector, inspector(path)))

suite({ name: "DuckDB", keepsText: true, widest: "9".repeat(38), hasTables: true, refusedEvent: undefined, open })

describe("DuckDB", () => {
  it.live("keeps what was written when the file is opened again", () => {
    const path = newFile()
    const session = <A, E>(use: Effect.Effect<A, E, Warehouse | Inspector>) =>
      Effect.provide(use, open({}, path), { local: true })
    return Effect.gen(function* () {
      yield* session(
        Effect.gen(function* () {
          const { init, write } = yield* Warehouse
          yield* init
          yield* write(batchOf("ORDERS_RAW", yield* claimAll(), [{ offset: 0 }, { offset: 1 }]))
        })
      )
      const [rows, ledger] = yield* session(
        Effect.gen(function* () {
          return [yield* (yield* Inspector).rows("ORDERS_RAW"), yield* (yield* Warehouse).ledger] as const
        })
      )
      assert.deepStrictEqual(
        rows.map(({ offset }) => offset),
        [0, 1]
      )
      assert.deepStrictEqual(
        ledger.map(({ next }) => next),
        [2, 0]
      )
    })
  })

  it.live("works in a file named bronze.duckdb, which DuckDB takes for the name before the dot", () => {
    const path = join(home, "bronze.duckdb")
    return Effect.gen(function* () {
      const { init, preflight, write } = yield* Warehouse
      yield* init
      yield* init
      assert.deepStrictEqual(yield* preflight, [])
      yield* write(batchOf("ORDERS_RAW", yield* claimAll(), [{ offset: 0 }]))
      assert.lengthOf(yield* (yield* Inspector).rows("ORDERS_RAW"), 1)
    }).pipe(Effect.provide(open({}, path)))
  })

  it.live("fills a table to which users have added columns, in whatever order they stand", () =>
    Effect.gen(function* () {
      const inspect = yield* Inspector
      const { write } = yield* Warehouse
      yield* inspect.run(
        "CREATE SCHEMA BRONZE; CREATE TABLE BRONZE.ORDERS_RAW (NOTE VARCHAR DEFAULT 'x', KAFKA_OFFSET BIGINT, RAW_EVENT JSON)"
      )
      const { init } = yield* Warehouse
      yield* init
      const missing = yield* (yield* Warehouse).preflight
      yield* Effect.forEach(missing, ({ remedy }) => inspect.run(remedy))
      assert.deepStrictEqual(yield* (yield* Warehouse).preflight, [])
      yield* write(batchOf("ORDERS_RAW", yield* claimAll(), [{ offset: 0, event: '{"a":1.10}', key: "k" }]))
      const [row] = yield* inspect.rows("ORDERS_RAW")
      assert.deepInclude(row, { offset: 0, event: '{"a":1.10}', key: "k" })
    }).pipe(Effect.provide(open()))
  )

  it.live("keeps its log short although writes overlap all the time, and so what is only in memory", () => {
    const path = newFile()
    const event = JSON.stringify("x".repeat(1000))
    let longest = 0
    const writer = (writer: number) =>
      Effect.gen(function* () {
        const { write } = yield* Warehouse
        for (let batch = 0; batch < 10; batch++) {
          const rows = Array.from({ length: 5000 }, (_, index) => ({
            offset: (writer * 10 + batch) * 5000 + index,
            event
          }))
          yield* write(batchOf("ORDERS_RAW", [], rows))
          longest = Math.max(longest, statSync(`${path}.wal`, { throwIfNoEntry: false })?.size ?? 0)
        }
      })
    return Effect.gen(function* () {
      yield* (yield* Warehouse).init
      yield* Effect.all([0, 1, 2, 3].map(writer), { concurrency: 4 })
      // Of 200 MB in all.
      assert.isBelow(longest, 110e6)
    }).pipe(Effect.provide(open({ delivery: "at-least-once" }, path)))
  })

  it.live("says who holds the file", () => {
    const path = newFile()
    // Another process holds it; the same one would share it.
    const script = `import { DuckDBInstance } from ${JSON.stringify(import.meta.resolve("@duckdb/node-api"))}
      import { spawn } from "node:child_process"
      await DuckDBInstance.create(${JSON.stringify(path)})
      process.stdout.write("held"); setTimeout(() => {}, 20000)`
    return Effect.gen(function* () {
      const holder = spawn(process.execPath, ["--input-type=module", "-e", script], {
        stdio: ["ignore", "pipe", "inherit"]
      })
      yield* Effect.promise(() => new Promise((resolve) => holder.stdout.once("data", resolve)))
      const subject = yield* Warehouse
      const error = yield* Effect.flip(subject.ledger)
      assert.strictEqual(error.reason, "denied")
      assert.include(error.message, `held by process ${holder.pid}`)
      const [problem] = yield* subject.preflight
      assert.include(problem?.what, `process ${holder.pid}`)
      holder.kill("SIGKILL")
      yield* Effect.promise(() => new Promise((resolve) => holder.once("exit", resolve)))
      // Nothing of the failure is kept.
      yield* subject.init
      assert.deepStrictEqual(yield* subject.ledger, [])
    }).pipe(Effect.provide(warehouse(path)))
  })
})
