/** Finds the schemas that records name, before they are decoded: the only part of decoding that has to wait. */
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import type { Format } from "../domain/Format.ts"
import type { KafkaRecord } from "../domain/KafkaRecord.ts"
import type { BodyDecoder } from "../schema/BodyDecoder.ts"
import * as Framing from "../schema/Framing.ts"
import type { RegistryError } from "../schema/RegistryError.ts"
import type { Schemas } from "../schema/Schemas.ts"
import type { SchemaLookup } from "./Payload.ts"

/** The schemas that records name; none where their format needs none. */
export const idsIn = (records: ReadonlyArray<KafkaRecord>, format: Format): ReadonlySet<Framing.SchemaId> => {
  const ids = new Set<Framing.SchemaId>()
  const ofValues = format.value !== "json"
  const ofKeys = format.key === "auto" || format.key === "registry"
  if (!ofValues && !ofKeys) return ids
  for (const { headers, key, value } of records) {
    const inValue = ofValues && value !== null ? Framing.find(value, headers, "value") : undefined
    const inKey = ofKeys && key !== null ? Framing.find(key, headers, "key") : undefined
    if (inValue !== undefined) ids.add(inValue.id)
    if (inKey !== undefined) ids.add(inKey.id)
  }
  return ids
}

/** So many schemas are asked for at once. */
const concurrency = 4

/** Finds schemas; those that were found once are at hand without asking anybody. */
export const finder = ({ find }: Schemas["Service"]) => {
  type Found = Result.Result<BodyDecoder, RegistryError>
  const known = new Map<Framing.SchemaId, Found>()
  const lookup = (found: ReadonlyMap<Framing.SchemaId, Found>): SchemaLookup => {
    return (id) => known.get(id) ?? found.get(id) ?? Result.fail({ message: `schema ${id} was not looked for` })
  }
  return (ids: ReadonlySet<Framing.SchemaId>): Effect.Effect<SchemaLookup> => {
    const absent = [...ids].filter((id) => !known.has(id))
    if (absent.length === 0) return Effect.succeed(lookup(known))
    return Effect.forEach(absent, (id) => Effect.map(Effect.result(find(id)), (found) => [id, found] as const), {
      concurrency
    }).pipe(
      Effect.map((entries) => {
        for (const [id, found] of entries) if (Result.isSuccess(found)) known.set(id, found)
        return lookup(new Map(entries))
      })
    )
  }
}
