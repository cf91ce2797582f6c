/**
 * Logs in, with a backoff after a refusal: Snowflake locks a user after a few failed logins, and each further one
 * extends the lock.
 */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import type { WarehouseError } from "../WarehouseError.ts"

/** Milliseconds until a refused login is retried: doubled each time, from the first to the second. */
const [first, longest] = [2_000, 300_000]

/** As long as Snowflake keeps a user locked (390102). */
const locked = 900_000

/** `login`, or the refusal of the last one while it lasts. What passes by itself is not a refusal. */
export const patiently = <A>(login: Effect.Effect<A, WarehouseError>): Effect.Effect<A, WarehouseError> => {
  let refusal: { readonly error: WarehouseError; readonly until: number } | undefined
  let pause = first
  return Effect.flatMap(Clock.currentTimeMillis, (now) =>
    refusal !== undefined && now < refusal.until
      ? Effect.fail(refusal.error)
      : login.pipe(
          Effect.tap(() =>
            Effect.sync(() => {
              refusal = undefined
              pause = first
            })
          ),
          Effect.tapError((error) =>
            Effect.map(Clock.currentTimeMillis, (at) => {
              if (error.reason !== "denied") return
              refusal = { error, until: at + (error.code === "390102" ? locked : pause) }
              pause = Math.min(2 * pause, longest)
            })
          )
        )
  )
}
