/** A refused login is not asked for again and again, and one that passes by itself is. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as TestClock from "effect/testing/TestClock"
import { patiently } from "../../../../src/warehouse/snowflake/Login.ts"
import { WarehouseError } from "../../../../src/warehouse/WarehouseError.ts"

/** How many logins reach the account when one is asked for each second. */
const logins = (error: WarehouseError, seconds: number) =>
  Effect.gen(function* () {
    let asked = 0
    const login = patiently(
      Effect.suspend(() => {
        asked++
        return Effect.fail(error)
      })
    )
    for (let second = 0; second < seconds; second++) {
      assert.strictEqual((yield* Effect.flip(login)).message, error.message)
      yield* TestClock.adjust("1 second")
    }
    return asked
  })

describe("a login", () => {
  it.effect("that is refused is tried less and less often", () =>
    Effect.gen(function* () {
      assert.strictEqual(yield* logins(new WarehouseError({ reason: "denied", message: "no", code: "390100" }), 60), 5)
    })
  )

  it.effect("of a locked user is not tried before the lock is over", () =>
    Effect.gen(function* () {
      assert.strictEqual(yield* logins(new WarehouseError({ reason: "denied", message: "no", code: "390102" }), 900), 1)
    })
  )

  it.effect("that did not reach the account is tried each time", () =>
    Effect.gen(function* () {
      assert.strictEqual(yield* logins(new WarehouseError({ reason: "unavailable", message: "away" }), 60), 60)
    })
  )

  it.effect("that was refused and then passes is forgotten", () =>
    Effect.gen(function* () {
      let refused = true
      const login = patiently(
        Effect.suspend(() =>
          refused ? Effect.fail(new WarehouseError({ reason: "denied", message: "no" })) : Effect.succeed("session")
        )
      )
      yield* Effect.flip(login)
      refused = false
      yield* TestClock.adjust("2 seconds")
      assert.strictEqual(yield* login, "session")
      assert.strictEqual(yield* login, "session")
    })
  )
})
