/** Answers a statement that a person wrote, if it only reads: DuckDB itself tells what kind of statement it is. */
import * as Effect from "effect/Effect"
import type { QueryResult } from "../Warehouse.ts"
import { WarehouseError } from "../WarehouseError.ts"
import type { Connection } from "./Client.ts"

const refused = (what: string): WarehouseError => new WarehouseError({ reason: "denied", message: what })

/** What is wrong with a statement is for the person who wrote it to fix. */
const wrong = ({ message }: WarehouseError): WarehouseError =>
  refused(message.replace(/^Failed to [^:]+: /, "").replace(/; an unknown error$/, ""))

/** In a transaction that cannot write, so that a function with a side effect has none either. */
export const run = Effect.fnUntraced(function* (
  { call, execute, module }: Connection,
  sql: string,
  limit: number
): Effect.fn.Return<QueryResult, WarehouseError> {
  const { StatementType } = module
  const reading = [StatementType.SELECT, StatementType.EXPLAIN]
  const statements = yield* Effect.mapError(
    call((native) => native.extractStatements(sql)),
    wrong
  )
  if (statements.count !== 1) return yield* refused(`expected one statement, and found ${statements.count}`)
  const prepared = yield* Effect.mapError(
    call(() => statements.prepare(0)),
    wrong
  )
  if (!reading.includes(prepared.statementType))
    return yield* refused("only a statement that reads is allowed: SELECT, WITH, VALUES, SHOW, DESCRIBE, EXPLAIN")
  yield* execute("BEGIN TRANSACTION READ ONLY")
  const read = Effect.mapError(
    call(() => prepared.streamAndReadUntil(limit + 1)),
    wrong
  )
  // What has not been read of a large answer is given up with the transaction.
  const reader = yield* Effect.ensuring(read, Effect.ignore(execute("ROLLBACK")))
  const rows = reader.getRowsJson()
  return { columns: reader.columnNames(), rows: rows.slice(0, limit), truncated: rows.length > limit }
})
