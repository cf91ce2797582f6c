/** Takes the typed columns out of an event: what does not fit its type is null, because the whole event stands in RAW_EVENT anyway. */
import { LosslessNumber, parse } from "lossless-json"
import type { Column, ColumnType } from "./domain/Route.ts"

/** The columns of `event` in their text form; `text` is what it was parsed from. */
export const typedColumns = (
  columns: ReadonlyArray<Column>,
  event: unknown,
  text: string
): ReadonlyArray<string | null> =>
  columns.map(({ path, type }) => {
    const value = at(event, path)
    if (value === undefined || value === null) return null
    // Beyond 2^53 a parsed number is no longer what the producer sent: its digits are read again from the text.
    if (typeof value === "number" && type !== "FLOAT" && !isExact(value)) return digits(text, path, type)
    return converters[type](value)
  })

const isExact = (value: number): boolean => !Number.isInteger(value) || Number.isSafeInteger(value)

const at = (value: unknown, path: ReadonlyArray<string>): unknown => {
  let here = value
  for (const name of path) {
    if (typeof here !== "object" || here === null || !Object.hasOwn(here, name)) return undefined
    here = Reflect.get(here, name)
  }
  return here
}

const digits = (text: string, path: ReadonlyArray<string>, type: ColumnType): string | null => {
  const value = at(parse(text), path)
  return value instanceof LosslessNumber ? converters[type](value.value) : null
}

const integer = /^[+-]?\d{1,38}$/
const number = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d{1,3})?$/i
const isoTimestamp = /^\d{4}-\d{2}-\d{2}(?:[T ]\d{2}:\d{2}(?::\d{2}(?:\.\d{1,9})?)?(Z|[+-]\d{2}:?\d{2})?)?$/i

const converters: { readonly [type in ColumnType]: (value: unknown) => string | null } = {
  STRING: (value) => (typeof value === "object" ? null : String(value)),
  NUMBER: (value) => {
    if (typeof value === "number") return Number.isSafeInteger(value) ? String(value) : null
    const digits = typeof value === "string" ? value.trim() : ""
    return integer.test(digits) ? digits : null
  },
  FLOAT: (value) => {
    const digits = typeof value === "number" || typeof value === "string" ? String(value).trim() : ""
    return number.test(digits) && Number.isFinite(Number(digits)) ? digits : null
  },
  BOOLEAN: (value) => {
    const word = typeof value === "boolean" || typeof value === "string" ? String(value).toLowerCase() : ""
    return word === "true" || word === "false" ? word : null
  },
  TIMESTAMP: (value) => {
    const milliseconds = typeof value === "number" ? value : typeof value === "string" ? parseIso(value) : Number.NaN
    return Number.isInteger(milliseconds) && milliseconds >= earliest && milliseconds <= latest
      ? timestampText(milliseconds)
      : null
  }
}

/** From the year 1 to the end of 9999: what both warehouses can hold. */
const earliest = -62_135_596_800_000
const latest = 253_402_300_799_999

/** `2026-02-07 10:30:00.123`, in UTC: the form in which timestamps go to the warehouse. */
const timestampText = (milliseconds: number): string =>
  new Date(milliseconds).toISOString().slice(0, 23).replace("T", " ")

const parseIso = (value: string): number => {
  const match = isoTimestamp.exec(value)
  if (match === null) return Number.NaN
  const iso = value.replace(" ", "T")
  // Without a zone it is taken as UTC, whatever zone this machine is in.
  return Math.trunc(Date.parse(iso.includes("T") && match[1] === undefined ? `${iso}Z` : iso))
}
