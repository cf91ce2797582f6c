/**
 * The logical types that have a form of their own in JSON. As Avro demands, one that does not fit its type is ignored,
 * and so are the ones that are not here: the value lands as the type below it.
 */
import * as JsonText from "../JsonText.ts"
import { Malformed } from "../Malformed.ts"
import type { Logical, Primitive } from "./AvroSchema.ts"

/** More bytes than any decimal of use has; what is made of them takes time that grows with their square. */
const maxDecimalBytes = 512

const isWhole = (value: unknown): value is number => typeof value === "number" && Number.isInteger(value)

/** Undefined where the schema's precision and scale make no decimal. */
const scaleOf = ({ precision, scale = 0 }: Logical): number | undefined =>
  isWhole(precision) && isWhole(scale) && scale >= 0 && scale <= precision && precision <= 1000 ? scale : undefined

const unscaledOf = (bytes: Buffer): bigint => {
  if (bytes.length > maxDecimalBytes) throw new Malformed(`a decimal takes more than ${maxDecimalBytes} bytes`)
  return JsonText.twosComplement(bytes)
}

/** What renders bytes. */
export const bytes = (logical: Logical | undefined, size?: number): ((bytes: Buffer) => string) => {
  const scale = logical?.name === "decimal" ? scaleOf(logical) : undefined
  if (scale !== undefined) return (value) => JsonText.decimal(unscaledOf(value), scale)
  if (logical?.name === "uuid" && size === 16)
    return (value) => `"${value.toString("hex").replace(/^(.{8})(.{4})(.{4})(.{4})/, "$1-$2-$3-$4-")}"`
  return JsonText.base64
}

/** What renders the integers of a type, undefined for a value that it has no form for; none where their digits do. */
export const integer = (
  type: Primitive,
  logical: Logical | undefined
): ((value: number | bigint) => string | undefined) | undefined => {
  const name = `${type} ${logical?.name}`
  if (name === "int date") return (days) => JsonText.isoOf(Number(days) * JsonText.dayMillis)
  if (name === "int time-millis") return (millis) => JsonText.timeOf(Number(millis))
  if (name === "long timestamp-millis") return (millis) => JsonText.isoOf(Number(millis))
  return undefined
}
