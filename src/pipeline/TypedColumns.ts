/**
 * Takes the typed columns out of an event: what does not fit its type is null and never fails the event, because all of
 * it is in RAW_EVENT.
 */
import * as Decimal from "../domain/Decimal.ts"
import * as JsonTokens from "../domain/JsonTokens.ts"
import type { Column, ColumnType } from "../domain/Route.ts"
import * as Timestamps from "../domain/Timestamps.ts"

/** For a table's columns: their text forms, from an event and the text that it was parsed from. */
export const make = (
  columns: ReadonlyArray<Column>
): ((event: unknown, text: string) => ReadonlyArray<string | null>) => {
  const tokensOf = JsonTokens.tokensAt(columns.map(({ path }) => path))
  const nothing = columns.map(() => null)
  return (event, text) => {
    try {
      let tokens: JsonTokens.Tokens | undefined
      return columns.map(({ path, type }, index) => {
        const value = at(event, path)
        if (value === undefined || value === null) return null
        if (!isChanged(value, type)) return converters[type](value)
        tokens ??= tokensOf(text)
        const token = tokens[index]
        return token === undefined ? null : asSent[type](token)
      })
    } catch {
      return nothing
    }
  }
}

const at = (value: unknown, path: ReadonlyArray<string>): unknown => {
  let here = value
  for (const name of path) {
    if (typeof here !== "object" || here === null || !Object.hasOwn(here, name)) return undefined
    // A list has elements, and no length that was sent.
    if (Array.isArray(here) && name === "length") return undefined
    here = Reflect.get(here, name)
  }
  return here
}

/** Whether the parsed value may no longer be what was sent, so that its text has to be found. */
const isChanged = (value: unknown, type: ColumnType): boolean => {
  if (type === "STRING") return typeof value === "number" || typeof value === "object"
  return (type === "NUMBER" || type === "TIMESTAMP") && typeof value === "number" && !Number.isSafeInteger(value)
}

type Converter<A> = (value: A) => string | null

/** From text to the one form that goes to both warehouses. */
const number: Converter<string> = (text) => {
  const decimal = Decimal.parse(text)
  return (decimal === undefined ? undefined : Decimal.rounded(decimal))?.toString() ?? null
}

const timestamp: Converter<string> = (text) => Timestamps.parse(text) ?? null

const float: Converter<string> = (text) => {
  const trimmed = text.trim()
  const special = /^([+-]?)(nan|inf|infinity)$/i.exec(trimmed)
  if (special !== null) return special[2]?.toLowerCase() === "nan" ? "NaN" : special[1] === "-" ? "-inf" : "inf"
  const value = Decimal.parse(trimmed) === undefined ? Number.NaN : Number(trimmed)
  return Number.isFinite(value) ? String(value) : null
}

const boolean: Converter<string> = (text) => booleans.get(text.trim().toLowerCase()) ?? null

const booleans = new Map([
  ...["true", "t", "yes", "y", "on", "1"].map((word) => [word, "true"] as const),
  ...["false", "f", "no", "n", "off", "0"].map((word) => [word, "false"] as const)
])

/** Numbers and, in a STRING column, objects and lists, by the text in which they were sent. */
const asSent: Readonly<Record<ColumnType, Converter<string>>> = {
  STRING: JsonTokens.compact,
  NUMBER: number,
  FLOAT: float,
  BOOLEAN: boolean,
  TIMESTAMP: timestamp
}

/** By a text or a number that JSON.parse did not change. */
const textual =
  (convert: Converter<string>): Converter<unknown> =>
  (value) =>
    typeof value === "string" || typeof value === "number" ? convert(String(value)) : null

const converters: Readonly<Record<ColumnType, Converter<unknown>>> = {
  STRING: (value) => String(value),
  NUMBER: (value) => (typeof value === "number" && value !== 0 ? String(value) : textual(number)(value)),
  // A number too large for a float is Infinity by now, which nobody sent.
  FLOAT: (value) =>
    typeof value === "number" ? (Number.isFinite(value) ? String(value) : null) : textual(float)(value),
  BOOLEAN: (value) => {
    if (typeof value === "boolean") return String(value)
    return typeof value === "number" ? String(value !== 0) : typeof value === "string" ? boolean(value) : null
  },
  TIMESTAMP: textual(timestamp)
}
