/**
 * The fence under the worst that Snowflake's documents leave open: what a statement reads that waited, and whether two
 * MERGEs wait for each other.
 */
import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import { type Emulator, startEmulator } from "../../../scripts/emulator/emulator.ts"
import type { SinkSettings } from "../../../src/settings/Model.ts"
import { Settings } from "../../../src/settings/Settings.ts"
import { connect } from "../../../src/warehouse/snowflake/Driver.ts"
import * as Snowflake from "../../../src/warehouse/snowflake/Snowflake.ts"
import * as SnowflakeSql from "../../../src/warehouse/snowflake/Sql.ts"
import type { Warehouse } from "../../../src/warehouse/Warehouse.ts"
import * as FaultProxy from "../../chaos/FaultProxy.ts"
import { ledgerSuite } from "../../support/warehouse/LedgerSuite.ts"
import { replaySuite } from "../../support/warehouse/ReplaySuite.ts"
import * as SnowflakeInspector from "../../support/warehouse/SnowflakeInspector.ts"
import { Inspector, settings, type Test } from "../../support/warehouse/Subject.ts"
import { initialized } from "../../support/warehouse/WarehouseSuite.ts"

for (const mode of ["snapshot", "twins"] as const)
  describe(`Snowflake, ${mode}`, () => {
    let emulator: Emulator
    let proxy: FaultProxy.FaultProxy
    beforeAll(async () => {
      emulator = await startEmulator({ mode })
      proxy = await FaultProxy.start({ targetPort: emulator.port })
    })
    afterAll(async () => {
      await proxy.close()
      await emulator.stop()
    })

    let databases = 0
    const account = (): Extract<SinkSettings, { _tag: "Snowflake" }> => ({
      _tag: "Snowflake",
      writer: "sql",
      account: "account",
      user: "user",
      database: `MODE${++databases}`,
      schema: "BRONZE",
      warehouse: "WH",
      role: "BRONZE_WRITER",
      host: `http://127.0.0.1:${proxy.port}`,
      credentials: { _tag: "Password", password: Redacted.make("secret") }
    })
    const holdCommit = Effect.gen(function* () {
      const reached = yield* Deferred.make<void>()
      const released = yield* Deferred.make<void>()
      proxy.at("commit", "before", () =>
        Effect.runPromise(Effect.andThen(Deferred.succeed(reached, undefined), Deferred.await(released)))
      )
      return { reached: Deferred.await(reached), release: Effect.asVoid(Deferred.succeed(released, undefined)) }
    })
    const test: Test = (name, program, given) =>
      it.live(name, () =>
        Effect.suspend(() => {
          const sink = account()
          const inspector = Inspector.of({ ...SnowflakeInspector.make({ ...sink, host: emulator.url }), holdCommit })
          const warehouse: Layer.Layer<Warehouse> = Snowflake.layer.pipe(
            Layer.provide(Layer.succeed(Settings, settings(sink, given)))
          )
          return Effect.provide(initialized(program), Layer.merge(warehouse, Layer.succeed(Inspector, inspector)))
        })
      )
    ledgerSuite(test)
    replaySuite(test, true)

    it.live("is what this emulator does: without the lock before it, a claim goes wrong", () =>
      Effect.gen(function* () {
        const sink = account()
        const open = Effect.acquireRelease(connect({ ...sink, host: emulator.url }), ({ close }) => close)
        const [a, b] = [yield* open, yield* open]
        const names = SnowflakeSql.dialect(sink.database, sink.schema)
        yield* a.execute(`CREATE DATABASE IF NOT EXISTS ${sink.database}`)
        yield* Effect.forEach(SnowflakeSql.ddl(sink.database, sink.schema, []).create, (sql) => a.execute(sql))
        const claim = (session: typeof a, owner: string) =>
          session.execute(SnowflakeSql.claim(names), ['[{"n":"t","p":0,"o":5}]', "g", owner, "g", owner])
        if (mode === "snapshot") {
          yield* a.execute("BEGIN TRANSACTION")
          yield* claim(a, "a")
          const second = yield* Effect.forkChild(claim(b, "b"))
          yield* Effect.sleep("300 millis")
          yield* a.execute("COMMIT")
          yield* Fiber.join(second)
        } else yield* Effect.all([claim(a, "a"), claim(b, "b")], { concurrency: 2 })
        assert.lengthOf(yield* a.query(SnowflakeSql.readLedger(names), ["g"]), 2)
      }).pipe(Effect.scoped)
    )
  })
