/** Turns a record into its outcome: total and pure, so that a bad record is a value and never stops its neighbours (P6). */
import { isUtf8 } from "node:buffer"
import type { HeaderValue, KafkaRecord } from "./domain/KafkaRecord.ts"
import type { DeadLetter, DeadLetterCause, Outcome } from "./domain/Outcome.ts"
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
export const make =
  (route: Route, options: DecodeOptions) =>
  (record: KafkaRecord): Outcome => {
    const { offset, partition, timestamp, topic, value } = record
    const key = record.key === null ? null : text(record.key)
    const headers = headersJson(record.headers)
    const bytes = overheadBytes + (key?.length ?? 0) + (headers?.length ?? 0)
    if (value === null) {
      return options.tombstones === "skip"
        ? { _tag: "Skip", topic, partition, offset, reason: "tombstone", bytes }
        : row(null, nothing(route))
    }
    if (value.length > maxEventBytes) {
      return deadLetter("too_large", `the event has ${value.length} bytes; a VARIANT takes ${maxEventBytes}`, value)
    }
    if (!isUtf8(value)) return deadLetter("not_utf8", startsLikeRegistry(value) ?? "the payload is not UTF-8", value)
    const event = utf8(value)
    try {
      return row(event, typedColumns(route.table.columns, JSON.parse(event), event))
    } catch (error) {
      return deadLetter("not_json", startsLikeRegistry(value) ?? reasonOf(error), value)
    }

    function row(event: string | null, columns: ReadonlyArray<string | null>): Outcome {
      const size = bytes + (value?.length ?? 0)
      return { _tag: "BronzeRow", topic, partition, offset, timestamp, key, headers, event, columns, bytes: size }
    }

    function deadLetter(cause: DeadLetterCause, message: string, value: Uint8Array): DeadLetter {
      const payload = asBuffer(value).toString("base64")
      const size = bytes + payload.length + message.length
      const place = { topic, partition, offset, timestamp, key, headers }
      return { _tag: "DeadLetter", ...place, cause, message, payload, bytes: size }
    }
  }

const nothing = (route: Route): ReadonlyArray<null> => route.table.columns.map(() => null)

const asBuffer = (bytes: Uint8Array): Buffer => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
const utf8 = (bytes: Uint8Array): string => asBuffer(bytes).toString("utf8")

/** Text as it is; other bytes marked and in base64, so that nothing is lost. */
const text = (bytes: Uint8Array): string =>
  isUtf8(bytes) ? utf8(bytes) : `base64:${asBuffer(bytes).toString("base64")}`

const headersJson = (headers: KafkaRecord["headers"]): string | null => {
  const entries = Object.entries(headers)
  return entries.length === 0
    ? null
    : JSON.stringify(Object.fromEntries(entries.map(([name, value]) => [name, headerText(value)])))
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
