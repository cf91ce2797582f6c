/** Sorts what DuckDB throws into the reasons of WarehouseError, with a message that says what to do and never shows a payload. */
import * as Predicate from "effect/Predicate"
import { WarehouseError, type WarehouseErrorReason } from "../WarehouseError.ts"

type Verdict = readonly [pattern: RegExp, reason: WarehouseErrorReason, advice: string]

/** The first that matches; what is not listed is taken for a passing fault, because trying again loses nothing. */
const verdicts: ReadonlyArray<Verdict> = [
  [/^IO Error: Cannot open file/, "denied", "check DUCKDB_PATH: the directory must exist and be writable"],
  [/^IO Error: .*not a valid DuckDB database/, "denied", "DUCKDB_PATH names a file of another kind"],
  [/^IO Error: .*(Permission denied|Is a directory|Read-only)/i, "denied", "check DUCKDB_PATH and its permissions"],
  [/^IO Error: .*No space left/i, "unavailable", "make room on the disk"],
  [/^(Catalog|Binder) Error|could not be found/, "denied", "create what is missing with `node dist/main.js init`"],
  [/^(Conversion|Invalid Input|Out of Range|Constraint) Error/, "refused", "the data of a record does not fit"],
  [/Conflict/, "unavailable", "another transaction was first"]
]

/** Whatever a DuckDB call failed with, as a WarehouseError. */
export const fromDuckDb =
  (path: string) =>
  (cause: unknown): WarehouseError => {
    const message = Predicate.hasProperty(cause, "message") ? String(cause.message) : String(cause)
    const lock = /Conflicting lock is held in (.*?) \(PID (\d+)\)/.exec(message)
    if (lock !== null)
      return new WarehouseError({
        reason: "denied",
        message: `${path} is held by process ${lock[2]} (${lock[1]}), and DuckDB lets in one process at a time; stop that one, or set DUCKDB_PATH to another file`
      })
    const [, reason, advice] = verdicts.find(([pattern]) => pattern.test(message)) ?? unknownFault
    // What comes after the first quotation may be data.
    const text = (message.split("\n")[0] ?? "").trim()
    return new WarehouseError({
      reason,
      message: `${reason === "refused" ? (text.split(/["'\d]/)[0] ?? "").trim() : text}; ${advice}`
    })
  }

const unknownFault: Verdict = [/./, "unavailable", "a passing fault, as far as can be told"]

/** After an error of this kind the open database answers nothing any more and has to be opened anew. */
export const isFatal = (error: WarehouseError): boolean => /FATAL|has been invalidated/.test(error.message)

/** Two open transactions met on one column of a row, or made a row with the same key. */
export const isConflict = (error: WarehouseError): boolean => /conflict on|duplicate key/i.test(error.message)

/** Another process has the file. */
export const isHeld = (error: WarehouseError): boolean => error.message.includes("is held by process")
