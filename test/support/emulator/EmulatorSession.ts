/** An emulator of its own for a test, and sessions on it opened by the same SnowflakeDriver as in production. */
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import { type EmulatorOptions, startEmulator } from "../../../scripts/emulator/emulator.ts"
import type { SinkSettings, SnowflakeSettings } from "../../../src/settings/Model.ts"
import { connect } from "../../../src/warehouse/snowflake/Driver.ts"

export const account = (
  host: string,
  given: Partial<SnowflakeSettings> = {}
): Extract<SinkSettings, { _tag: "Snowflake" }> => ({
  _tag: "Snowflake",
  writer: "sql",
  account: "account",
  user: "user",
  database: "DB",
  schema: "BRONZE",
  warehouse: "WH",
  role: "BRONZE_WRITER",
  host,
  credentials: { _tag: "Password", password: Redacted.make("secret") },
  ...given
})

/** Until the scope ends. */
export const emulator = (options: EmulatorOptions = {}) =>
  Effect.acquireRelease(
    Effect.promise(() => startEmulator(options)),
    (started) => Effect.promise(() => started.stop())
  )

export const session = (host: string, given: Partial<SnowflakeSettings> = {}) =>
  Effect.acquireRelease(connect(account(host, given)), ({ close }) => close)
