/** What the INSERTs of the Snowflake layer bind: rows and dead letters as JSON arrays, each small enough for a statement. */
import { decoded } from "../../domain/Bytes.ts"
import { shortened } from "../../domain/DeadLetters.ts"
import type { BronzeRow, DeadLetter, Outcome } from "../../domain/Outcome.ts"
import { isStorable } from "../sql/Tables.ts"
import { jsonArrays, type RowBind } from "./RowBinds.ts"

const place = (row: BronzeRow | DeadLetter): string => {
  let text = `"n":${JSON.stringify(row.topic)},"p":${row.partition},"o":${row.offset}`
  if (isStorable(row.timestamp)) text += `,"t":${row.timestamp}`
  if (row.key !== null) text += `,"k":${JSON.stringify(row.key)}`
  if (row.headers !== null) text += `,"h":${row.headers}`
  return text
}

/**
 * Snowflake's documented limit for a statement with its binds is 1 MB, after compression (docs.snowflake.com, "Query
 * size limits"). More is processed, and cannot be run again.
 */
export const plainStatement = 1_000_000

/** JSON of so many bytes is below it once compressed, unless its events are noise. */
export const compressedStatement = 4_000_000

/**
 * The rows as the binds of `insertRows`, a statement each. The payload text is spliced in as it is, never parsed, so
 * 64-bit integers and `1.10` survive. A tombstone has no "v", which FLATTEN gives as SQL NULL; the payload `null` is a
 * "v" that is JSON null.
 */
export const rows = (all: ReadonlyArray<BronzeRow>, maxBytes = () => plainStatement): Iterable<RowBind> =>
  jsonArrays(
    all,
    (row) => {
      const columns = row.columns.length === 0 ? "" : `,"c":${JSON.stringify(row.columns)}`
      const schema = row.schemaId === undefined ? "" : `,"s":${row.schemaId}`
      const start = `{${place(row)}${columns}${schema}`
      return row.event === null ? [`${start}}`] : [`${start},"v":`, row.event, "}"]
    },
    maxBytes
  )

/**
 * What PARSE_JSON takes on every account (16 MiB), less some room. The query is not kept, so the limit for one that may
 * be run again does not matter.
 */
const largestCheck = 15_000_000

/**
 * The events among `outcomes` as the binds of `unparsable`: as text, so that what is in them is not looked at before.
 */
export const events = (outcomes: ReadonlyArray<Outcome>): Iterable<RowBind> =>
  jsonArrays(
    outcomes
      .flatMap((outcome, index) =>
        outcome._tag === "BronzeRow" && outcome.event !== null ? [{ index, event: decoded(outcome.event) }] : []
      )
      // PARSE_JSON makes SQL NULL of it.
      .filter(({ event }) => event.trim() !== "null"),
    ({ event, index }) => [`{"i":${index},"v":${JSON.stringify(event)}}`],
    () => largestCheck
  )

/**
 * What a STRING column, a VARIANT and PARSE_JSON take on every account (16 MiB; docs.snowflake.com, "String & binary
 * data types"), less some room for the message.
 */
const maxText = 16 * 1024 * 1024 - 16 * 1024

/**
 * Dead letters as the binds of `insertDeadLetters`, a statement each; of a payload that is too large for it, only its
 * beginning.
 */
export const deadLetters = (
  table: string,
  letters: ReadonlyArray<DeadLetter>,
  maxBytes = () => plainStatement
): Iterable<RowBind> =>
  jsonArrays(
    letters,
    (whole) => {
      const coordinates = `"a":${JSON.stringify(table)},${place(whole)}`
      const letter = shortened(whole, Math.floor(((maxText - Buffer.byteLength(coordinates)) / 4) * 3))
      const payload = letter.payload === null ? "" : `,"b":"${letter.payload}"`
      const truncated = letter.truncated === true ? ',"x":true' : ""
      return [`{${coordinates}${payload},"u":"${letter.cause}","m":${JSON.stringify(letter.message)}${truncated}}`]
    },
    () => Math.min(plainStatement, maxBytes())
  )
