/** Says in the log where each bad record stands and why, never what is in it; of one sort the first ten a minute, then how many more there were. */
import * as Effect from "effect/Effect"
import type { DeadLetter, Outcome } from "../domain/Outcome.ts"
import * as Throttle from "../Throttle.ts"

/** Logs for the length of the scope. */
export const make = Effect.gen(function* () {
  const log = yield* Throttle.make(
    (sort, count) =>
      `Bad records: ${count} more within a minute, ${sort}; all are kept as dead letters (node dist/main.js dlq list)`
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
