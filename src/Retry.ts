/**
 * The Schedules under which the service retries: exponential, jittered, capped; a log that says so once per outage and
 * interval, not per attempt; and where an unknown error stays the same, the word that it does not pass, and longer
 * pauses.
 */
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Schedule from "effect/Schedule"

/** How often a lasting outage is mentioned in the log, in milliseconds. */
const mentionEvery = 30_000

/**
 * From 200 ms up to 5 s an attempt: long enough not to hammer, short enough that an outage that ended is noticed at
 * once.
 */
export const backoff = Schedule.min([Schedule.exponential("200 millis"), Schedule.spaced("5 seconds")]).pipe(
  Schedule.jittered
)

/** When each cause was last mentioned, in milliseconds; those who share this mention it once for all of them. */
export type Mentioned = Map<string, number>

/** Figures (seconds, ports) make no other cause of it. */
const causeOf = (message: string): string => message.replace(/\d+/g, "#")

/** Whether a cause should be mentioned now. */
export const isDue = (mentioned: Mentioned, message: string, now: number): boolean => {
  const cause = causeOf(message)
  if (now - (mentioned.get(cause) ?? Number.NEGATIVE_INFINITY) < mentionEvery) return false
  mentioned.set(cause, now)
  return true
}

export interface Failure {
  readonly message: string
  /** No code or class says whether it passes. */
  readonly isUnknown?: boolean | undefined
}

/** So many equal answers over so many milliseconds are not a transient error. */
const manyAnswers = 5
const longTime = 30_000

/** The longest pause between two tries of what does not pass by itself. */
const longestPause = Duration.minutes(1)

/** How soon a long pause sees that it need not last. */
const slice = Duration.seconds(1)

/**
 * A pause that ends at once when nobody waits for its end any more: who has lost the partitions holds up who has them
 * now.
 */
const waitWhile = (goOn: () => boolean, left: Duration.Duration): Effect.Effect<void> =>
  Effect.suspend(() =>
    Duration.toMillis(left) <= 0 || !goOn()
      ? Effect.void
      : Effect.andThen(Effect.sleep(slice), waitWhile(goOn, Duration.subtract(left, slice)))
  )

/** Counts how often one call got the same unknown answer in a row, once it is too often to be passing; else 0. */
const countAnswers = () => {
  let cause: string | undefined
  let count = 0
  let since = 0
  return ({ isUnknown, message }: Failure, now: number): number => {
    const next = isUnknown === true ? causeOf(message) : undefined
    if (next !== cause) {
      count = 0
      since = now
    }
    cause = next
    count += 1
    return cause !== undefined && count >= manyAnswers && now - since >= longTime ? count : 0
  }
}

/**
 * Retries for as long as `goOn` says; `what` opens the log line, and `onLasting` hears what does not pass by itself.
 */
export const forever = <E extends Failure>(
  what: string,
  goOn: (error: E) => boolean = () => true,
  mentioned: Mentioned = new Map(),
  onLasting: (message: string) => void = () => {}
) => {
  const answers = countAnswers()
  let lasting = 0
  let pause = Duration.seconds(5)
  return backoff.pipe(
    Schedule.setInputType<E>(),
    Schedule.while(({ input }) => goOn(input)),
    Schedule.modifyDelay(({ duration, input, now }) =>
      Effect.sync(() => {
        lasting = answers(input, now)
        pause = lasting === 0 ? Duration.seconds(5) : Duration.min(Duration.times(pause, 2), longestPause)
        return lasting === 0 ? duration : slice
      })
    ),
    Schedule.tap(({ elapsed, input, now }) => {
      const since = elapsed < 1000 ? "" : ` (for ${Math.round(elapsed / 1000)} s)`
      if (lasting > 0) {
        const said = `the same answer ${lasting} times: this does not pass by itself and must be fixed: ${input.message}`
        onLasting(said)
        const line = Effect.logError(`${what}${since}: ${said}. Retrying once a minute`)
        return Effect.andThen(
          isDue(mentioned, `${what}: ${said}`, now) ? line : Effect.void,
          waitWhile(() => goOn(input), Duration.subtract(pause, slice))
        )
      }
      return isDue(mentioned, input.message, now)
        ? Effect.logError(`${what}${since}: ${input.message}. Retrying; nothing is lost`)
        : Effect.void
    })
  )
}
