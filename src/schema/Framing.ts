/**
 * Finds which schema a record names: in the bytes before its body (zero, id), or in a header, as an id or a GUID.
 */
import type { HeaderValue } from "../domain/KafkaRecord.ts"

/** A number, or a GUID of a registry that gives such. */
export type SchemaId = number | string

export interface Framed {
  readonly id: SchemaId
  /** Where the body begins. */
  readonly at: number
  /** What follows the id in a header; a Protobuf message is named there rather than in the body. */
  readonly rest: Uint8Array | undefined
}

const idLength = 5
const guidLength = 17

/** A zero byte and the id, big-endian; ids are Java's int. */
const idOf = (bytes: Uint8Array): number | undefined => {
  const [magic, a = 0, b = 0, c = 0, d = 0] = bytes
  const id = (a << 24) | (b << 16) | (c << 8) | d
  return bytes.length >= idLength && magic === 0 && id > 0 ? id : undefined
}

/** A one and the GUID. */
const guidOf = (bytes: Uint8Array): string | undefined =>
  bytes.length >= guidLength && bytes[0] === 1
    ? Buffer.from(bytes.subarray(1, guidLength))
        .toString("hex")
        .replace(/^(.{8})(.{4})(.{4})(.{4})/, "$1-$2-$3-$4-")
    : undefined

/** The headers of serializers that leave the body alone. */
const idHeaders = { value: "__value_schema_id", key: "__key_schema_id" } as const
export type Part = keyof typeof idHeaders

/** Undefined where no registry's serializer has written the bytes. */
export const find = (
  bytes: Uint8Array,
  headers: Readonly<Record<string, HeaderValue>>,
  part: Part
): Framed | undefined => {
  const header = lastOf(headers[idHeaders[part]])
  if (header instanceof Uint8Array) {
    const id = idOf(header)
    if (id !== undefined) return { id, at: 0, rest: header.subarray(idLength) }
    const guid = guidOf(header)
    if (guid !== undefined) return { id: guid, at: 0, rest: header.subarray(guidLength) }
  }
  const id = idOf(bytes)
  return id === undefined ? undefined : { id, at: idLength, rest: undefined }
}

const lastOf = (header: HeaderValue) => (Array.isArray(header) ? header.at(-1) : header)
