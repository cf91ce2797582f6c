/**
 * Turns a record into its outcome: total and pure, so that a bad record is a value and never stops its neighbours (P6).
 */
import * as Result from "effect/Result"
import { base64, textOf } from "../domain/Bytes.ts"
import { cutNote, keptBytes } from "../domain/DeadLetters.ts"
import * as DuplicateKeys from "../domain/DuplicateKeys.ts"
import { type Format, withoutRegistry } from "../domain/Format.ts"
import type { Refusal } from "../domain/Json.ts"
import type { KafkaRecord } from "../domain/KafkaRecord.ts"
import type { DeadLetter, Outcome, Source } from "../domain/Outcome.ts"
import type { Route } from "../domain/Route.ts"
import * as Debezium from "./Debezium.ts"
import * as Key from "./Key.ts"
import * as Payload from "./Payload.ts"
import * as TypedColumns from "./TypedColumns.ts"

export interface DecodeOptions {
  readonly tombstones: "insert" | "skip"
  /** What is kept of a payload at most, in bytes. */
  readonly maxKept?: number
  readonly format?: Format | undefined
  /** For a warehouse that may reject an event which names a key twice: of equal keys only the last one is kept. */
  readonly uniqueKeys?: boolean
}

/** Without a registry no record names a schema that is known. */
const noSchemas: Payload.SchemaLookup = (id) => Result.fail({ message: `schema ${id} was not looked for` })

/** Decodes the records of one route. Whatever goes wrong with one of them makes it a dead letter. */
export const make = (
  route: Route,
  options: DecodeOptions
): ((record: KafkaRecord, schemas?: Payload.SchemaLookup) => Outcome) => {
  const maxKept = options.maxKept ?? keptBytes.Snowflake
  const decode = decoder(route, options, maxKept)
  return (record, schemas = noSchemas) => {
    try {
      return decode(record, schemas)
    } catch (error) {
      return undecodable(record, error, maxKept)
    }
  }
}

const decoder = (
  { table: { columns }, unwrap }: Route,
  { format = withoutRegistry, tombstones, uniqueKeys = false }: DecodeOptions,
  maxKept: number
) => {
  const nothing = columns.map(() => null)
  const typedColumns = unwrap === undefined ? TypedColumns.make(columns) : Debezium.make(columns)
  const keyText = Key.make(format.key)
  const payload = Payload.make(format.value)
  return (record: KafkaRecord, schemas: Payload.SchemaLookup): Outcome => {
    const { offset, partition, timestamp, tooLarge, topic, value } = record
    const key = record.key === null ? null : keyText(record.key, record.headers, schemas)
    const headers = headersJson(record.headers)
    const bytes = (key?.length ?? 0) + (headers?.length ?? 0)
    if (tooLarge !== undefined) {
      const message = `${tooLarge}; nothing of it is kept`
      const source = { topic, partition, offset, timestamp, key, headers, bytes: bytes + message.length }
      return { _tag: "DeadLetter", ...source, cause: "too_large", message, payload: "", truncated: true }
    }
    // Nothing of an empty value can be lost, and it is what many producers send to delete a key.
    if (value === null || value.length === 0) {
      return tombstones === "skip"
        ? { _tag: "Skip", topic, partition, offset, reason: "tombstone", bytes }
        : { _tag: "BronzeRow", topic, partition, offset, timestamp, key, headers, event: null, columns: nothing, bytes }
    }
    const read = payload(value, record.headers, schemas)
    if (Result.isFailure(read))
      return letterOf({ topic, partition, offset, timestamp, key, headers, bytes }, read.failure, value, maxKept)
    const { event, parse, schemaId, text } = read.success
    // With a schema the text is known to be JSON, so that without columns nobody has to parse it.
    const parsed = columns.length === 0 && !uniqueKeys ? undefined : parse()
    if (parsed !== undefined && Result.isFailure(parsed))
      return letterOf({ topic, partition, offset, timestamp, key, headers, bytes }, parsed.failure, value, maxKept)
    return {
      _tag: "BronzeRow",
      topic,
      partition,
      offset,
      timestamp,
      key,
      headers,
      event:
        uniqueKeys && parsed !== undefined && DuplicateKeys.isPossible(text, parsed.success)
          ? Buffer.from(DuplicateKeys.without(text))
          : event,
      columns: parsed === undefined ? nothing : typedColumns(parsed.success, text),
      bytes: bytes + event.length,
      schemaId
    }
  }
}

const letterOf = (source: Source, refusal: Refusal, value: Uint8Array, maxKept: number): DeadLetter => {
  const { cause } = refusal
  const truncated = value.length > maxKept
  const payload = base64(truncated ? value.subarray(0, maxKept) : value)
  const message = truncated ? refusal.message + cutNote(value.length) : refusal.message
  const bytes = source.bytes + payload.length + message.length
  return { _tag: "DeadLetter", ...source, cause, message, payload, bytes, ...(truncated && { truncated }) }
}

/** The letter of a record that made decoding throw: its coordinates, and of the rest what can be had. */
const undecodable = (record: KafkaRecord, error: unknown, maxKept: number): DeadLetter => {
  const { offset, partition, timestamp, topic } = record
  const key = tried(() => (record.key === null ? null : textOf(record.key)))
  const source = {
    topic,
    partition,
    offset,
    timestamp,
    key,
    headers: null,
    bytes: key?.length ?? 0
  }
  // Only the name of the error: its message may hold a piece of the payload.
  const message = `the record could not be decoded (${error instanceof Error ? error.name : typeof error})`
  const refusal: Refusal = { cause: "undecodable", message }
  return (
    tried(() => (record.value === null ? null : letterOf(source, refusal, record.value, maxKept))) ?? {
      ...{ _tag: "DeadLetter", ...source, ...refusal, payload: null }
    }
  )
}

const tried = <A>(thunk: () => A): A | null => {
  try {
    return thunk()
  } catch {
    return null
  }
}

const headersJson = (headers: KafkaRecord["headers"]): string | null => {
  const names = Object.keys(headers)
  return names.length === 0
    ? null
    : JSON.stringify(Object.fromEntries(names.map((name) => [name, headerText(headers[name])])))
}

/** Text and bytes as text, lists one by one; a null, and whatever a client may hand over besides, is null. */
const headerText = (value: unknown): unknown => {
  if (typeof value === "string") return value
  if (value instanceof Uint8Array) return textOf(value)
  return Array.isArray(value) ? value.map(headerText) : null
}
