/**
 * Points in time as the JSON of commands and API has them: ISO 8601 text in UTC, to the millisecond. Inside the program
 * they are milliseconds since 1970.
 */
import * as Schema from "effect/Schema"
import * as SchemaGetter from "effect/SchemaGetter"

/** `2026-02-07T10:30:00.123Z`; a number of which no date of four digits since 1970 can be made, in its digits. */
export const text = (millis: number): string => {
  const at = new Date(millis)
  return at.getTime() >= 0 && at.getUTCFullYear() <= 9999 ? at.toISOString() : String(millis)
}

const millisOf = (text: string): number => (/^-?\d+$/.test(text) ? Number(text) : Date.parse(text))

const isInstant = Schema.makeFilter((text: string) => Number.isFinite(millisOf(text)) || "an ISO 8601 time")

/** Milliseconds, from and to such text; nothing is lost on the way. */
export const FromText = Schema.String.check(isInstant).pipe(
  Schema.decodeTo(Schema.Finite, {
    decode: SchemaGetter.transform(millisOf),
    encode: SchemaGetter.transform(text)
  })
)

/** The names of points in time in all reports. */
const isName = (name: string): boolean => name === "timestamp" || /^at$|At$/.test(name)

/** A report with all its points in time as text; for our own reports only, since columns of a user may have any name. */
export const inText = (report: unknown): unknown => {
  if (Array.isArray(report)) return report.map(inText)
  if (report === null || typeof report !== "object") return report
  return Object.fromEntries(
    Object.entries(report).map(([name, value]: [string, unknown]) => [
      name,
      typeof value === "number" && isName(name) ? text(value) : inText(value)
    ])
  )
}
