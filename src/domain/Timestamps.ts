/** Timestamps as producers write them, in microseconds and without float arithmetic; anything else is undefined. */
import * as Decimal from "./Decimal.ts"

/** Years 1 to 9999, which both warehouses hold. */
const earliest = -62_135_596_800_000
export const latest = 253_402_300_799_999

const textShape =
  /^(\d{4})-(\d{2})-(\d{2})(?:(?:T| {1,2})(\d{2}):(\d{2})(?::(\d{2})(?:[.,](\d{1,12}))?)?(?: ?(Z|UTC|[+-]\d{2}(?::?\d{2})?))?)?$/i

/**
 * `2026-02-07 10:30:00.123456` in UTC, of an ISO 8601 or PostgreSQL text (in UTC where it names no zone) or an epoch
 * number in digits.
 */
export const parse = (text: string): string | undefined => {
  const trimmed = text.trim()
  if (trimmed.length > 64) return undefined
  const match = textShape.exec(trimmed)
  if (match === null) return ofEpoch(trimmed)
  const [, year, month, day, hour = "0", minute = "0", second = "0", fraction = "", zone = "Z"] = match
  const date = dayOf(Number(year), Number(month), Number(day))
  const offset = offsetOf(zone)
  if (date === undefined || offset === undefined) return undefined
  if (Number(hour) > 23 || Number(minute) > 59 || Number(second) > 59) return undefined
  const digits = fraction.padEnd(6, "0")
  const seconds = (Number(hour) * 60 + Number(minute) - offset) * 60 + Number(second)
  return render(date + seconds * 1000 + Number(digits.slice(0, 3)), digits.slice(3, 6))
}

/** Milliseconds since 1970 of a day that exists. */
const dayOf = (year: number, month: number, day: number): number | undefined => {
  // Not Date.UTC, which takes the years before 100 for others.
  const date = new Date(0)
  date.setUTCFullYear(year, month - 1, day)
  return date.getUTCFullYear() === year && date.getUTCMonth() === month - 1 && date.getUTCDate() === day
    ? date.getTime()
    : undefined
}

/** Minutes east of Greenwich. */
const offsetOf = (zone: string): number | undefined => {
  if (/^[ZU]/i.test(zone)) return 0
  const hours = Number(zone.slice(1, 3))
  const minutes = Number(zone.slice(3).replace(":", ""))
  if (hours > 23 || minutes > 59) return undefined
  return (zone.startsWith("-") ? -1 : 1) * (hours * 60 + minutes)
}

/**
 * The units an epoch may be in, by its size, as Snowflake tells them apart: what is below the milliseconds of a year is
 * seconds, and so on.
 */
const units = [
  { below: 31_536_000_000n, places: 6 },
  { below: 31_536_000_000_000n, places: 3 },
  { below: 31_536_000_000_000_000n, places: 0 }
]
const nanoseconds = { places: -3 }

const ofEpoch = (text: string): string | undefined => {
  const decimal = Decimal.parse(text)
  if (decimal === undefined || Decimal.wholeDigits(decimal) > 21) return undefined
  const size = Decimal.floored({ ...decimal, negative: false }, 0)
  const { places } = units.find(({ below }) => size < below) ?? nanoseconds
  const micros = Decimal.floored(decimal, places)
  const rest = ((micros % 1000n) + 1000n) % 1000n
  return render(Number((micros - rest) / 1000n), String(rest).padStart(3, "0"))
}

const render = (millis: number, micros: string): string | undefined =>
  millis >= earliest && millis <= latest ? `${ofMillis(millis)}${micros}` : undefined

/** `2026-02-07 10:30:00.123` in UTC. */
export const ofMillis = (millis: number): string => new Date(millis).toISOString().slice(0, 23).replace("T", " ")

/** Microseconds since 1970 of what `parse` gives. */
export const micros = (text: string): bigint | undefined => {
  if (!/^\d{4}-\d{2}-\d{2} \d{2}:\d{2}:\d{2}\.\d{6}$/.test(text)) return undefined
  const millis = Date.parse(`${text.slice(0, 23).replace(" ", "T")}Z`)
  return Number.isNaN(millis) ? undefined : BigInt(millis) * 1000n + BigInt(text.slice(23))
}
