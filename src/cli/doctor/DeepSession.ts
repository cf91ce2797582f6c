/**
 * What `doctor --deep` checks of sessions: lock timeouts, visibility between sessions, parameters, statement latency.
 */
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { type Session, lockTimeout as usual } from "../../warehouse/snowflake/Driver.ts"
import { decodeRows, Integer } from "../../warehouse/sql/LedgerRows.ts"
import type { Dialect } from "../../warehouse/sql/Tables.ts"
import { good, warning } from "./Finding.ts"

const decodeNumber = decodeRows(Schema.Struct({ N: Integer }))
const decodeParameters = decodeRows(Schema.Struct({ key: Schema.String, value: Schema.String }))

const table = (names: Dialect): string => names.qualified("NUMBERS")

const fresh = (session: Session, names: Dialect) =>
  Effect.andThen(
    session.execute(`CREATE OR REPLACE TABLE ${table(names)} (ID NUMBER, N NUMBER)`),
    session.execute(`INSERT INTO ${table(names)} SELECT 0, 0`)
  )

const set = (session: Session, names: Dialect, value: number) =>
  session.execute(`UPDATE ${table(names)} SET N = ${value} WHERE ID = 0`)

/** T5: a wait that is over is 000627, and the transaction continues with what it has inserted. */
export const lockTimeout = Effect.fnUntraced(function* (a: Session, b: Session, names: Dialect) {
  yield* fresh(a, names)
  yield* a.execute("BEGIN TRANSACTION")
  yield* set(a, names, 1)
  yield* b.execute("ALTER SESSION SET LOCK_TIMEOUT = 2")
  yield* b.execute("BEGIN TRANSACTION")
  yield* b.execute(`INSERT INTO ${table(names)} SELECT 5, 5`)
  const code = yield* Effect.match(set(b, names, 2), {
    onFailure: (error) => error.code ?? error.message,
    onSuccess: () => "none"
  })
  yield* a.execute("ROLLBACK")
  const moved = yield* set(b, names, 2)
  yield* b.execute("COMMIT")
  yield* b.execute(`ALTER SESSION SET LOCK_TIMEOUT = ${usual}`)
  const [kept] = yield* Effect.flatMap(a.query(`SELECT COUNT(*) AS N FROM ${table(names)} WHERE ID = 5`), decodeNumber)
  const found = `${code}, then ${moved} row changed in the same transaction, ${kept?.N} row of it kept`
  return code === "000627" && moved === 1 && kept?.N === 1
    ? good("T5", `a lock wait that timed out: ${found}`)
    : warning("T5", `a lock wait that timed out: ${found}; writes start over where they could continue`)
})

/** T8: READ_CONSISTENCY_MODE. */
export const stale = Effect.fnUntraced(function* (a: Session, b: Session, names: Dialect) {
  yield* fresh(a, names)
  let missed = 0
  for (let value = 1; value <= 20; value++) {
    yield* set(a, names, value)
    const [seen] = yield* Effect.flatMap(b.query(`SELECT N FROM ${table(names)} WHERE ID = 0`), decodeNumber)
    if (seen?.N !== value) missed++
  }
  return missed === 0
    ? good("T8", "another session sees a commit at once, 20 of 20 times")
    : warning(
        "T8",
        `another session missed ${missed} of 20 commits (READ_CONSISTENCY_MODE = SESSION); costs time, never data`
      )
})

const shown = ["AUTOCOMMIT", "TRANSACTION_ABORT_ON_ERROR", "LOCK_TIMEOUT", "READ_CONSISTENCY_MODE", "TIMEZONE"]

/** T13: the session is set up, or `connect` would have failed; these are the values that hold. */
export const parameters = (session: Session) =>
  session.query("SHOW PARAMETERS IN SESSION").pipe(
    Effect.flatMap(decodeParameters),
    Effect.map((rows) => {
      const values = new Map(rows.map(({ key, value }) => [key.toUpperCase(), value]))
      const said = shown.map((name) => `${name} ${values.get(name) ?? "unknown"}`).join(", ")
      const pinned =
        /true/i.test(values.get("AUTOCOMMIT") ?? "") && /false/i.test(values.get("TRANSACTION_ABORT_ON_ERROR") ?? "")
      return pinned ? good("T13", said) : warning("T13", said)
    })
  )

/** T16: what a write is made of. */
export const latencies = Effect.fnUntraced(function* (session: Session, names: Dialect) {
  yield* fresh(session, names)
  const times = new Map<string, Array<number>>()
  for (let round = 0; round < 5; round++)
    for (const [name, sql] of [
      ["BEGIN", "BEGIN TRANSACTION"],
      ["INSERT", `INSERT INTO ${table(names)} SELECT 1, ${round}`],
      ["UPDATE", `UPDATE ${table(names)} SET N = ${round} WHERE ID = 0`],
      ["COMMIT", "COMMIT"]
    ] as const) {
      const [took] = yield* Effect.timed(session.execute(sql))
      times.set(name, [...(times.get(name) ?? []), Duration.toMillis(took)])
    }
  const median = (name: string) => Math.round((times.get(name) ?? []).sort((x, y) => x - y)[2] ?? 0)
  const held = (2 * median("UPDATE") + median("COMMIT")) / 1000
  const each = [...times.keys()].map((name) => `${name} ${median(name)}`).join(", ")
  return good("T16", `median ms: ${each}; a write holds the ledger's lock for about ${held.toFixed(1)} s`)
})
