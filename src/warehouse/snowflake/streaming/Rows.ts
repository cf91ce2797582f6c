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
import * as Timestamps from "../../../domain/Timestamps.ts"
import { isStorable } from "../../sql/Tables.ts"
import { unbound, WarehouseError } from "../../WarehouseError.ts"
import * as Lines from "./Lines.ts"

/** One request: the lines of consecutive records of a partition. */
export interface Body {
  /** As it goes over the wire. */
  readonly bytes: Buffer
  /** Before compression, which is what Snowflake counts. */
  readonly size: number
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

/** Each piece of output costs a turn of the event loop. */
const outputChunk = 512 * 1024

/** Level 1 costs a third of the CPU of level 6, and loses a tenth of the size. */
const compressed = (lines: Buffer) => Effect.promise(() => gzip(lines, { level: 1, chunkSize: outputChunk }))

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
        plain.push({ lines: Lines.take(lines, size), size, start: first.offset, end: last.offset })
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

/** What no request can carry; `records` are the indexes of what is at fault, where they are known. */
const tooLarge = ({ bytes }: Body, records: ReadonlyArray<number>): WarehouseError =>
  new WarehouseError({
    reason: "too_large",
    message: `the row has ${bytes.length} bytes once compressed; a request to the streaming API takes ${maxWire}`,
    ...(records.length > 0 && { records })
  })

const unlessTooLarge = (
  all: ReadonlyArray<Body>,
  recordsOf: (body: Body) => ReadonlyArray<number>
): Effect.Effect<ReadonlyArray<Body>, WarehouseError> => {
  const large = all.find(({ bytes }) => bytes.length > maxWire)
  return large === undefined ? Effect.succeed(all) : Effect.fail(tooLarge(large, recordsOf(large)))
}

/** The rows of one partition; `indexOf` finds a row among the outcomes of the batch. */
export const ofRows = (
  table: Table,
  rows: ReadonlyArray<BronzeRow>,
  now: number,
  limit: number,
  indexOf: (row: BronzeRow) => number
) =>
  Effect.flatMap(bodies(rows, rowWriter(table, now), limit), (all) =>
    // A body that is too large has one row.
    unlessTooLarge(all, ({ start }) => rows.filter(({ offset }) => offset === start).map(indexOf))
  )

/** The dead letters of one partition; of a payload that is too large, only its beginning. */
export const ofLetters = (table: Table, letters: ReadonlyArray<DeadLetter>, now: number, limit: number) =>
  Effect.flatMap(bodies(letters, letterWriter(table, now), limit), (all) => unlessTooLarge(all, () => []))

/** Times come in runs. As text, for a number would be taken for local time. */
const timeMemo = () => {
  let last = Number.NaN
  let text = ""
  return (milliseconds: number): string => {
    if (milliseconds !== last) {
      last = milliseconds
      text = Timestamps.ofMillis(milliseconds)
    }
    return text
  }
}

const quoted = (value: string): string => JSON.stringify(value)

/** A typed column's value in JSON; empty where the column would not take it, and Snowflake would reject the row. */
const typed: Readonly<Record<ColumnType, (text: string) => string>> = {
  STRING: quoted,
  NUMBER: (text) => (/^-?\d{1,38}$/.test(text) ? `"${text}"` : ""),
  FLOAT: (text) => (/^-?(\d+(\.\d+)?(e[+-]?\d+)?|inf)$|^NaN$/i.test(text) ? `"${text}"` : ""),
  BOOLEAN: (text) => (text === "true" || text === "false" ? text : ""),
  TIMESTAMP: (text) => (/^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(\.\d{1,9})?$/.test(text) ? `"${text}"` : "")
}

/** `,"NAME":value`, for each of the columns that has one. */
const columnsText = (columns: ReadonlyArray<Column>) => {
  const writers = columns.map(({ name, type }) => ({ head: `,${quoted(name)}:`, json: typed[type] }))
  return (values: ReadonlyArray<string | null>): string => {
    let text = ""
    for (const [index, { head, json }] of writers.entries()) {
      const value = values[index]
      const found = value === null || value === undefined ? "" : json(value)
      if (found !== "") text += head + found
    }
    return text
  }
}

type Place = Pick<BronzeRow, "headers" | "key" | "offset" | "partition" | "timestamp" | "topic">

/** The columns that rows and dead letters have in common. */
const placeText = (now: number) => {
  const timeOf = timeMemo()
  const ingested = Timestamps.ofMillis(now)
  return ({ headers, key, offset, partition, timestamp, topic }: Place): string => {
    let place = `{"KAFKA_TOPIC":"${topic}","KAFKA_PARTITION":${partition},"KAFKA_OFFSET":${offset},"INGESTION_TIMESTAMP":"${ingested}"`
    if (isStorable(timestamp)) place += `,"KAFKA_TIMESTAMP":"${timeOf(timestamp)}"`
    if (key !== null) place += `,"KAFKA_KEY":${quoted(key)}`
    return headers === null ? place : `${place},"KAFKA_HEADERS":${headers}`
  }
}

const rowWriter = ({ columns, hasSchemaIds = false }: Table, now: number) => {
  const placeOf = placeText(now)
  const columnsOf = columnsText(columns)
  return (lines: Lines.Lines, row: BronzeRow): void => {
    const schema = hasSchemaIds && row.schemaId !== undefined ? `,"${schemaIdColumn}":${row.schemaId}` : ""
    const start = placeOf(row) + columnsOf(row.columns) + schema
    // A tombstone has no RAW_EVENT, which is SQL NULL; the payload `null` is JSON null.
    if (row.event === null) Lines.text(lines, start)
    else {
      Lines.text(lines, `${start},"RAW_EVENT":`)
      Lines.json(lines, row.event)
    }
    Lines.end(lines)
  }
}

const letterWriter = (table: Table, now: number) => {
  const placeOf = placeText(now)
  return (lines: Lines.Lines, whole: DeadLetter): void => {
    const { cause, message, payload, truncated = false, ...place } = shortened(whole, maxPayload)
    const columns = `,"TABLE_NAME":"${table.name}","CAUSE":"${cause}","MESSAGE":${quoted(message)},"PAYLOAD_TRUNCATED":${truncated}`
    Lines.text(lines, placeOf(place) + columns + (payload === null ? "" : `,"PAYLOAD_BASE64":"${payload}"`))
    Lines.end(lines)
  }
}
