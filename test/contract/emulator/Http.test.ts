/** What Snowflake answers besides results: still running, too large, a fault of its edge, and codes on demand. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import { emulator, session } from "../../support/emulator/EmulatorSession.ts"

const post = (url: string, body: unknown) =>
  Effect.promise(async () => {
    const answer = await fetch(url, { method: "POST", body: JSON.stringify(body) })
    assert.strictEqual(answer.status, 200)
  })

describe("the emulator's answers", () => {
  it.live("a statement that takes longer is answered with 333333, and its result fetched", () =>
    Effect.gen(function* () {
      const { url } = yield* emulator({ options: { "slow-answer-s": 0.2 } })
      const [first, second] = [yield* session(url), yield* session(url)]
      yield* first.execute("CREATE DATABASE IF NOT EXISTS DB")
      yield* first.execute("CREATE SCHEMA IF NOT EXISTS DB.BRONZE")
      yield* first.execute("CREATE TABLE DB.BRONZE.T (N NUMBER(38,0))")
      yield* first.execute("INSERT INTO DB.BRONZE.T VALUES (1), (1)")
      yield* first.execute("BEGIN")
      yield* first.execute("UPDATE DB.BRONZE.T SET N = 2")
      const waiting = yield* Effect.forkChild(second.execute("UPDATE DB.BRONZE.T SET N = N + 1"))
      yield* Effect.sleep("1 second")
      yield* first.execute("COMMIT")
      assert.strictEqual(yield* Fiber.join(waiting), 2)
      yield* second.execute("ALTER SESSION SET LOCK_TIMEOUT = 1")
      yield* first.execute("BEGIN")
      yield* first.execute("UPDATE DB.BRONZE.T SET N = 2")
      assert.strictEqual((yield* Effect.flip(second.execute("UPDATE DB.BRONZE.T SET N = 5"))).code, "000627")
    }).pipe(Effect.scoped)
  )

  it.live("a request that is too large, one that is malformed, a fault of the edge, and Snowflake's codes", () =>
    Effect.gen(function* () {
      const { url } = yield* emulator({ options: { "max-body-bytes": 100_000 } })
      const { query } = yield* session(url)
      const large = yield* Effect.flip(query("SELECT ? AS V", ["x".repeat(200_000)]))
      assert.deepStrictEqual([large.reason, large.code], ["too_large", "413"])
      const said = Effect.fnUntraced(function* (fault: Record<string, unknown>) {
        yield* post(`${url}/emulator/faults`, { match: "SELECT 7", ...fault })
        const { reason } = yield* Effect.flip(query("SELECT 7 AS N"))
        assert.lengthOf(yield* query("SELECT 8 AS N"), 1)
        return reason
      })
      assert.strictEqual(yield* said({ status: 400 }), "unavailable")
      assert.strictEqual(yield* said({ status: 403 }), "unavailable")
      for (const [code, sqlState, reason] of [
        ["000603", "XX000", "unavailable"],
        ["000604", "57014", "unavailable"],
        ["000630", "57014", "unavailable"],
        ["000666", "57014", "denied"],
        ["090073", "22000", "unavailable"],
        ["090105", "22000", "denied"],
        ["100038", "22018", "refused"],
        ["100082", "22000", "too_large"],
        ["200001", "22000", "unavailable"]
      ] as const)
        assert.strictEqual(yield* said({ code, sqlState, message: "as asked for" }), reason, code)
    }).pipe(Effect.scoped)
  )
})
