/** `doctor --deep` against the emulator in each of its modes: it runs whole, and tells which one it is. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import { startEmulator } from "../../../../scripts/emulator/emulator.ts"
import * as DoctorDeep from "../../../../src/cli/doctor/Deep.ts"
import { account, control } from "../../../support/warehouse/StreamingAccount.ts"

const examined = (mode?: "snapshot" | "twins") =>
  Effect.gen(function* () {
    const emulator = yield* Effect.acquireRelease(
      Effect.promise(() => startEmulator(mode === undefined ? {} : { mode })),
      (emulator) => Effect.promise(() => emulator.stop())
    )
    const findings = yield* DoctorDeep.examine({
      _tag: "Snowflake",
      writer: "sql",
      account: "account",
      user: "user",
      database: "DB",
      schema: "BRONZE",
      warehouse: "WH",
      role: "BRONZE_WRITER",
      host: emulator.url,
      credentials: { _tag: "Password", password: Redacted.make("secret") }
    })
    const state = (name: string) => findings.find(({ check }) => check === name)?.state
    return { findings, states: [state("fence"), state("T1"), state("T2"), state("T3")] }
  }).pipe(Effect.scoped)

describe("doctor --deep", () => {
  it.live(
    "finds no problem, and reports what happens to JSON and how long a lock is held",
    () =>
      Effect.gen(function* () {
        const { findings, states } = yield* examined()
        const text = JSON.stringify(findings, null, 1)
        assert.deepStrictEqual(states, ["good", "good", "good", "good"], text)
        const of = (name: string) => findings.filter(({ check }) => check === name)
        assert.include(of("T5")[0]?.detail, "000627, then 1 row changed in the same transaction, 1 row of it kept")
        assert.match(
          of("T16")[0]?.detail ?? "",
          /^median ms: BEGIN \d+, INSERT \d+, UPDATE \d+, COMMIT \d+; a write holds/
        )
        assert.lengthOf(of("json"), 15)
        assert.lengthOf(of("T8"), 1)
        assert.lengthOf(of("T13"), 1)
        assert.notInclude(text, "secret")
      }),
    30_000
  )

  it.live(
    "finds an account on which a statement that waited reads what was before; the fence holds",
    () =>
      Effect.gen(function* () {
        const { findings, states } = yield* examined("snapshot")
        assert.deepStrictEqual(states, ["good", "warning", "warning", "warning"], JSON.stringify(findings, null, 1))
      }),
    30_000
  )

  it.live(
    "finds an account on which two MERGEs make twins; the fence holds",
    () =>
      Effect.gen(function* () {
        const { findings, states } = yield* examined("twins")
        assert.deepStrictEqual(states, ["good", "good", "good", "warning"], JSON.stringify(findings, null, 1))
      }),
    30_000
  )

  it.live(
    "over the streaming API opens, appends, waits, opens again, resumes, and is refused with a stale token",
    () =>
      Effect.gen(function* () {
        const emulator = yield* Effect.acquireRelease(
          Effect.promise(() => startEmulator({ options: { "streaming-commit-ms": 300 } })),
          (emulator) => Effect.promise(() => emulator.stop())
        )
        const sink = account(emulator.url)
        const findings = yield* DoctorDeep.examine(sink)
        const text = JSON.stringify(findings, null, 1)
        assert.deepStrictEqual(
          findings.map(({ check, state }) => [check, state]),
          ["streaming", "S1", "S2", "S3", "S4", "S5"].map((check) => [check, "good"]),
          text
        )
        assert.match(text, /three rows were durable \d+\.\d s after their answer/)
        assert.include(text, `rows go to ${new URL(emulator.url).host}`)
        const { seen } = control(emulator.url)
        assert.deepStrictEqual((yield* seen(sink.database)).channels, [], "nothing is left behind")
        yield* control(emulator.url).fault({ match: "POST .*/oauth/token", status: 403, times: 9 })
        const [refused] = yield* DoctorDeep.examine(sink)
        assert.deepInclude(refused, { check: "streaming", state: "bad" })
      }).pipe(Effect.scoped),
    60_000
  )
})
