/**
 * The INSERTs of a batch: in statements as large as this account takes, and and finds the records at fault when one is
 * refused.
 */
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { type Batch, deadLettersOf, rowsOf } from "../../domain/Batch.ts"
import type { Table } from "../../domain/Route.ts"
import { decodeRows, Integer } from "../sql/LedgerRows.ts"
import type { Dialect } from "../sql/Tables.ts"
import { WarehouseError } from "../WarehouseError.ts"
import type { SnowflakeClient } from "./Client.ts"
import type { Session } from "./Driver.ts"
import * as InsertBinds from "./InsertBinds.ts"
import { whileLocked } from "./Lock.ts"
import type { RowBind } from "./RowBinds.ts"
import * as Sql from "./Sql.ts"

type Rows = Pick<Batch, "outcomes" | "table">

/** Milliseconds. A real account is never faster than 300, an INSERT of 1 MB that nothing holds up takes less. */
const slowInsert = 250

/**
 * No gateway is known to refuse so little; a statement that is refused all the same carries one record that is too
 * large.
 */
const smallestStatement = 64_000

/** An internal error that comes so often for one batch, while the table takes other statements, is the batch's own. */
const suspicious = 3

/** What Snowflake, or what is before it, answers where a payload may be the cause as well as an incident. */
const perhapsData = new Set(["000603", "400"])

export const make = (names: Dialect, client: SnowflakeClient) => {
  const insertSql = memo((table) => Sql.insertRows(names, table))
  const checkSql = Sql.unparsable

  // What mostly waits for its answer should carry more. Compressing costs as much as a third of the rest, so it is not
  // done for nothing.
  let isSlow = false
  // What was answered with 413 is not retried by this process.
  let largest = Number.POSITIVE_INFINITY
  // After a refusal a batch is sent once more: in as few statements as will do.
  let isAgain = false
  const statementBytes = () =>
    Math.min(largest, isSlow || isAgain ? InsertBinds.compressedStatement : InsertBinds.plainStatement)

  /** Each statement is made when it is its turn, so that one at a time is in memory. */
  const statements = function* (batch: Rows): Generator<readonly [sql: string, bind: RowBind]> {
    for (const bind of InsertBinds.rows(rowsOf(batch), statementBytes)) yield [insertSql(batch.table), bind]
    for (const bind of InsertBinds.deadLetters(batch.table.name, deadLettersOf(batch), statementBytes))
      yield [Sql.insertDeadLetters(names), bind]
  }

  const failures = new WeakMap<Rows, number>()

  const insertAll = Effect.fnUntraced(function* (session: Session, batch: Rows) {
    for (const [sql, bind] of statements(batch)) {
      const [took] = yield* Effect.timed(whileLocked(session.execute(sql, [bind]))).pipe(
        Effect.tapError((error) =>
          Effect.sync(() => {
            if (error.code === "413" && bind.bytes.length <= statementBytes())
              largest = Math.max(smallestStatement, Math.floor(bind.bytes.length / 2))
            if (perhapsData.has(error.code ?? "")) failures.set(batch, (failures.get(batch) ?? 0) + 1)
          })
        )
      )
      isSlow = Duration.toMillis(took) > slowInsert
    }
    isAgain = false
  })

  /**
   * The same batch again for as long as 413 makes the statements smaller, which it does only a few times in the life of
   * a process.
   */
  const inStatementsThatPass = <A>(write: Effect.Effect<A, WarehouseError>): Effect.Effect<A, WarehouseError> =>
    Effect.suspend(() => {
      const before = largest
      return Effect.catchIf(
        write,
        ({ code }) => code === "413" && largest < before,
        () => inStatementsThatPass(write)
      )
    })

  /** Whether the table takes a statement without rows. */
  const takesOthers = (table: Table) =>
    Effect.isSuccess(client.transaction((session) => session.execute(insertSql(table), ["[]"])))

  const blamed = Effect.fnUntraced(function* (batch: Rows, error: WarehouseError) {
    const isSuspect = perhapsData.has(error.code ?? "") && (failures.get(batch) ?? 0) >= suspicious
    if (!isSuspect || !(yield* takesOthers(batch.table))) return error
    const { code, message } = error
    return new WarehouseError({ reason: "refused", message, ...(code === undefined ? {} : { code }) })
  })

  /**
   * The records that PARSE_JSON does not take, by their index among the outcomes: all of them with one query, however
   * many they are.
   */
  const atFault = Effect.fnUntraced(function* (batch: Rows) {
    const found: Array<number> = []
    for (const bind of InsertBinds.events(batch.outcomes))
      for (const { N } of yield* Effect.flatMap(
        client.use((session) => session.query(checkSql, [bind])),
        decodeFaults
      ))
        found.push(N)
    return found
  })

  /** A refusal says which records it means, where that can be decided without trying them. */
  const judged =
    (batch: Rows) =>
    (failed: WarehouseError): Effect.Effect<never, WarehouseError> =>
      Effect.flatMap(blamed(batch, failed), (error) =>
        error.reason !== "refused" || batch.outcomes.length === 1
          ? Effect.fail(error)
          : Effect.flatMap(
              // Whatever stands in the way of the query: halves will tell.
              Effect.orElseSucceed(atFault(batch), () => []),
              (records) => {
                isAgain = records.length > 0
                return Effect.fail(new WarehouseError({ reason: "refused", message: error.message, records }))
              }
            )
      )

  return {
    insertAll,
    /** Around the transaction that inserts a batch. */
    guarded: <A>(batch: Rows, write: Effect.Effect<A, WarehouseError>): Effect.Effect<A, WarehouseError> =>
      Effect.catch(inStatementsThatPass(write), judged(batch)),
    /**
     * Whether one statement carries the batch, which then is atomic by itself; undefined when there is nothing to
     * insert.
     */
    isSingle: (batch: Rows): boolean | undefined => {
      const [first, second] = statements(batch)
      return first === undefined ? undefined : second === undefined
    }
  }
}

const decodeFaults = decodeRows(Schema.Struct({ N: Integer }))

/** Builds the text of a table's statement once. */
const memo = (build: (table: Table) => string) => {
  const built = new Map<string, string>()
  return (table: Table): string => {
    const sql = built.get(table.name) ?? build(table)
    built.set(table.name, sql)
    return sql
  }
}
