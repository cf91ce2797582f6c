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
      let index = 0
      for (const item of items) {
        const before = lines.length
        write(lines, item)
        if (lines.length > limit) cut(index, before)
        index += 1
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

/** What is needed for each line and seldom changes from one to the next is made once. */
const memo = <K, A>(make: (key: K) => A) => {
  let last: { readonly key: K; readonly made: A } | undefined
  return (key: K): A => {
    if (last === undefined || last.key !== key) last = { key, made: make(key) }
    return last.made
  }
}

/** What JSON writes as it is; most texts of columns and keys are of it. */
const plain = /^[ !#-[\]-~]*$/

const quoted = (value: string): string => (plain.test(value) ? `"${value}"` : JSON.stringify(value))

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
  const writers = columns.map(({ name, type }, index) => ({ index, head: `,${quoted(name)}:`, json: typed[type] }))
  return (values: ReadonlyArray<string | null>): string => {
    let text = ""
    for (const { head, index, json } of writers) {
      const value = values[index]
      const found = value === null || value === undefined ? "" : json(value)
      if (found !== "") text += head + found
    }
    return text
  }
}

type Place = Pick<BronzeRow, "headers" | "key" | "offset" | "partition" | "timestamp" | "topic">

/** Begins a line: the columns that rows and dead letters have in common, and those that `more` is the text of. */
const beginner = (now: number) => {
  const ingested = Timestamps.ofMillis(now)
  // As bytes, for it is half of what a small row has besides its event.
  const head = memo((topic: string) =>
    memo((partition: number) =>
      Buffer.from(`{"KAFKA_TOPIC":"${topic}","KAFKA_PARTITION":${partition},"INGESTION_TIMESTAMP":"${ingested}"`)
    )
  )
  // As text, for a number would be taken for local time.
  const time = memo((timestamp: number) =>
    isStorable(timestamp) ? `,"KAFKA_TIMESTAMP":"${Timestamps.ofMillis(timestamp)}"` : ""
  )
  return (lines: Lines.Lines, { headers, key, offset, partition, timestamp, topic }: Place, more: string): void => {
    Lines.bytes(lines, head(topic)(partition))
    const ofKey = key === null ? "" : `,"KAFKA_KEY":${quoted(key)}`
    const ofHeaders = headers === null ? "" : `,"KAFKA_HEADERS":${headers}`
    Lines.text(lines, `,"KAFKA_OFFSET":${offset}${time(timestamp)}${ofKey}${ofHeaders}${more}`)
  }
}

const rowWriter = ({ columns, hasSchemaIds = false }: Table, now: number) => {
  const begin = beginner(now)
  const columnsOf = columnsText(columns)
  return (lines: Lines.Lines, row: BronzeRow): void => {
    const schema = hasSchemaIds && row.schemaId !== undefined ? `,"${schemaIdColumn}":${row.schemaId}` : ""
    // A tombstone has no RAW_EVENT, which is SQL NULL; the payload `null` is JSON null.
    begin(lines, row, `${columnsOf(row.columns)}${schema}${row.event === null ? "" : ',"RAW_EVENT":'}`)
    if (row.event !== null) Lines.json(lines, row.event)
    Lines.end(lines)
  }
}

const letterWriter = (table: Table, now: number) => {
  const begin = beginner(now)
  return (lines: Lines.Lines, whole: DeadLetter): void => {
    const { cause, message, payload, truncated = false, ...place } = shortened(whole, maxPayload)
    const columns = `,"TABLE_NAME":"${table.name}","CAUSE":"${cause}","MESSAGE":${quoted(message)},"PAYLOAD_TRUNCATED":${truncated}`
    begin(lines, place, columns + (payload === null ? "" : `,"PAYLOAD_BASE64":"${payload}"`))
    Lines.end(lines)
  }
}
