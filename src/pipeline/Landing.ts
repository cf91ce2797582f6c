/** The way of a group once it is taken: write → durable → commit; and what is refused goes the same way in parts. */
import * as Effect from "effect/Effect"
import * as Semaphore from "effect/Semaphore"
import * as Batch from "../domain/Batch.ts"
import { type Position, partitionKey } from "../domain/KafkaRecord.ts"
import type { Assignment } from "../kafka/ConsumerGroup.ts"
import type { Claims } from "./Claims.ts"
import type { Reclaim } from "./Reclaim.ts"
import * as Spans from "./Spans.ts"
import * as Writer from "./Writer.ts"

/**
 * Writes a group, and gives what is left to do with it: to wait until it is durable, and only then to commit. What is
 * refused lands in the parts that go instead.
 */
export const make = Effect.fnUntraced(function* (assignment: Assignment, claims: Claims, spans: Spans.Spans) {
  const writer = yield* Writer.make(assignment, claims)
  const committing = yield* commits(assignment)
  const write = (group: Batch.Group): Effect.Effect<Writer.Landing, Reclaim> =>
    Effect.suspend(() => {
      const batch = Batch.make({ ...group, claimed: claims.claimed })
      const positions = Batch.positionsOf(batch)
      return writer.write(batch).pipe(
        Effect.map((landing) => Effect.andThen(landing, committing(positions))),
        Effect.catchTag("Refused", ({ instead }) =>
          Effect.map(
            Effect.forEach(instead, (outcomes) => write({ ...group, outcomes })),
            (landings) => Effect.all(landings, { discard: true })
          )
        ),
        spans.aroundBatch(batch)
      )
    })
  return write
})

/**
 * Commits the offsets of what is durable, one commit at a time. A batch may be durable before one that was accepted
 * sooner and has another partition besides: no commit goes back behind what is durable by then.
 */
const commits = Effect.fnUntraced(function* (assignment: Assignment) {
  const one = yield* Semaphore.make(1)
  /** The offset after what is durable, by partition. */
  const reached = new Map<string, number>()
  const furthest = (position: Position): Position => {
    const key = partitionKey(position)
    const offset = Math.max(position.offset, reached.get(key) ?? 0)
    reached.set(key, offset)
    return { ...position, offset }
  }
  return (positions: ReadonlyArray<Position>): Effect.Effect<void> =>
    Effect.suspend(() => {
      const here = positions.map(furthest)
      return one.withPermit(Effect.suspend(() => assignment.commit(here.map(furthest)))).pipe(
        Effect.andThen((committed) => (committed ? Effect.logInfo("Kafka offsets committed") : Effect.void)),
        Spans.aroundCommit
      )
    })
})
