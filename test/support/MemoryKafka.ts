/**
 * A double of the consumer side: tests hand it assignments and records, and take the commits it observed from a queue.
 */
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Queue from "effect/Queue"
import type { KafkaRecord, Position } from "../../src/domain/KafkaRecord.ts"
import { type AssignedPartition, type Assignment, ConsumerGroup, type Fetch } from "../../src/kafka/ConsumerGroup.ts"

export interface MemoryAssignment {
  /** Hands over the records of one partition; resolves when the handler is done with them. */
  readonly deliver: (records: ReadonlyArray<KafkaRecord>) => Effect.Effect<void>
  /** Asks for the scope to close, as a rebalance does that still lets us commit; resolves when it has closed. */
  readonly end: Effect.Effect<void>
  /** The group has taken the partitions away; resolves when the scope has closed. */
  readonly lose: Effect.Effect<void>
  /** The positions where fetching started, once it has. */
  readonly started: Effect.Effect<ReadonlyArray<Position>>
}

export const make = Effect.gen(function* () {
  const reopened = yield* Queue.unbounded<void>()
  const commits = yield* Queue.unbounded<ReadonlyArray<Position>>()
  const begun = yield* Queue.unbounded<ReadonlyArray<Position>>()
  const opened = yield* Queue.unbounded<{
    readonly assignment: Assignment
    readonly ended: Effect.Effect<void>
    readonly closed: Effect.Effect<void>
  }>()

  const assign = Effect.fnUntraced(function* (
    mine: ReadonlyArray<AssignedPartition>,
    others: ReadonlyArray<AssignedPartition> = []
  ) {
    const ended = yield* Deferred.make<void>()
    const closed = yield* Deferred.make<void>()
    const started = yield* Deferred.make<ReadonlyArray<Position>>()
    // Topics do not wait for each other.
    const topics = [...new Set(mine.map(({ topic }) => topic))]
    const lanes = yield* Effect.forEach(topics, (topic) =>
      Effect.map(
        Queue.unbounded<{ readonly fetch: Fetch; readonly done: Deferred.Deferred<void> }>(),
        (queue) => [topic, queue] as const
      )
    )
    let held = true
    let ending = false
    const assignment: Assignment = {
      memberId: "member-1",
      partitions: Effect.succeed({ mine, others }),
      isHeld: () => held,
      isEnding: () => ending,
      commit: (positions) =>
        held && positions.length > 0 ? Effect.as(Queue.offer(commits, positions), true) : Effect.succeed(false),
      begin: (positions) => Effect.as(Queue.offer(begun, positions), true),
      fetch: (positions, handler) =>
        Deferred.succeed(started, positions).pipe(
          Effect.andThen(
            Effect.forEach(
              lanes,
              ([, queue]) =>
                Queue.take(queue).pipe(
                  Effect.flatMap(({ done, fetch }) =>
                    Effect.andThen(handler(fetch), Deferred.succeed(done, undefined))
                  ),
                  Effect.forever
                ),
              { concurrency: "unbounded", discard: true }
            )
          ),
          Effect.andThen(Effect.never)
        )
    }
    yield* Queue.offer(opened, {
      assignment,
      ended: Deferred.await(ended),
      closed: Effect.asVoid(Deferred.succeed(closed, undefined))
    })
    const finish = Effect.suspend(() => {
      ending = true
      return Effect.andThen(Deferred.succeed(ended, undefined), Deferred.await(closed))
    })
    return {
      started: Deferred.await(started),
      deliver: (records) =>
        Effect.gen(function* () {
          const [first] = records
          const last = records.at(-1)
          if (first === undefined || last === undefined) return
          const done = yield* Deferred.make<void>()
          const { offset: from, partition, topic } = first
          const fetches = lanes.find(([name]) => name === topic)?.[1]
          if (fetches === undefined) return yield* Effect.die(new Error(`${topic} is not assigned`))
          yield* Queue.offer(fetches, { fetch: { topic, partition, from, next: last.offset + 1, records }, done })
          yield* Deferred.await(done)
        }),
      end: finish,
      lose: Effect.suspend(() => {
        held = false
        return finish
      })
    } satisfies MemoryAssignment
  })

  const layer = Layer.succeed(
    ConsumerGroup,
    ConsumerGroup.of({
      pause: () => Effect.void,
      resume: () => Effect.void,
      reopen: Effect.asVoid(Queue.offer(reopened, undefined)),
      consume: (use) =>
        Queue.take(opened).pipe(
          Effect.flatMap(({ assignment, closed, ended }) =>
            Effect.raceFirst(Effect.scoped(use(assignment)), ended).pipe(Effect.ensuring(closed))
          ),
          Effect.forever
        )
    })
  )
  return { layer, assign, commits, begun, reopened }
})
