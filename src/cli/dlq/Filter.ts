/** The filters of the `dlq` commands: flags, and times as people write them. */

import * as Clock from "effect/Clock"
import * as Argument from "effect/cli/Argument"
import * as Flag from "effect/cli/Flag"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import type { DeadLetterFilter } from "../../domain/DeadLetters.ts"
import { deadLetterCauses } from "../../domain/Outcome.ts"
import * as Timestamps from "../../domain/Timestamps.ts"

const units = new Map([
  ["s", 1_000],
  ["m", 60_000],
  ["h", 3_600_000],
  ["d", 86_400_000]
])

/**
 * `30m`, `2h`, `7d` before `now`, or a date with or without time (ISO 8601, in UTC by default); undefined when it is
 * neither.
 */
export const timeOf = (text: string, now: number): number | undefined => {
  const [, amount = "", unit = ""] = /^(\d+)([smhd])$/.exec(text) ?? []
  const scale = units.get(unit)
  if (scale !== undefined) return now - Number(amount) * scale
  if (!/^\d{4}-\d{2}-\d{2}([T ]\d{2}:\d{2}.*)?$/.test(text)) return undefined
  const utc = Timestamps.parse(text)
  return utc === undefined ? undefined : Date.parse(`${utc.slice(0, 23).replace(" ", "T")}Z`)
}

const time = (name: string, description: string) =>
  Flag.String(name).pipe(
    Flag.withDescription(`${description}: 30m, 2h, 7d (ago), or 2026-02-07T10:30:00 (UTC by default)`),
    Flag.withSchema(
      Schema.String.check(
        Schema.makeFilter((text) => timeOf(text, 0) !== undefined || "30m, 2h, 7d or an ISO 8601 time")
      )
    ),
    Flag.optional
  )

export const flags = {
  topic: Flag.String("topic").pipe(Flag.withDescription("Only this topic"), Flag.optional),
  cause: Flag.Literals("cause", deadLetterCauses).pipe(Flag.withDescription("Only this cause"), Flag.optional),
  since: time("since", "Only those received since"),
  until: time("until", "Only those received before"),
  json: Flag.Boolean("json").pipe(Flag.withDescription("Print JSON"), Flag.withDefault(false))
}

export const limit = (byDefault: number) =>
  Flag.Int("limit").pipe(
    Flag.withDescription(`Maximum number, newest first (default ${byDefault})`),
    Flag.withSchema(Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 1_000_000 }))),
    Flag.withDefault(byDefault)
  )

/** Places of records, as words. */
export const records = Argument.String("record").pipe(
  Argument.withDescription("Its place: topic/partition@offset, or TOPIC PARTITION OFFSET"),
  Argument.atLeast(0)
)

export interface FilterFlags {
  readonly topic: Option.Option<string>
  readonly cause: Option.Option<string>
  readonly since: Option.Option<string>
  readonly until: Option.Option<string>
  readonly limit: number
}

export const isNarrow = ({ cause, since, topic, until }: FilterFlags): boolean =>
  [cause, since, topic, until].some(Option.isSome)

/** The flags as the warehouse wants them. */
export const toFilter = ({ cause, limit, since, topic, until }: FilterFlags): Effect.Effect<DeadLetterFilter> =>
  Effect.map(Clock.currentTimeMillis, (now) => {
    const at = (text: Option.Option<string>) => (Option.isSome(text) ? timeOf(text.value, now) : undefined)
    return {
      topic: Option.getOrUndefined(topic),
      cause: Option.getOrUndefined(cause),
      since: at(since),
      until: at(until),
      limit
    }
  })
