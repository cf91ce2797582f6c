/**
 * Logs the place and cause of each bad record, never its payload; of one topic and cause the first ten a minute, then a
 * count.
 */
import * as Effect from "effect/Effect"
import type { DeadLetter, Outcome } from "../domain/Outcome.ts"
import * as Throttle from "../domain/Throttle.ts"

/** Logs for the length of the scope. */
export const make = Effect.gen(function* () {
  const log = yield* Throttle.make(
    (sort, count) =>
      `Bad records: ${count} more within a minute, ${sort}; all are kept as dead letters (bronze-consumer dlq list)`
  )

  const tell = ({ cause, message, offset, partition, topic }: DeadLetter) =>
    log(
      `topic=${topic} cause=${cause}`,
      `Bad record: topic=${topic} partition=${partition} offset=${offset}: ${message}; kept as a dead letter`
    )

  return (outcomes: ReadonlyArray<Outcome>): Effect.Effect<void> =>
    Effect.forEach(
      outcomes.filter((outcome) => outcome._tag === "DeadLetter"),
      tell,
      { discard: true }
    )
})
