/** The contract on accounts that are set up unlike a new one: whatever a session can be pinned to, it is. */
import { afterAll, beforeAll } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { type Emulator, startEmulator } from "../../../scripts/emulator/emulator.ts"
import { Settings } from "../../../src/settings/Settings.ts"
import * as Snowflake from "../../../src/warehouse/snowflake/Snowflake.ts"
import * as FaultProxy from "../../chaos/FaultProxy.ts"
import { account } from "../../support/emulator/EmulatorSession.ts"
import { holdCommit } from "../../support/warehouse/holdCommit.ts"
import * as SnowflakeInspector from "../../support/warehouse/SnowflakeInspector.ts"
import { Inspector, settings } from "../../support/warehouse/Subject.ts"
import { suite } from "../../support/warehouse/WarehouseSuite.ts"

const options = {
  autocommit: false,
  "abort-on-error": true,
  "slow-answer-s": 0.01,
  "lock-waiters": 50,
  "stale-ms": 300
}

let emulator: Emulator
let proxy: FaultProxy.FaultProxy
beforeAll(async () => {
  emulator = await startEmulator({ options })
  proxy = await FaultProxy.start({ targetPort: emulator.port })
})
afterAll(async () => {
  await proxy.close()
  await emulator.stop()
})
let databases = 0
suite({
  name: "Snowflake, AUTOCOMMIT = FALSE, TRANSACTION_ABORT_ON_ERROR = TRUE, results fetched, older sessions behind",
  keepsText: false,
  widest: "9".repeat(38),
  hasTables: true,
  refusedEvent: '{"a":}',
  open: (given) =>
    Layer.unwrap(
      Effect.sync(() => {
        const sink = account(`http://127.0.0.1:${proxy.port}`, { database: `ACCOUNT${++databases}` })
        const inspector = SnowflakeInspector.make({ ...sink, host: emulator.url })
        return Layer.merge(
          Layer.provide(Snowflake.layer, Layer.succeed(Settings, settings(sink, given))),
          Layer.succeed(Inspector, Inspector.of({ ...inspector, holdCommit: holdCommit(proxy) }))
        )
      })
    )
})
