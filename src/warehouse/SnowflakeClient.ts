/** A pool of Snowflake sessions: a caller has one to itself, and gets one that is up and has no transaction open on it. */
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Pool from "effect/Pool"
import type { SnowflakeSettings } from "../Settings.ts"
import { connect, type Session } from "./SnowflakeDriver.ts"
import { WarehouseError } from "./WarehouseError.ts"

export interface SnowflakeClient {
  /** Lends a session. One that failed in a way that leaves its state unknown, or whose use was interrupted, is thrown away. */
  readonly use: <A>(f: (session: Session) => Effect.Effect<A, WarehouseError>) => Effect.Effect<A, WarehouseError>
  /** Runs `f` between BEGIN and COMMIT; any failure rolls back. A COMMIT without an answer is `unavailable`: it may have happened. */
  readonly transaction: (
    f: (session: Session) => Effect.Effect<void, WarehouseError>
  ) => Effect.Effect<void, WarehouseError>
}

/** Opens sessions as they are asked for, `size` at most; all are closed with the scope. */
export const make = Effect.fnUntraced(function* (settings: SnowflakeSettings, size: number) {
  const pool = yield* Pool.makeWithTTL({
    acquire: Effect.acquireRelease(connect(settings), (session) => session.close),
    min: 0,
    max: size,
    // Snowflake ends a session that lay idle for four hours: ours never get that old. (The driver's own keep-alive is a timer that
    // would hold the process open.)
    timeToLive: "1 hour"
  })

  const use: SnowflakeClient["use"] = (f) =>
    Pool.use(pool, (session) => {
      const discard = Pool.invalidate(pool, session)
      // Ended while it lay idle: nothing was sent on it, so another may be tried at once.
      if (!session.isUp()) return Effect.andThen(discard, Effect.fail(gone))
      return Effect.onExit(f(session), (exit) => (isClean(exit) && session.isUp() ? Effect.void : discard))
    }).pipe(Effect.retry({ while: (error) => error === gone, times: size }))

  const transaction: SnowflakeClient["transaction"] = (f) =>
    use((session) =>
      session.execute("BEGIN TRANSACTION").pipe(
        // A session that the server ended while it lay idle shows itself here, before anything was written.
        Effect.mapError((error) => (session.isUp() ? error : gone)),
        Effect.andThen(f(session)),
        Effect.catchIf(
          // When the connection failed there is nobody to tell; throwing the session away rolls back.
          (error) => error.reason !== "unavailable",
          (error) =>
            Effect.andThen(session.execute("ROLLBACK").pipe(Effect.mapError(asUnavailable)), Effect.fail(error))
        ),
        Effect.andThen(session.execute("COMMIT")),
        Effect.asVoid
      )
    )

  return { use, transaction } satisfies SnowflakeClient
})

const gone = new WarehouseError({ reason: "unavailable", message: "the Snowflake session has ended" })

/** A refusal leaves a session as it was; a failed connection, a defect or an interruption leaves it unknown. */
const isClean = (exit: Exit.Exit<unknown, WarehouseError>): boolean =>
  Exit.isSuccess(exit) ||
  exit.cause.reasons.every((reason) => reason._tag === "Fail" && reason.error.reason !== "unavailable")

const asUnavailable = (error: WarehouseError): WarehouseError =>
  new WarehouseError({ reason: "unavailable", message: `ROLLBACK failed: ${error.message}` })
