/**
 * Sorts what DuckDB throws into the reasons of WarehouseError, with a message that says what to do and never shows a
 * payload.
 */
import * as Predicate from "effect/Predicate"
import { WarehouseError, type WarehouseErrorReason } from "../WarehouseError.ts"

type Verdict = readonly [pattern: RegExp, reason: WarehouseErrorReason, advice: string]

const damaged = "the file is damaged: restore it from a backup, or set DUCKDB_PATH to another file"
const data = "the data of a record does not fit"

/**
 * The first that matches; what is not listed is retried, because that loses nothing, and said not to pass when it
 * stays.
 */
const verdicts: ReadonlyArray<Verdict> = [
  [/No space left|Disk quota exceeded|disk (is )?full/i, "unavailable", "make room on the disk"],
  [/not a valid DuckDB database/, "denied", "DUCKDB_PATH names a file of another kind"],
  [/database file with version number/, "denied", "the file was written by another version of DuckDB"],
  [/Corrupt database|Could not read enough bytes|^Serialization Error|replaying WAL/i, "denied", damaged],
  [/^IO Error: Cannot open file/, "denied", "check DUCKDB_PATH: the directory must exist and be writable"],
  [/^IO Error: .*(Permission denied|Read-only)/i, "denied", "check DUCKDB_PATH and its permissions"],
  [/^(ENOTDIR|EISDIR|ELOOP|ENAMETOOLONG|EINVAL)\b/, "denied", "DUCKDB_PATH has to name a file"],
  [/^(EACCES|EPERM)\b/, "denied", "check DUCKDB_PATH and its permissions"],
  [/^IO Error: .*(Is a directory|Invalid argument)/i, "denied", "DUCKDB_PATH has to name a file"],
  [/^IO Error: .*Extension/i, "denied", "DUCKDB_PATH has to name a DuckDB file; no extension is loaded"],
  [
    /^Transaction(Context)? Error|write-write conflict|conflict on/i,
    "unavailable",
    "conflict with another transaction"
  ],
  [
    /is not an? table|only modify view/,
    "denied",
    "rows can be added to a table only; drop the view, or name another table"
  ],
  [/type mismatch in AppendDataChunk/, "denied", "a column has another type than ours; see `bronze-consumer doctor`"],
  [/^(Catalog|Binder) Error|could not be found/, "denied", "create what is missing with `bronze-consumer init`"],
  [/constraint failed|Duplicate key|violates/i, "refused", data],
  [/^(Conversion|Invalid Input|Out of Range|Constraint) Error/, "refused", data]
]

/** Whatever a DuckDB call failed with, as a WarehouseError. */
export const fromDuckDb =
  (path: string) =>
  (cause: unknown): WarehouseError => {
    if (cause instanceof WarehouseError) return cause
    const message = Predicate.hasProperty(cause, "message") ? String(cause.message) : String(cause)
    const lock = /Conflicting lock is held in (.*?) \(PID (\d+)\)/.exec(message)
    if (lock !== null)
      return new WarehouseError({
        reason: "denied",
        message: `${path} is held by process ${lock[2]} (${lock[1]}), and DuckDB allows one process at a time; stop that one, or set DUCKDB_PATH to another file`
      })
    const text = (message.split("\n")[0] ?? "").trim()
    // What comes after the first quotation may be data; only these classes quote nothing but paths.
    const known = /^(IO|FATAL|Fatal|TransactionContext|Transaction|Serialization|Table)\b/.test(text)
      ? text
      : beforeData(text)
    const found = verdicts.find(([pattern]) => pattern.test(known))
    const [, reason, advice] = found ?? unknownFault
    const isRule = /(NOT NULL|CHECK) constraint failed/.test(known)
    return new WarehouseError({
      reason,
      message: `${reason === "refused" && !isRule ? beforeData(text.replace(/\d.*/, "")) : text}; ${advice}`,
      ...(found === undefined && { isUnknown: true })
    })
  }

const beforeData = (text: string): string => (text.split(/["']/)[0] ?? "").trim()

const unknownFault: Verdict = [/./, "unavailable", "an unknown error"]

/** The column that takes no NULL, where an error says that it got one. */
export const lackingColumn = ({ message }: WarehouseError): string | undefined =>
  /NOT NULL constraint failed: .*\.([^.;]+);/.exec(message)?.[1]

/** After an error of this kind the open database answers nothing any more and has to be reopened. */
export const isFatal = (error: WarehouseError): boolean => /FATAL|has been invalidated/.test(error.message)

/** Two open transactions met on one column of a row, or made a row with the same key. */
export const isConflict = (error: WarehouseError): boolean => /conflict on|duplicate key/i.test(error.message)

/** Another process has the file. */
export const isHeld = (error: WarehouseError): boolean => error.message.includes("is held by process")
