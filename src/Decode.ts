/** Turns a record into its outcome: total and pure, so that a bad record is a value and never stops its neighbours (P6). */
import { isUtf8 } from "node:buffer"
import type { HeaderValue, KafkaRecord } from "./domain/KafkaRecord.ts"
import type { DeadLetter, DeadLetterCause, Outcome, Source } from "./domain/Outcome.ts"
import type { Route } from "./domain/Route.ts"
import { typedColumns } from "./TypedColumns.ts"

/**
 * The largest event that a VARIANT takes (16 MiB on every account; docs.snowflake.com, "Semi-structured data types"), less the room
 * that the rest of its row takes in the same bind.
 */
export const maxEventBytes = 16 * 1024 * 1024 - 64 * 1024

/** What a queued outcome takes besides its bytes: objects, coordinates, the shell of its row in the statement. */
export const overheadBytes = 192

export interface DecodeOptions {
  readonly tombstones: "insert" | "skip"
}

/** Decodes the records of one route. */
export const make = ({ table: { columns } }: Route, options: DecodeOptions) => {
  const nothing = columns.map(() => null)
  return (record: KafkaRecord): Outcome => {
    const { offset, partition, timestamp, topic, value } = record
    const key = record.key === null ? null : text(record.key)
    const headers = headersJson(record.headers)
    const bytes = overheadBytes + (key?.length ?? 0) + (headers?.length ?? 0)
    if (value === null) {
      return options.tombstones === "skip"
        ? { _tag: "Skip", topic, partition, offset, reason: "tombstone", bytes }
        : { _tag: "BronzeRow", topic, partition, offset, timestamp, key, headers, event: null, columns: nothing, bytes }
    }
    const source = () => ({ topic, partition, offset, timestamp, key, headers, bytes })
    if (value.length > maxEventBytes) {
      const message = `the event has ${value.length} bytes; a VARIANT takes ${maxEventBytes}`
      return deadLetter(source(), "too_large", message, value)
    }
    const event = utf8(value)
    if (event === undefined) return deadLetter(source(), "not_utf8", "the payload is not UTF-8", value)
    try {
      const typed = typedColumns(columns, JSON.parse(event), event)
      const size = bytes + value.length
      return {
        _tag: "BronzeRow",
        topic,
        partition,
        offset,
        timestamp,
        key,
        headers,
        event,
        columns: typed,
        bytes: size
      }
    } catch (error) {
      return deadLetter(source(), "not_json", reasonOf(error), value)
    }
  }
}

const deadLetter = (source: Source, cause: DeadLetterCause, message: string, value: Uint8Array): DeadLetter => {
  const payload = asBuffer(value).toString("base64")
  const told = cause === "too_large" ? message : (startsLikeRegistry(value) ?? message)
  const bytes = source.bytes + payload.length + told.length
  return { _tag: "DeadLetter", ...source, cause, message: told, payload, bytes }
}

const asBuffer = (bytes: Uint8Array): Buffer =>
  bytes instanceof Buffer ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)

/** Undefined when the bytes are no UTF-8: such become U+FFFD, and where that does not stand nobody has to look at them a second time. */
const utf8 = (bytes: Uint8Array): string | undefined => {
  const text = asBuffer(bytes).toString("utf8")
  return text.includes("\ufffd") && !isUtf8(bytes) ? undefined : text
}

/** Text as it is; other bytes marked and in base64, so that nothing is lost. */
const text = (bytes: Uint8Array): string => utf8(bytes) ?? `base64:${asBuffer(bytes).toString("base64")}`

const headersJson = (headers: KafkaRecord["headers"]): string | null => {
  const names = Object.keys(headers)
  return names.length === 0
    ? null
    : JSON.stringify(Object.fromEntries(names.map((name) => [name, headerText(headers[name])])))
}

const headerText = (value: HeaderValue): unknown => {
  if (value === undefined || typeof value === "string") return value ?? null
  return value instanceof Uint8Array ? text(value) : value.map(headerText)
}

/** The reason without the snippet of the payload that V8 puts into some of its messages: payloads are not for logs. */
const reasonOf = (error: unknown): string => {
  const message = error instanceof Error ? error.message : ""
  return /in JSON at position \d+/.test(message) || message === "Unexpected end of JSON input"
    ? message.replace(/ \(line \d+ column \d+\)$/, "")
    : "the payload is not JSON"
}

/** Avro, Protobuf and JSON Schema serializers put a zero byte and a schema id first: worth a hint, because it is the usual mistake. */
const startsLikeRegistry = (value: Uint8Array): string | undefined =>
  value[0] === 0 && value.length > 5
    ? "the payload starts with a zero byte, as a schema registry's serializers write it; plain JSON is expected"
    : undefined
