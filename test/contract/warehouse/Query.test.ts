/** `query` on every warehouse: what reads is answered up to the limit, and what does not is refused. */
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { type Emulator, startEmulator } from "../../../scripts/emulator/emulator.ts"
import * as Layers from "../../../src/app/Layers.ts"
import * as Query from "../../../src/cli/Query.ts"
import * as Settings from "../../../src/settings/Settings.ts"
import { Warehouse } from "../../../src/warehouse/Warehouse.ts"

const home = mkdtempSync(join(tmpdir(), "bronze-query-"))
let emulator: Emulator | undefined
beforeAll(async () => {
  emulator = await startEmulator()
})
afterAll(async () => {
  await emulator?.stop()
  rmSync(home, { recursive: true, force: true })
})

let files = 0
const environments: Readonly<Record<string, () => Record<string, string>>> = {
  DuckDB: () => ({ SINK: "duckdb", DUCKDB_PATH: join(home, `${++files}.db`) }),
  Snowflake: () => ({
    ...{ SNOWFLAKE_HOST: emulator?.url ?? "", SNOWFLAKE_ACCOUNT: "a", SNOWFLAKE_USER: "u", SNOWFLAKE_PASSWORD: "p" },
    ...{ SNOWFLAKE_DATABASE: "QUERIES", SNOWFLAKE_WAREHOUSE: "WH" }
  })
}

for (const [name, env] of Object.entries(environments))
  describe(`query on ${name}`, () => {
    const on = <A, E>(use: (warehouse: Warehouse["Service"]) => Effect.Effect<A, E>) =>
      Effect.suspend(() =>
        Warehouse.pipe(
          Effect.tap(({ init }) => init),
          Effect.flatMap(use),
          Effect.provide(Layer.fresh(Layers.warehouse)),
          Effect.provide(Settings.layer),
          Effect.provide(Settings.environment(env()))
        )
      )
    const five = "SELECT * FROM (VALUES (1, 'a'), (2, NULL), (3, 'c'), (4, 'd'), (5, 'e,\"f')) AS t(N, TEXT) ORDER BY 1"

    it.effect("gives columns and rows, and says when there are more", () =>
      on(({ query }) =>
        Effect.gen(function* () {
          const two = yield* query(five, 2)
          assert.deepStrictEqual(
            [two.columns.map((column) => column.toUpperCase()), two.rows.length, two.truncated],
            [["N", "TEXT"], 2, true]
          )
          assert.deepStrictEqual(two.rows[1]?.[1], null)
          const all = yield* query(five, 5)
          assert.deepStrictEqual([all.rows.length, all.truncated], [5, false])
          assert.deepStrictEqual(String(all.rows[4]?.[0]), "5")
          assert.strictEqual(Query.csv(all).split("\r\n").at(-1), '5,"e,""f"')
          assert.match(Query.table(two, 80), /^N +TEXT\n *1 +a\n *2 +NULL\n\n2 rows; there are more/i)
          assert.match(Query.json(all), /"n":"?1"?,/i)
        })
      )
    )

    it.effect("takes a statement that begins with a comment, and an empty answer", () =>
      on(({ query }) =>
        Effect.gen(function* () {
          const none = yield* query("-- those of today\n/* none */ SELECT 1 AS A WHERE FALSE", 10)
          assert.deepStrictEqual([none.rows, none.truncated], [[], false])
        })
      )
    )

    it.effect("refuses what does not only read, and more than one statement", () =>
      on(({ query }) =>
        Effect.gen(function* () {
          for (const statement of [
            "DELETE FROM BRONZE.ORDERS_RAW",
            "CREATE TABLE T (A INT)",
            "/* SELECT */ DROP TABLE BRONZE.ORDERS_RAW",
            "-- SELECT\nDROP TABLE BRONZE.ORDERS_RAW",
            "BEGIN",
            "SELECT 1; DELETE FROM BRONZE.ORDERS_RAW",
            ""
          ])
            assert.strictEqual((yield* Effect.flip(query(statement, 10))).reason, "denied", statement)
          for (const nothing of ["", "-- a comment alone", ";"])
            assert.notInclude((yield* Effect.flip(query(nothing, 10))).message, "native", nothing)
          assert.isDefined(yield* Effect.flip(query("SELECT 1; SELECT 2", 10)))
          assert.isDefined(yield* query("SELECT COUNT(*) FROM BRONZE.ORDERS_RAW", 10))
        })
      )
    )
  })
