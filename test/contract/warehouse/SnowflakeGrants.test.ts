/**
 * The contract with the rights that sql/snowflake/03_role.sql gives, and no others: an administrator has made the
 * tables.
 */
import { readFileSync } from "node:fs"
import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { type Emulator, startEmulator } from "../../../scripts/emulator/emulator.ts"
import { Settings } from "../../../src/settings/Settings.ts"
import * as Snowflake from "../../../src/warehouse/snowflake/Snowflake.ts"
import { Warehouse } from "../../../src/warehouse/Warehouse.ts"
import type { WarehouseError } from "../../../src/warehouse/WarehouseError.ts"
import * as FaultProxy from "../../chaos/FaultProxy.ts"
import { account, session } from "../../support/emulator/EmulatorSession.ts"
import { batchOf, claimAll } from "../../support/warehouse/batches.ts"
import { holdCommit } from "../../support/warehouse/holdCommit.ts"
import * as SnowflakeInspector from "../../support/warehouse/SnowflakeInspector.ts"
import { type Given, Inspector, settings } from "../../support/warehouse/Subject.ts"
import { suite } from "../../support/warehouse/WarehouseSuite.ts"

// With the grant that `dlq replay` needs, which is a comment there.
const role = readFileSync(new URL("../../../sql/snowflake/03_role.sql", import.meta.url), "utf8")
  .replace("-- GRANT UPDATE ON", "GRANT UPDATE ON")
  .replace(/--[^\n]*/g, "")
  .split(";")
  .map((statement) => statement.trim())
  .filter((statement) => statement !== "")

let emulator: Emulator
let proxy: FaultProxy.FaultProxy
beforeAll(async () => {
  emulator = await startEmulator({ options: { grants: true } })
  proxy = await FaultProxy.start({ targetPort: emulator.port })
})
afterAll(async () => {
  await proxy.close()
  await emulator.stop()
})

class Admin extends Context.Service<
  Admin,
  { readonly database: string; readonly run: (sql: string) => Effect.Effect<number, WarehouseError> }
>()("test/Admin") {}

let databases = 0
const open = (given?: Given) =>
  Layer.unwrap(
    Effect.gen(function* () {
      const database = `GRANTS${++databases}`
      const place = { database, warehouse: "BRONZE_WH" }
      const admin = account(emulator.url, { ...place, role: "ACCOUNTADMIN" })
      const layer = (sink: typeof admin) =>
        Layer.provide(Snowflake.layer, Layer.succeed(Settings, settings(sink, given)))
      yield* Effect.scoped(Effect.flatMap(Layer.build(layer(admin)), (context) => Context.get(context, Warehouse).init))
      yield* Effect.scoped(
        Effect.gen(function* () {
          const { execute } = yield* session(emulator.url, admin)
          yield* Effect.forEach(role, (sql) => execute(sql.replaceAll("BRONZE_DB", database)))
        })
      )
      const inspector = SnowflakeInspector.make(admin)
      return Layer.mergeAll(
        Layer.succeed(Admin, {
          database,
          run: (sql: string) =>
            Effect.scoped(Effect.flatMap(session(emulator.url, admin), ({ execute }) => execute(sql)))
        }),
        layer(account(`http://127.0.0.1:${proxy.port}`, place)),
        Layer.succeed(Inspector, Inspector.of({ ...inspector, holdCommit: holdCommit(proxy) }))
      )
    }).pipe(Effect.orDie)
  )

describe("a role that lacks something", () => {
  it.live("is reported which right is missing, and continues once it has been granted", () =>
    Effect.gen(function* () {
      const { init, ledger, preflight, write } = yield* Warehouse
      const { database, run } = yield* Admin
      const place = { database, warehouse: "BRONZE_WH" }
      const claimed = yield* claimAll()
      const first = batchOf("ORDERS_RAW", claimed, [{ offset: 0 }])
      yield* run(`REVOKE INSERT ON TABLE ${database}.BRONZE.ORDERS_RAW FROM ROLE BRONZE_WRITER`)
      const refused = yield* Effect.flip(write(first))
      assert.deepStrictEqual([refused.reason, refused.code], ["denied", "003001"])
      assert.strictEqual((yield* ledger)[0]?.next, 0)
      assert.isAbove((yield* preflight).length, 0)
      yield* run(`GRANT INSERT ON TABLE ${database}.BRONZE.ORDERS_RAW TO ROLE BRONZE_WRITER`)
      yield* write(first)

      yield* run("REVOKE USAGE ON WAREHOUSE BRONZE_WH FROM ROLE BRONZE_WRITER")
      const asleep = yield* Effect.flip(
        Effect.scoped(
          Effect.flatMap(session(emulator.url, place), ({ query }) =>
            query(`SELECT * FROM ${database}.BRONZE.ORDERS_RAW`)
          )
        )
      )
      assert.deepStrictEqual([asleep.reason, asleep.code], ["denied", "000606"])
      yield* run("GRANT USAGE ON WAREHOUSE BRONZE_WH TO ROLE BRONZE_WRITER")

      yield* run(`REVOKE SELECT, INSERT ON TABLE ${database}.BRONZE.CLICKS_RAW FROM ROLE BRONZE_WRITER`)
      assert.strictEqual((yield* Effect.flip(init)).code, "003001")
      yield* run(`GRANT CREATE TABLE ON SCHEMA ${database}.BRONZE TO ROLE BRONZE_WRITER`)
      assert.strictEqual((yield* Effect.flip(init)).code, "003041")
      yield* run(`DROP TABLE ${database}.BRONZE.CLICKS_RAW`)
      yield* init
      assert.deepStrictEqual(yield* preflight, [])
    }).pipe((program) => Effect.suspend(() => Effect.provide(program, open())))
  )
})

suite({
  name: "Snowflake, as BRONZE_WRITER",
  keepsText: false,
  widest: "9".repeat(38),
  hasTables: true,
  isLeastRole: true,
  refusedEvent: '{"a":}',
  open
})
