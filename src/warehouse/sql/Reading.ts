/** What a statement that a person wrote is answered with, on every warehouse: so many rows, or why it is not run. */
import type { QueryResult } from "../Warehouse.ts"
import { WarehouseError } from "../WarehouseError.ts"

export const onlyReading = "only a statement that reads is allowed: SELECT, WITH, VALUES, SHOW, DESCRIBE, EXPLAIN"

/** It is for the person who wrote the statement to fix. */
export const refused = (message: string): WarehouseError => new WarehouseError({ reason: "denied", message })

/** Of an answer that was read for one row more than `limit`. */
export const upTo = (
  limit: number,
  columns: ReadonlyArray<string>,
  rows: ReadonlyArray<ReadonlyArray<unknown>>
): QueryResult => ({ columns, rows: rows.slice(0, limit), truncated: rows.length > limit })
