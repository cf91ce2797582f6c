/** The key of a record as text, by the format of its topic; a key that is not of it is kept as bytes. */
import * as Result from "effect/Result"
import { base64, textOf, utf8 } from "../domain/Bytes.ts"
import type { KeyFormat } from "../domain/Format.ts"
import type { KafkaRecord } from "../domain/KafkaRecord.ts"
import * as Framing from "../schema/Framing.ts"
import type { SchemaLookup } from "./Payload.ts"

type Read = (key: Uint8Array, headers: KafkaRecord["headers"], schemas: SchemaLookup) => string

/** More than any key. */
const maxText = 1024 * 1024

const asBytes = (key: Uint8Array): string => `base64:${base64(key)}`

/** Undefined where the key names no schema that it fits. */
const withSchema = (...[key, headers, schemas]: Parameters<Read>): string | undefined => {
  const framed = Framing.find(key, headers, "key")
  const found = framed === undefined ? undefined : schemas(framed.id)
  if (framed === undefined || found === undefined || Result.isFailure(found)) return undefined
  const body = found.success.decode(key, framed, maxText)
  if (Result.isFailure(body)) return undefined
  const text = typeof body.success === "string" ? body.success : utf8(body.success)
  return text === undefined ? undefined : bare(text)
}

/** A key that is one text is that text, not JSON. */
const bare = (json: string): string => {
  if (!json.startsWith('"')) return json
  try {
    return String(JSON.parse(json))
  } catch {
    return json
  }
}

/** Java's serializers of int and long. */
const number: Read = (key) => {
  const bytes = Buffer.from(key.buffer, key.byteOffset, key.byteLength)
  if (key.length === 4) return String(bytes.readInt32BE())
  return key.length === 8 ? String(bytes.readBigInt64BE()) : asBytes(key)
}

const reads: Readonly<Record<KeyFormat, Read>> = {
  text: textOf,
  bytes: asBytes,
  number,
  registry: (...all) => withSchema(...all) ?? asBytes(all[0]),
  auto: (...all) => withSchema(...all) ?? textOf(all[0])
}

export const make = (format: KeyFormat): Read => reads[format]
