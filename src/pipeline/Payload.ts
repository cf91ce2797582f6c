/**
 * What the value of a record holds, by the format of its topic: JSON as it was sent, or made of it with the schema that
 * the record names.
 */
import * as Result from "effect/Result"
import * as Bytes from "../domain/Bytes.ts"
import type { ValueFormat } from "../domain/Format.ts"
import * as Json from "../domain/Json.ts"
import type { KafkaRecord } from "../domain/KafkaRecord.ts"
import type { DeadLetterCause } from "../domain/Outcome.ts"
import type { BodyDecoder } from "../schema/BodyDecoder.ts"
import * as Framing from "../schema/Framing.ts"
import type { RegistryError } from "../schema/RegistryError.ts"

/** The schemas that a fetch names, which were found before it is decoded; for the rest, why there is none. */
export type SchemaLookup = (id: Framing.SchemaId) => Result.Result<BodyDecoder, Pick<RegistryError, "message">>

export interface Payload {
  /** JSON in UTF-8; it keeps no more than `maxShared` bytes of others in memory, which the byte budget knows nothing of. */
  readonly event: Uint8Array
  readonly text: string
  /** Undefined where none is named, or a GUID. */
  readonly schemaId: number | undefined
  /** What is known to be JSON is not looked at again before it is needed. */
  readonly parse: () => Result.Result<unknown, Json.Refusal>
}

/**
 * The largest event that is taken (docs/reference/json.md says why): what a VARIANT holds on every account, less the
 * room that the rest of its row takes in the same bind.
 */
export const maxEventBytes = 16 * 1024 * 1024 - 64 * 1024

/** A record batch of so many bytes may be kept whole by its events: they wait together, and leave together. */
const maxShared = 256 * 1024

const own = (value: Uint8Array): Uint8Array =>
  value.buffer.byteLength > value.length + maxShared ? Buffer.from(value) : value

type Read = Result.Result<Payload, Json.Refusal>

const refuse = (cause: DeadLetterCause, message: string): Read => Result.fail({ cause, message })

const tooLarge = (bytes: number): Read =>
  refuse("too_large", `the event has ${bytes} bytes; the limit is ${maxEventBytes}`)

/** Reads values of one format. */
export const make =
  (format: ValueFormat) =>
  (value: Uint8Array, headers: KafkaRecord["headers"], schemas: SchemaLookup): Read => {
    if (value.length > maxEventBytes) return tooLarge(value.length)
    if (format === "json") return json(value)
    const framed = Framing.find(value, headers, "value")
    if (framed !== undefined) return withSchema(value, framed, format, schemas)
    return format === "auto" ? json(value) : refuse(causes[format], "the payload names no schema")
  }

const causes = { avro: "not_avro", protobuf: "not_protobuf", json_schema: "not_json" } as const

const json = (value: Uint8Array, schemaId?: number): Read => {
  const text = Bytes.utf8(value)
  if (text === undefined) return refuse("not_utf8", startsLikeRegistry(value) ?? "the payload is not UTF-8")
  const parsed = Json.parse(text)
  if (Result.isFailure(parsed)) return refuse(parsed.failure.cause, startsLikeRegistry(value) ?? parsed.failure.message)
  return Result.succeed({ event: own(value), text, schemaId, parse: () => parsed })
}

const withSchema = (value: Uint8Array, framed: Framing.Framed, format: ValueFormat, schemas: SchemaLookup): Read => {
  const found = schemas(framed.id)
  if (Result.isFailure(found)) return refuse("unknown_schema", found.failure.message)
  const decoder = found.success
  if (format !== "auto" && format !== "json" && format !== decoder.format)
    return refuse(causes[format], `the payload has schema ${framed.id}, which is of another format: ${decoder.format}`)
  const body = decoder.decode(value, framed, maxEventBytes)
  if (Result.isFailure(body)) return Result.fail(body.failure)
  const schemaId = typeof framed.id === "number" ? framed.id : undefined
  if (typeof body.success !== "string") return json(body.success, schemaId)
  const text = body.success
  const event = Buffer.from(text)
  if (event.length > maxEventBytes) return tooLarge(event.length)
  return Result.succeed({ event, text, schemaId, parse: () => Json.parse(text) })
}

/**
 * Avro, Protobuf and JSON Schema serializers put a zero byte and a schema id first: worth a hint, because it is the
 * usual mistake.
 */
const startsLikeRegistry = (value: Uint8Array): string | undefined =>
  value[0] === 0 && value.length > 5
    ? "the payload starts with a zero byte, as a schema registry's serializers write it; SCHEMA_REGISTRY_URL says where their schemas are"
    : undefined
