/** A schema made ready: bodies become JSON text, or say why they do not. */
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import type { DeadLetterCause } from "../domain/Outcome.ts"
import type { Framed, SchemaId } from "./Framing.ts"
import { Malformed, TooLong } from "./Malformed.ts"
import type { Registered } from "./RegistryClient.ts"
import { RegistryError } from "./RegistryError.ts"

export type SchemaFormat = "avro" | "protobuf" | "json_schema"

/** Why a body became no JSON. */
export interface Refusal {
  readonly cause: DeadLetterCause
  readonly message: string
}

export interface BodyDecoder {
  readonly id: SchemaId
  readonly format: SchemaFormat
  /** The JSON of a framed record; of JSON Schema the bytes as they were sent. */
  readonly decode: (bytes: Uint8Array, framed: Framed, maxText: number) => Result.Result<Uint8Array | string, Refusal>
}

type Read = (bytes: Uint8Array, framed: Framed, maxText: number) => Uint8Array | string

/** Makes a schema ready; its readers are loaded when the first schema of their kind comes. */
export const make = (
  id: SchemaId,
  { references, schema, type }: Registered
): Effect.Effect<BodyDecoder, RegistryError> =>
  Effect.gen(function* () {
    switch (type.toUpperCase()) {
      case "AVRO": {
        const [AvroSchema, AvroReader] = yield* Effect.promise(() =>
          Promise.all([import("./avro/AvroSchema.ts"), import("./avro/AvroReader.ts")])
        )
        const decode = yield* compiled(id, () =>
          AvroReader.make(AvroSchema.parse(schema), references.map(AvroSchema.parse))
        )
        return decoder(id, "avro", (bytes, { at }, maxText) => decode(bytes, at, maxText))
      }
      case "PROTOBUF": {
        const Protobuf = yield* Effect.promise(() => import("./protobuf/Protobuf.ts"))
        const decode = yield* compiled(id, () => Protobuf.make(schema, references))
        return decoder(id, "protobuf", (bytes, { at, rest }, maxText) => decode(bytes, at, maxText, rest))
      }
      case "JSON":
        return decoder(id, "json_schema", (bytes, { at }) => bytes.subarray(at))
      default:
        return yield* unreadable(id, `its type ${type} is none of AVRO, PROTOBUF and JSON`)
    }
  })

const unreadable = (id: SchemaId, why: string) =>
  new RegistryError({ reason: "unreadable", message: `schema ${id} cannot be used: ${why}` })

const compiled = <A>(id: SchemaId, make: () => A): Effect.Effect<A, RegistryError> =>
  Effect.try({
    try: make,
    catch: (error) => unreadable(id, error instanceof Malformed ? error.message : nameOf(error))
  })

const decoder = (id: SchemaId, format: SchemaFormat, read: Read): BodyDecoder => ({
  id,
  format,
  decode: (bytes, framed, maxText) =>
    Result.try({
      try: () => read(bytes, framed, maxText),
      catch: (error): Refusal =>
        error instanceof TooLong
          ? { cause: "too_large", message: `with schema ${id}, ${error.message}` }
          : {
              cause: format === "protobuf" ? "not_protobuf" : "not_avro",
              message: `the payload does not fit schema ${id}: ${error instanceof Malformed ? error.message : nameOf(error)}`
            }
    })
})

/** Of an error that we did not throw only its name: its message may hold a piece of the payload. */
const nameOf = (error: unknown): string => (error instanceof Error ? error.name : typeof error)
