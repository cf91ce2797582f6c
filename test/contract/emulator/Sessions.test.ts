/** Locks, transactions and session parameters on the emulator are as strict as Snowflake's. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import { emulator, session } from "../../support/emulator/EmulatorSession.ts"

const table = "DB.BRONZE.T"
const given = (options: Record<string, string | number | boolean> = {}) =>
  Effect.gen(function* () {
    const { url } = yield* emulator({ options })
    const first = yield* session(url)
    yield* first.execute("CREATE DATABASE IF NOT EXISTS DB")
    yield* first.execute("CREATE SCHEMA IF NOT EXISTS DB.BRONZE")
    yield* first.execute(`CREATE TABLE ${table} (N NUMBER(38,0))`)
    yield* first.execute(`INSERT INTO ${table} VALUES (1)`)
    return { url, first }
  })
const rows = ({ query }: { query: (sql: string) => Effect.Effect<ReadonlyArray<unknown>, unknown> }) =>
  Effect.map(query(`SELECT N FROM ${table} ORDER BY N`), (found) => JSON.stringify(found))

describe("the emulator's sessions", () => {
  it.live("a wait for a lock ends with 000627, beyond so many waiters with 000625; the transaction continues", () =>
    Effect.gen(function* () {
      const { url, first } = yield* given({ "lock-waiters": 2 })
      yield* first.execute("BEGIN")
      yield* first.execute(`UPDATE ${table} SET N = 2`)
      const waiter = Effect.gen(function* () {
        const { execute, query } = yield* session(url)
        yield* execute("ALTER SESSION SET LOCK_TIMEOUT = 2")
        yield* execute("BEGIN")
        yield* execute(`INSERT INTO ${table} VALUES (7)`)
        const { code, message } = yield* Effect.flip(execute(`UPDATE ${table} SET N = 3`))
        const kept = yield* rows({ query })
        yield* execute("ROLLBACK")
        return { code, message, kept }
      })
      const said = yield* Effect.all([waiter, waiter, waiter], { concurrency: 3 })
      assert.deepStrictEqual(said.map(({ code }) => code).sort(), ["000625", "000627", "000627"])
      for (const { message, kept } of said) {
        assert.include(message, "has locked table")
        assert.strictEqual(kept, '[{"N":"1"},{"N":"7"}]')
      }
      yield* first.execute("COMMIT")
      assert.strictEqual(yield* rows(first), '[{"N":"2"}]')
    }).pipe(Effect.scoped)
  )

  it.live("with AUTOCOMMIT = FALSE nothing is committed by itself, and an end of the session takes it back", () =>
    Effect.gen(function* () {
      const { url, first } = yield* given()
      const waiting = yield* Effect.scoped(
        Effect.gen(function* () {
          const { execute } = yield* session(url)
          yield* execute("ALTER SESSION SET AUTOCOMMIT = FALSE")
          yield* execute(`UPDATE ${table} SET N = 5`)
          assert.strictEqual(yield* rows(first), '[{"N":"1"}]')
          return yield* Effect.forkDetach(first.execute(`UPDATE ${table} SET N = N + 1`))
        })
      )
      yield* Fiber.join(waiting)
      assert.strictEqual(yield* rows(first), '[{"N":"2"}]')
    }).pipe(Effect.scoped)
  )

  it.live("with TRANSACTION_ABORT_ON_ERROR nothing passes after an error until the transaction is ended", () =>
    Effect.gen(function* () {
      const { first } = yield* given()
      yield* first.execute("ALTER SESSION SET TRANSACTION_ABORT_ON_ERROR = TRUE")
      yield* first.execute("BEGIN")
      yield* first.execute(`INSERT INTO ${table} VALUES (3)`)
      yield* Effect.flip(first.query("SELECT * FROM DB.BRONZE.NOT_THERE"))
      yield* Effect.flip(first.query("SELECT 1"))
      yield* first.execute("COMMIT")
      assert.strictEqual(yield* rows(first), '[{"N":"1"}]')
    }).pipe(Effect.scoped)
  )

  it.live("an ALTER SESSION that the account refuses sets nothing, and no session is opened without it", () =>
    Effect.gen(function* () {
      const { url } = yield* emulator({ options: { "refused-parameters": "STATEMENT_TIMEOUT_IN_SECONDS" } })
      const { message } = yield* Effect.flip(session(url))
      assert.include(message, "STATEMENT_TIMEOUT_IN_SECONDS")
    }).pipe(Effect.scoped)
  )

  it.live("an older session need not see at once what another has committed; a new one does", () =>
    Effect.gen(function* () {
      const { url, first } = yield* given({ "stale-ms": 60_000 })
      const older = yield* session(url)
      yield* first.execute("BEGIN")
      yield* first.execute(`UPDATE ${table} SET N = 2`)
      yield* first.execute("COMMIT")
      const newer = yield* session(url)
      assert.deepStrictEqual(yield* Effect.forEach([first, older, newer], rows), [
        '[{"N":"2"}]',
        '[{"N":"1"}]',
        '[{"N":"2"}]'
      ])
      // What it writes is on top of what the others have committed.
      yield* older.execute("BEGIN")
      yield* older.execute(`UPDATE ${table} SET N = N + 1`)
      assert.strictEqual(yield* rows(older), '[{"N":"3"}]')
      yield* older.execute("COMMIT")
      assert.strictEqual(yield* rows(older), '[{"N":"3"}]')
    }).pipe(Effect.scoped)
  )

  it.live("with the latencies of an account an UPDATE and its COMMIT hold the lock for about a second", () =>
    Effect.gen(function* () {
      const { first } = yield* given({ latency: true })
      yield* first.execute("BEGIN")
      const started = Date.now()
      yield* first.execute(`UPDATE ${table} SET N = 2`)
      yield* first.execute("COMMIT")
      assert.isAtLeast(Date.now() - started, 1050)
    }).pipe(Effect.scoped)
  )
})
