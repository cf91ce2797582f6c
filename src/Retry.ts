/** The Schedules under which the service tries again: exponential, jittered, capped; and a log that says so once per outage and interval, not per try. */
import * as Effect from "effect/Effect"
import * as Schedule from "effect/Schedule"

/** How often a lasting outage is mentioned in the log, in milliseconds. */
const mentionEvery = 30_000

/** From 200 ms up to 5 s a try: long enough not to hammer, short enough that an outage that ended is noticed at once. */
export const backoff = Schedule.min([Schedule.exponential("200 millis"), Schedule.spaced("5 seconds")]).pipe(
  Schedule.jittered
)

/** When an outage was last mentioned, in milliseconds; those who share one mention it once for all of them. */
export interface Mention {
  at: number
}

export const notYet = (): Mention => ({ at: Number.NEGATIVE_INFINITY })

/** Retries for as long as `goOn` says; `what` opens the log line. */
export const forever = <E extends { readonly message: string }>(
  what: string,
  goOn: (error: E) => boolean = () => true,
  mentioned: Mention = notYet()
) => {
  return backoff.pipe(
    Schedule.setInputType<E>(),
    Schedule.while(({ input }) => goOn(input)),
    Schedule.tap(({ elapsed, input, now }) => {
      if (now - mentioned.at < mentionEvery) return Effect.void
      mentioned.at = now
      const since = elapsed < 1000 ? "" : ` (for ${Math.round(elapsed / 1000)} s)`
      return Effect.logError(`${what}${since}: ${input.message}. Trying again; nothing is lost`)
    })
  )
}
