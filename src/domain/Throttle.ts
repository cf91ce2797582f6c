/**
 * Log lines of one sort: the first ten a minute one by one, then how many more there were; nothing is left unsaid at
 * the end.
 */
import * as Effect from "effect/Effect"
import * as Schedule from "effect/Schedule"

/** So many of one sort are reported one by one each minute. */
const perMinute = 10

/** Logs for the length of the scope; `rest` says that there were `count` more of a sort. */
export const make = Effect.fnUntraced(function* (rest: (sort: string, count: number) => string) {
  const counts = new Map<string, number>()

  const sum = Effect.suspend(() => {
    const many = [...counts].filter(([, count]) => count > perMinute)
    counts.clear()
    return Effect.forEach(many, ([sort, count]) => Effect.logError(rest(sort, count - perMinute)), { discard: true })
  })
  yield* Effect.addFinalizer(() => sum)
  yield* sum.pipe(Effect.schedule(Schedule.spaced("1 minute")), Effect.forkScoped)

  return (sort: string, line: string): Effect.Effect<void> =>
    Effect.suspend(() => {
      const count = (counts.get(sort) ?? 0) + 1
      counts.set(sort, count)
      return count > perMinute ? Effect.void : Effect.logError(line)
    })
})
