/**
 * The database file as the system sees it: whether DuckDB should open it, and whether it is still the one that was
 * opened.
 */
import { closeSync, openSync, readSync, type Stats, statSync } from "node:fs"
import { WarehouseError } from "../WarehouseError.ts"

/** What is at `path` now; undefined where there is nothing, or nothing that can be reached. */
const lookAt = (path: string): Stats | undefined => {
  try {
    return statSync(path, { throwIfNoEntry: false })
  } catch {
    return undefined
  }
}

/** Which file is at `path` now. */
export const identity = (path: string): string | undefined => {
  const found = lookAt(path)
  return found === undefined ? undefined : `${found.dev}:${found.ino}`
}

export const sizeOf = (path: string): number => lookAt(path)?.size ?? 0

/**
 * Throws for what is no file, and for a file of another kind that DuckDB would fetch an extension for; DuckDB makes a
 * file that does not exist.
 */
export const check = (path: string, mayCreate: boolean): void => {
  const found = statSync(path, { throwIfNoEntry: false })
  if (found === undefined) {
    if (mayCreate) return
    throw denied(`DuckDB file ${path} does not exist; bronze-consumer init creates it`)
  }
  if (!found.isFile()) throw denied(`${path} is not a file; set DUCKDB_PATH to a file`)
  if (header(path).startsWith("SQLite format 3"))
    throw denied(`${path} is a SQLite database; set DUCKDB_PATH to another file`)
}

const header = (path: string): string => {
  const bytes = Buffer.alloc(16)
  const file = openSync(path, "r")
  try {
    return bytes.toString("latin1", 0, readSync(file, bytes, 0, bytes.length, 0))
  } finally {
    closeSync(file)
  }
}

/** What is written to a file that has no name any more is lost with the process. */
export const gone = (path: string): WarehouseError =>
  denied(`${path} was deleted or replaced while it was open: stop the service, put the file back, and start it again`)

const denied = (message: string) => new WarehouseError({ reason: "denied", message })
