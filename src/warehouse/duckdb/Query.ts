/**
 * Answers a statement that a person wrote, if it only reads: DuckDB itself tells what kind of statement it is. It may
 * take a bounded time, and what is wrong with it is said in full, because the text is theirs.
 */
import type { DuckDBConnection } from "@duckdb/node-api"
import type { Effect } from "effect/Effect"
import { onlyReading, refused, upTo } from "../sql/Reading.ts"
import type { QueryResult } from "../Warehouse.ts"
import { WarehouseError } from "../WarehouseError.ts"
import type { Connection } from "./Client.ts"

/** Milliseconds. */
const longest = 30_000

const wrong = (error: unknown): unknown => {
  const message = error instanceof Error ? error.message : String(error)
  // After such an error the database has to be reopened.
  if (error instanceof WarehouseError || /FATAL|has been invalidated/.test(message)) return error
  return refused(
    /^INTERRUPT/.test(message)
      ? `the query was stopped after ${longest / 1000} s`
      : message.replace(/^Failed to [^:]+: /, "").trim()
  )
}

/** In a transaction that cannot write, so that a function with a side effect has none either. */
const read = async (
  { module: { StatementType } }: Connection,
  native: DuckDBConnection,
  sql: string,
  limit: number
): Promise<QueryResult> => {
  const statements = await native.extractStatements(sql).catch((error: Error) => {
    // Where there is no statement the library has no message either.
    throw error.message === "Error in native callback" ? refused("expected one statement, and found none") : error
  })
  if (statements.count !== 1) throw refused(`expected one statement, and found ${statements.count}`)
  await native.run("BEGIN TRANSACTION READ ONLY")
  try {
    const prepared = await statements.prepare(0)
    if (![StatementType.SELECT, StatementType.EXPLAIN].includes(prepared.statementType)) throw refused(onlyReading)
    const reader = await prepared.streamAndReadUntil(limit + 1)
    return upTo(limit, reader.columnNames(), reader.getRowsJson())
  } finally {
    // What has not been read of a large answer is given up with it.
    await native.run("ROLLBACK")
  }
}

export const run = (connection: Connection, sql: string, limit: number): Effect<QueryResult, WarehouseError> =>
  connection.call(async (native) => {
    const timer = setTimeout(() => native.interrupt(), longest)
    try {
      return await read(connection, native, sql, limit)
    } catch (error) {
      throw wrong(error)
    } finally {
      clearTimeout(timer)
    }
  })
