/** Says in the log where each bad record stands and why, never what is in it; of one sort the first ten a minute, then how many more there were. */
import * as Effect from "effect/Effect"
import * as Schedule from "effect/Schedule"
import type { DeadLetter, Outcome } from "../domain/Outcome.ts"

/** So many of one topic and cause are told one by one each minute. */
const perMinute = 10

/** Logs for the length of the scope; at its end nothing is left unsaid. */
export const make = Effect.gen(function* () {
  const counts = new Map<string, number>()

  const tell = ({ cause, message, offset, partition, topic }: DeadLetter) =>
    Effect.suspend(() => {
      const sort = `topic=${topic} cause=${cause}`
      const count = (counts.get(sort) ?? 0) + 1
      counts.set(sort, count)
      return count > perMinute
        ? Effect.void
        : Effect.logError(
            `Bad record: topic=${topic} partition=${partition} offset=${offset}: ${message}; kept as a dead letter`
          )
    })

  const sum = Effect.suspend(() => {
    const many = [...counts].filter(([, count]) => count > perMinute)
    counts.clear()
    return Effect.forEach(
      many,
      ([sort, count]) =>
        Effect.logError(
          `Bad records: ${count - perMinute} more within a minute, ${sort}; all are kept as dead letters (node dist/main.js dlq list)`
        ),
      { discard: true }
    )
  })
  yield* Effect.addFinalizer(() => sum)
  yield* sum.pipe(Effect.schedule(Schedule.spaced("1 minute")), Effect.forkScoped)

  return (outcomes: ReadonlyArray<Outcome>): Effect.Effect<void> =>
    Effect.forEach(
      outcomes.filter((outcome) => outcome._tag === "DeadLetter"),
      tell,
      { discard: true }
    )
})
