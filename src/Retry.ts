/** The Schedules under which the service tries again: exponential, jittered, capped; and a log that says so once per outage and interval, not per try. */
import * as Effect from "effect/Effect"
import * as Schedule from "effect/Schedule"

/** How often a lasting outage is mentioned in the log, in milliseconds. */
const mentionEvery = 30_000

/** From 200 ms up to 5 s a try: long enough not to hammer, short enough that an outage that ended is noticed at once. */
export const backoff = Schedule.min([Schedule.exponential("200 millis"), Schedule.spaced("5 seconds")]).pipe(
  Schedule.jittered
)

/** When each cause was last mentioned, in milliseconds; those who share this mention it once for all of them. */
export type Mentioned = Map<string, number>

/** Whether a cause should be mentioned now; figures in it (seconds, ports) make no other cause of it. */
export const isDue = (mentioned: Mentioned, message: string, now: number): boolean => {
  const cause = message.replace(/\d+/g, "#")
  if (now - (mentioned.get(cause) ?? Number.NEGATIVE_INFINITY) < mentionEvery) return false
  mentioned.set(cause, now)
  return true
}

/** Retries for as long as `goOn` says; `what` opens the log line. */
export const forever = <E extends { readonly message: string }>(
  what: string,
  goOn: (error: E) => boolean = () => true,
  mentioned: Mentioned = new Map()
) => {
  return backoff.pipe(
    Schedule.setInputType<E>(),
    Schedule.while(({ input }) => goOn(input)),
    Schedule.tap(({ elapsed, input, now }) => {
      if (!isDue(mentioned, input.message, now)) return Effect.void
      const since = elapsed < 1000 ? "" : ` (for ${Math.round(elapsed / 1000)} s)`
      return Effect.logError(`${what}${since}: ${input.message}. Trying again; nothing is lost`)
    })
  )
}
