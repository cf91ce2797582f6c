/**
 * A pool of Snowflake sessions: a caller has one to itself, and gets one that is up and has no transaction open on it.
 */
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Pool from "effect/Pool"
import * as Semaphore from "effect/Semaphore"
import type { SnowflakeSettings } from "../../settings/Model.ts"
import { WarehouseError } from "../WarehouseError.ts"
import * as SnowflakeCost from "./Cost.ts"
import { connect, type Session } from "./Driver.ts"
import { isLockError } from "./Lock.ts"
import { patiently } from "./Login.ts"
import * as Transaction from "./Transaction.ts"

export interface SnowflakeClient {
  /**
   * Lends a session. One that failed in a way that leaves its state unknown, or whose use was interrupted, is thrown
   * away.
   */
  readonly use: <A>(f: (session: Session) => Effect.Effect<A, WarehouseError>) => Effect.Effect<A, WarehouseError>
  /**
   * Runs `f` between BEGIN and COMMIT; any failure rolls back. `unavailable` may hide a COMMIT that happened: its
   * answer was lost, or came so late that it proves nothing. `locking` comes last and alone: of all transactions of
   * this process one at a time is between its begin and COMMIT, so that a killed process leaves one lock behind, not
   * one after the other. (They would wait for each other anyway.) With it, `f` only inserts. It gets the id of the
   * transaction, and has to make what it changes depend on it: Snowflake may have ended the transaction meanwhile (an
   * administrator can), and would run what follows outside of it. Without `locking` that is found out before COMMIT.
   */
  readonly transaction: <A>(
    f: (session: Session) => Effect.Effect<A, WarehouseError>,
    locking?: (session: Session, id: string) => Effect.Effect<void, WarehouseError>
  ) => Effect.Effect<A, WarehouseError>
}

export interface Options {
  /** How long a transaction that may hold a lock may lie idle between two statements. */
  readonly maxPause?: Duration.Duration
  readonly open?: (settings: SnowflakeSettings) => Effect.Effect<Session, WarehouseError>
}

/**
 * Snowflake aborts a transaction that blocks others and is idle for five minutes (this process was stopped, or its
 * machine slept), and says nothing: the next statement runs outside of it, and COMMIT is answered with OK. So nothing
 * is sent after a pause that comes near to that.
 */
const maxPause = Duration.seconds(60)

/**
 * One that has only inserted blocks nobody, and is ended after four hours. Its turn may take as long as this to come.
 */
const maxWait = Duration.hours(1)

/** Opens sessions as they are asked for, `size` at most; all are closed with the scope. */
export const make = Effect.fnUntraced(function* (settings: SnowflakeSettings, size: number, options: Options = {}) {
  const { open = connect } = options
  const limit = Duration.toMillis(options.maxPause ?? maxPause)
  const cost = SnowflakeCost.make()
  const login = patiently(Effect.map(open(settings), (session) => SnowflakeCost.metered(session, cost)))
  const pool = yield* Pool.makeWithTTL({
    acquire: Effect.acquireRelease(login, (session) => session.close),
    min: 0,
    max: size,
    // Snowflake ends a session that was idle for four hours: ours never get that old. (The driver's own keep-alive is a
    // timer that would hold the process open.)
    timeToLive: "1 hour"
  })

  const use: SnowflakeClient["use"] = (f) =>
    Pool.use(pool, (session) => {
      const discard = Pool.invalidate(pool, session)
      // Ended while it was idle: nothing was sent on it, so another may be tried at once.
      if (!session.isUp()) return Effect.andThen(discard, Effect.fail(gone))
      return Effect.onExit(f(session), (exit) => (isClean(exit) && session.isUp() ? Effect.void : discard))
    }).pipe(Effect.retry({ while: (error) => error === gone, times: size }))

  const turn = yield* Semaphore.make(1)
  const transaction: SnowflakeClient["transaction"] = (f, locking) =>
    use((session) => {
      const orRollBack = <A>(step: Effect.Effect<A, WarehouseError>) =>
        Effect.catchIf(
          step,
          // When the connection failed there is nobody to tell; throwing the session away rolls back.
          leavesSession,
          (error) =>
            Effect.andThen(
              Effect.mapError(session.execute("ROLLBACK"), ({ message }) =>
                asUnavailable(`ROLLBACK failed: ${message}`)
              ),
              Effect.fail(error)
            )
        )
      return session.execute("BEGIN TRANSACTION").pipe(
        // A session that the server ended while it was idle shows itself here, before anything was written.
        Effect.mapError((error) => (session.isUp() ? error : gone)),
        Effect.andThen(Transaction.current(session)),
        Effect.bindTo("id"),
        Effect.bind("within", () => within(limit, locking === undefined ? limit : Duration.toMillis(maxWait), session)),
        Effect.flatMap(({ id, within: { commit, statements } }) => {
          const body = orRollBack(f(statements))
          const same = Effect.filterOrFail(
            Transaction.current(statements),
            (now) => now === id,
            () => asUnavailable("Snowflake has ended the transaction before its COMMIT; asking again")
          )
          return locking === undefined
            ? Effect.tap(body, Effect.andThen(same, commit))
            : Effect.tap(body, turn.withPermits(1)(Effect.andThen(orRollBack(locking(statements, id)), commit)))
        })
      )
    })

  return { use, transaction, credits: cost.credits } satisfies SnowflakeClient & Pick<typeof cost, "credits">
})

/**
 * The session of a transaction that is not let lie idle. The wall clock counts, because the monotonic one stands still
 * while a machine sleeps.
 */
const within = (limit: number, beforeLock: number, session: Session) =>
  Effect.map(Clock.currentTimeMillis, (begun) => {
    let answered = begun
    let allowed = beforeLock
    const since = Effect.map(Clock.currentTimeMillis, (now) => now - answered)
    const heard = Effect.map(Clock.currentTimeMillis, (now) => {
      answered = now
    })
    const unlessIdle = <A>(send: Effect.Effect<A, WarehouseError>) =>
      since.pipe(
        Effect.flatMap((pause) => (pause > allowed ? Effect.fail(idle(pause)) : send)),
        Effect.tap(heard),
        // Whoever waits for a lock is not idle, and a refusal is an answer.
        Effect.tapError((error) => (leavesSession(error) ? heard : Effect.void))
      )
    const statements: Session = {
      ...session,
      execute: (sql, binds) =>
        unlessIdle(
          Effect.suspend(() => {
            if (!sql.startsWith("INSERT")) allowed = limit
            return session.execute(sql, binds)
          })
        ),
      query: (sql, binds) => unlessIdle(session.query(sql, binds))
    }
    // COMMIT takes no time, so a late answer means that it may have been sent late: then it says OK to a transaction
    // that is no more.
    const commit = Effect.flatMap(since, (before) =>
      before > limit
        ? Effect.fail(idle(before))
        : Effect.andThen(
            // Whatever it says: the transaction may be open still, or committed.
            Effect.mapError(session.execute("COMMIT"), ({ message }) => asUnavailable(`COMMIT failed: ${message}`)),
            Effect.flatMap(since, (pause) => (pause > limit ? Effect.fail(idle(pause)) : Effect.void))
          )
    )
    return { commit, statements }
  })

const idle = (pause: number): WarehouseError =>
  new WarehouseError({
    reason: "unavailable",
    message: `the transaction was idle for ${Math.round(pause / 1000)} s, and Snowflake may have ended it; asking again`
  })

const gone = new WarehouseError({ reason: "unavailable", message: "the Snowflake session has ended" })

/** A refusal leaves a session as it was; a failed connection, a defect or an interruption leaves it unknown. */
const isClean = (exit: Exit.Exit<unknown, WarehouseError>): boolean =>
  Exit.isSuccess(exit) || exit.cause.reasons.every((reason) => reason._tag === "Fail" && leavesSession(reason.error))

/** A statement that gave up waiting for a lock has ended alone: its transaction continues. */
const leavesSession = (error: WarehouseError): boolean => error.reason !== "unavailable" || isLockError(error)

const asUnavailable = (message: string): WarehouseError => new WarehouseError({ reason: "unavailable", message })
