/**
 * Rows and dead letters as the bodies of requests: lines of JSON with the columns by name, compressed, each small enough
 * for the API. A value that its column would not take is left out, which is NULL: it must not cost the row.
 */
import { promisify } from "node:util"
import { gzip as gzipCallback } from "node:zlib"
import * as Effect from "effect/Effect"
import { shortened } from "../../../domain/DeadLetters.ts"
import type { BronzeRow, DeadLetter } from "../../../domain/Outcome.ts"
import { type Column, type ColumnType, schemaIdColumn, type Table } from "../../../domain/Route.ts"
import { isStorable } from "../../sql/Tables.ts"
import { unbound, WarehouseError } from "../../WarehouseError.ts"
import * as Lines from "./Lines.ts"

/** One request: the lines of consecutive records of a partition. */
export interface Body {
  /** As it goes over the wire. */
  readonly bytes: Buffer
  /** Before compression, which is what Snowflake counts. */
  readonly size: number
  readonly rows: number
  /** The offsets of its first and its last record. */
  readonly start: number
  readonly end: number
}

/**
 * 4 MB on the wire are the limit (docs.snowflake.com, "Snowpipe Streaming: limitations"); whether of 10^6 or of 2^20
 * bytes is not said.
 */
const maxWire = 3_800_000

/** Lines that are not compressible at all fit nevertheless. */
export const maxSize = 3_700_000

/** Of a dead letter's payload; in base64 it has a third more, and gzip takes that away again. */
const maxPayload = 3_400_000

const gzip = promisify(gzipCallback)

/** Level 1 costs a third of the CPU of level 6, and loses a tenth of the size. */
const compressed = (lines: Buffer) => Effect.promise(() => gzip(lines, { level: 1 }))

/** One line per item, in bodies of at most `limit` bytes before compression; an item that is larger goes alone. */
const bodies = Effect.fnUntraced(function* <A extends { readonly offset: number }>(
  items: ReadonlyArray<A>,
  write: (lines: Lines.Lines, item: A) => void,
  limit: number
) {
  const plain: Array<Omit<Body, "bytes"> & { readonly lines: Buffer }> = []
  yield* Effect.try({
    try: () => {
      const lines = Lines.open()
      let from = 0
      const cut = (to: number, size: number): void => {
        const [first, last] = [items[from], items[to - 1]]
        if (first === undefined || last === undefined || to === from) return
        plain.push({ lines: Lines.take(lines, size), size, rows: to - from, start: first.offset, end: last.offset })
        from = to
      }
      for (const [index, item] of items.entries()) {
        const before = lines.length
        write(lines, item)
        if (lines.length > limit) cut(index, before)
      }
      cut(items.length, lines.length)
    },
    catch: unbound
  })
  return yield* Effect.forEach(
    plain,
    ({ lines, ...body }) => Effect.map(compressed(lines), (bytes): Body => ({ ...body, bytes })),
    { concurrency: 4 }
  )
})

/** What no request can carry, by its place among the outcomes of the batch. */
const tooLarge = (body: Body, index: number): WarehouseError =>
  new WarehouseError({
    reason: "too_large",
    message: `the row has ${body.bytes.length} bytes once compressed; a request to the streaming API takes ${maxWire}`,
    ...(index >= 0 && { records: [index] })
  })

/** The rows of one partition; `indexOf` finds a row among the outcomes of the batch. */
export const ofRows = Effect.fnUntraced(function* (
  table: Table,
  rows: ReadonlyArray<BronzeRow>,
  now: number,
  limit: number,
  indexOf: (row: BronzeRow) => number
) {
  const write = rowWriter(table, now)
  const all = yield* bodies(rows, write, Math.min(limit, maxSize))
  const large = all.find(({ bytes }) => bytes.length > maxWire)
  const row = rows.find(({ offset }) => offset === large?.start)
  if (large !== undefined) return yield* tooLarge(large, row === undefined ? -1 : indexOf(row))
  return all
})

/** The dead letters of one partition; of a payload that is too large, only its beginning. */
export const ofLetters = Effect.fnUntraced(function* (
  table: Table,
  letters: ReadonlyArray<DeadLetter>,
  now: number,
  limit: number
) {
  const all = yield* bodies(letters, letterWriter(table, now), Math.min(limit, maxSize))
  const large = all.find(({ bytes }) => bytes.length > maxWire)
  return large === undefined ? all : yield* tooLarge(large, -1)
})

/** `2026-02-07 10:30:00.123`, in UTC: a number would be taken for local time. */
const time = (milliseconds: number): string => new Date(milliseconds).toISOString().slice(0, 23).replace("T", " ")

/** Times come in runs. */
const timeMemo = () => {
  let last = Number.NaN
  let text = ""
  return (milliseconds: number): string => {
    if (milliseconds !== last) {
      last = milliseconds
      text = time(milliseconds)
    }
    return text
  }
}

const quoted = (value: string): string => JSON.stringify(value)

/** A typed column's value in JSON; undefined where the column would not take it, and Snowflake would reject the row. */
const typed: Readonly<Record<ColumnType, (text: string) => string | undefined>> = {
  STRING: quoted,
  NUMBER: (text) => (/^-?\d{1,38}$/.test(text) ? quoted(text) : undefined),
  FLOAT: (text) => (/^-?(\d+(\.\d+)?(e[+-]?\d+)?|inf)$|^NaN$/i.test(text) ? quoted(text) : undefined),
  BOOLEAN: (text) => (text === "true" || text === "false" ? text : undefined),
  TIMESTAMP: (text) => (/^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(\.\d{1,9})?$/.test(text) ? quoted(text) : undefined)
}

const writeColumn = (lines: Lines.Lines, { name, type }: Column, value: string | null | undefined): void => {
  const json = value === null || value === undefined ? undefined : typed[type](value)
  if (json !== undefined) Lines.text(lines, `,${quoted(name)}:${json}`)
}

type Place = Pick<BronzeRow, "headers" | "key" | "offset" | "partition" | "timestamp" | "topic">

/** The columns that rows and dead letters have in common. */
const placeWriter = (now: number) => {
  const timeOf = timeMemo()
  const ingested = time(now)
  return (lines: Lines.Lines, { headers, key, offset, partition, timestamp, topic }: Place): void => {
    // Topics and times are ASCII.
    let place = `"KAFKA_TOPIC":"${topic}","KAFKA_PARTITION":${partition},"KAFKA_OFFSET":${offset},"INGESTION_TIMESTAMP":"${ingested}"`
    if (isStorable(timestamp)) place += `,"KAFKA_TIMESTAMP":"${timeOf(timestamp)}"`
    Lines.ascii(lines, place)
    if (key !== null) Lines.text(lines, `,"KAFKA_KEY":${quoted(key)}`)
    if (headers !== null) Lines.text(lines, `,"KAFKA_HEADERS":${headers}`)
  }
}

const rowWriter = ({ columns, hasSchemaIds = false }: Table, now: number) => {
  const writePlace = placeWriter(now)
  return (lines: Lines.Lines, row: BronzeRow): void => {
    Lines.ascii(lines, "{")
    writePlace(lines, row)
    for (const [index, column] of columns.entries()) writeColumn(lines, column, row.columns[index])
    if (hasSchemaIds && row.schemaId !== undefined) Lines.ascii(lines, `,"${schemaIdColumn}":${row.schemaId}`)
    // A tombstone has no RAW_EVENT, which is SQL NULL; the payload `null` is JSON null.
    if (row.event !== null) {
      Lines.ascii(lines, ',"RAW_EVENT":')
      Lines.json(lines, row.event)
    }
    Lines.ascii(lines, "}\n")
  }
}

const letterWriter = (table: Table, now: number) => {
  const writePlace = placeWriter(now)
  return (lines: Lines.Lines, whole: DeadLetter): void => {
    const letter = shortened(whole, maxPayload)
    Lines.ascii(lines, "{")
    writePlace(lines, letter)
    Lines.ascii(lines, `,"TABLE_NAME":"${table.name}","CAUSE":"${letter.cause}"`)
    Lines.text(lines, `,"MESSAGE":${quoted(letter.message)}`)
    Lines.ascii(lines, `,"PAYLOAD_TRUNCATED":${letter.truncated === true}`)
    if (letter.payload !== null) Lines.ascii(lines, `,"PAYLOAD_BASE64":"${letter.payload}"`)
    Lines.ascii(lines, "}\n")
  }
}
