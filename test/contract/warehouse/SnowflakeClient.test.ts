/**
 * Transactions on Snowflake that outlived a pause: what the server did with them, and that we never take its OK for a
 * write.
 */
import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Redacted from "effect/Redacted"
import * as TestClock from "effect/testing/TestClock"
import { type Emulator, startEmulator } from "../../../scripts/emulator/emulator.ts"
import type { SnowflakeSettings } from "../../../src/settings/Model.ts"
import * as SnowflakeClient from "../../../src/warehouse/snowflake/Client.ts"
import { connect, type Session } from "../../../src/warehouse/snowflake/Driver.ts"
import { whileLocked } from "../../../src/warehouse/snowflake/Lock.ts"
import { WarehouseError } from "../../../src/warehouse/WarehouseError.ts"

const account = (host?: string): SnowflakeSettings => ({
  account: "account",
  user: "user",
  database: "DB",
  schema: "BRONZE",
  warehouse: "WH",
  role: undefined,
  host,
  credentials: { _tag: "Password", password: Redacted.make("secret") }
})

/** A session whose statements take as long as said, and a list of those it was asked to run. */
const slow = (seconds: Readonly<Record<string, number>>, fails: Readonly<Record<string, WarehouseError>> = {}) => {
  const asked: Array<string> = []
  let closed = 0
  const session: Session = {
    isUp: () => true,
    execute: (sql) =>
      Effect.suspend(() => {
        asked.push(sql)
        const error = fails[sql]
        return Effect.andThen(
          Effect.sleep(Duration.seconds(seconds[sql] ?? 0)),
          error === undefined ? Effect.succeed(1) : Effect.fail(error)
        )
      }),
    query: () => Effect.succeed([]),
    read: () => Effect.succeed({ columns: [], rows: [] }),
    close: Effect.sync(() => void closed++)
  }
  return { asked, closed: () => closed, open: () => Effect.succeed(session) }
}

describe("a transaction", () => {
  /** INSERT, a pause of the client, UPDATE, another pause. */
  const outcome = (server: ReturnType<typeof slow>, pauses: { beforeUpdate?: number; beforeCommit?: number } = {}) =>
    Effect.gen(function* () {
      const { transaction } = yield* SnowflakeClient.make(account(), 1, { open: server.open })
      const running = yield* Effect.forkChild(
        Effect.result(
          transaction((session) =>
            session
              .execute("INSERT")
              .pipe(
                Effect.andThen(Effect.sleep(Duration.seconds(pauses.beforeUpdate ?? 0))),
                Effect.andThen(session.execute("UPDATE")),
                Effect.andThen(Effect.sleep(Duration.seconds(pauses.beforeCommit ?? 0)))
              )
          )
        )
      )
      while (running.pollUnsafe() === undefined) yield* TestClock.adjust("500 millis")
      const result = yield* Fiber.join(running)
      // Looked at before the pool itself closes: was the session thrown away, and the transaction with it?
      const kept = server.closed() === 0 ? "kept" : "closed"
      return `${result._tag === "Success" ? "committed" : result.failure.reason}, session ${kept}`
    }).pipe(Effect.scoped)

  it.effect("is committed when every statement follows soon, however long a statement takes itself", () =>
    Effect.gen(function* () {
      const server = slow({ INSERT: 200, UPDATE: 200, COMMIT: 59 })
      assert.strictEqual(yield* outcome(server, { beforeUpdate: 59, beforeCommit: 0.5 }), "committed, session kept")
      assert.deepStrictEqual(server.asked, ["BEGIN TRANSACTION", "INSERT", "UPDATE", "COMMIT"])
    })
  )

  it.effect("inserts beside others, but goes through the ledger's lock one after the other, up to COMMIT", () =>
    Effect.gen(function* () {
      const server = slow({ INSERT: 5, UPDATE: 2, COMMIT: 2 })
      const { transaction } = yield* SnowflakeClient.make(account(), 3, { open: server.open })
      const one = transaction(
        (session) => Effect.asVoid(session.execute("INSERT")),
        (session) => Effect.asVoid(session.execute("UPDATE"))
      )
      const running = yield* Effect.forkChild(Effect.all([one, one, one], { concurrency: 3 }))
      while (running.pollUnsafe() === undefined) yield* TestClock.adjust("500 millis")
      yield* Fiber.join(running)
      assert.notInclude(server.asked.slice(0, 6), "UPDATE", "all three insert at the same time")
      assert.deepStrictEqual(server.asked.slice(6), ["UPDATE", "COMMIT", "UPDATE", "COMMIT", "UPDATE", "COMMIT"])
    }).pipe(Effect.scoped)
  )

  it.effect("sends no UPDATE after a pause: alone it would move the ledger without its rows", () =>
    Effect.gen(function* () {
      const server = slow({})
      assert.strictEqual(yield* outcome(server, { beforeUpdate: 61 }), "unavailable, session closed")
      assert.deepStrictEqual(server.asked, ["BEGIN TRANSACTION", "INSERT"])
    })
  )

  it.effect("sends no COMMIT after a pause", () =>
    Effect.gen(function* () {
      const server = slow({})
      assert.strictEqual(yield* outcome(server, { beforeCommit: 61 }), "unavailable, session closed")
      assert.notInclude(server.asked, "COMMIT")
    })
  )

  it.effect("does not believe a COMMIT whose answer came late", () =>
    Effect.gen(function* () {
      assert.strictEqual(yield* outcome(slow({ COMMIT: 61 })), "unavailable, session closed")
    })
  )

  it.effect("continues after waits for the lock that were given up, with what it has inserted", () =>
    Effect.gen(function* () {
      const server = slow({ UPDATE: 60 })
      const given = yield* server.open()
      let left = 3
      const locked = new WarehouseError({ reason: "unavailable", message: "locked", code: "000627" })
      const session: Session = {
        ...given,
        execute: (sql) =>
          Effect.flatMap(given.execute(sql), (changed) =>
            sql === "UPDATE" && left-- > 0 ? Effect.fail(locked) : Effect.succeed(changed)
          )
      }
      const { transaction } = yield* SnowflakeClient.make(account(), 1, { open: () => Effect.succeed(session) })
      const running = yield* Effect.forkChild(
        transaction(
          (statements) => Effect.asVoid(statements.execute("INSERT")),
          (statements) => Effect.asVoid(whileLocked(statements.execute("UPDATE")))
        )
      )
      while (running.pollUnsafe() === undefined) yield* TestClock.adjust("1 second")
      yield* Fiber.join(running)
      const updates = ["UPDATE", "UPDATE", "UPDATE", "UPDATE"]
      assert.deepStrictEqual(server.asked, ["BEGIN TRANSACTION", "INSERT", ...updates, "COMMIT"])
    }).pipe(Effect.scoped)
  )

  it.effect("waits for its turn as long as it takes, having only inserted", () =>
    Effect.gen(function* () {
      const server = slow({ UPDATE: 200 })
      const { transaction } = yield* SnowflakeClient.make(account(), 2, { open: server.open })
      const one = transaction(
        (session) => Effect.asVoid(session.execute("INSERT")),
        (session) => Effect.asVoid(session.execute("UPDATE"))
      )
      const running = yield* Effect.forkChild(Effect.all([one, one], { concurrency: 2 }))
      while (running.pollUnsafe() === undefined) yield* TestClock.adjust("1 second")
      yield* Fiber.join(running)
      assert.lengthOf(
        server.asked.filter((sql) => sql === "COMMIT"),
        2
      )
    }).pipe(Effect.scoped)
  )

  it.effect("is rolled back when a statement is refused", () =>
    Effect.gen(function* () {
      const refused = new WarehouseError({ reason: "refused", message: "bad" })
      const server = slow({}, { UPDATE: refused })
      assert.strictEqual(yield* outcome(server), "refused, session kept")
      assert.strictEqual(server.asked.at(-1), "ROLLBACK")
    })
  )
})

describe("a transaction that the server has ended", () => {
  let emulator: Emulator | undefined
  beforeAll(async () => {
    emulator = await startEmulator({ idleTransactionSeconds: 1 })
  })
  afterAll(() => emulator?.stop())

  it.live("is unavailable, although the server answers COMMIT with OK", () =>
    Effect.gen(function* () {
      const settings = account(emulator?.url)
      const other = yield* connect(settings)
      for (const sql of ["CREATE DATABASE IF NOT EXISTS DB", "CREATE SCHEMA IF NOT EXISTS DB.BRONZE"])
        yield* other.execute(sql)
      yield* other.execute("CREATE TABLE DB.BRONZE.L AS SELECT 0 AS N")
      const set = (session: Session, value: number) => session.execute(`UPDATE DB.BRONZE.L SET N = ${value}`)
      const read = other.query("SELECT N FROM DB.BRONZE.L")

      // What Snowflake does to a client that was stopped while it held the lock: its COMMIT says OK and does nothing.
      const stopped = yield* connect(settings)
      yield* stopped.execute("BEGIN TRANSACTION")
      yield* set(stopped, 1)
      yield* set(other, 2)
      yield* stopped.execute("COMMIT")
      assert.deepStrictEqual(yield* read, [{ N: "2" }])

      const { transaction } = yield* SnowflakeClient.make(settings, 1, { maxPause: Duration.millis(500) })
      const paused = transaction((session) =>
        Effect.andThen(set(session, 3), Effect.andThen(set(other, 4), Effect.sleep("1 millis")))
      )
      assert.strictEqual((yield* Effect.flip(paused)).reason, "unavailable")
      assert.deepStrictEqual(yield* read, [{ N: "4" }])
      yield* transaction((session) => Effect.asVoid(set(session, 5)))
      assert.deepStrictEqual(yield* read, [{ N: "5" }])
      yield* Effect.andThen(stopped.close, other.close)
    }).pipe(Effect.scoped)
  )
})
