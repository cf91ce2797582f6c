/**
 * THE FLOW: fetch → decode → batch → write → commit.
 *
 * An assignment is a scope. Its statements are in the order in which they are undone backwards: fetching stops first,
 * then the batcher flushes (write, commit), then the partitions are let go. Graceful shutdown and rebalance are both
 * nothing but this scope closing.
 */
import * as Effect from "effect/Effect"
import * as Semaphore from "effect/Semaphore"
import * as Batch from "../domain/Batch.ts"
import type { Position } from "../domain/KafkaRecord.ts"
import { tablesOf } from "../domain/Route.ts"
import { type Assignment, ConsumerGroup, type Fetch } from "../kafka/ConsumerGroup.ts"
import { Progress } from "../observe/Progress.ts"
import { Schemas } from "../schema/Schemas.ts"
import { Settings } from "../settings/Settings.ts"
import { Warehouse } from "../warehouse/Warehouse.ts"
import * as BadRecordLog from "./BadRecordLog.ts"
import { Batcher } from "./Batcher.ts"
import * as Claims from "./Claims.ts"
import * as FetchDecoder from "./FetchDecoder.ts"
import * as Reclaim from "./Reclaim.ts"
import * as Spans from "./Spans.ts"
import * as Writer from "./Writer.ts"

/** Runs until it is interrupted. */
export const run = Effect.gen(function* () {
  const kafka = yield* ConsumerGroup
  const read = new Set<string>()
  return yield* kafka.consume((assignment) =>
    Reclaim.again(Effect.scoped(consume(assignment, read)), assignment.isHeld)
  )
})

/** One assignment, from claim to flush. */
const consume = Effect.fnUntraced(function* (assignment: Assignment, read: Set<string>) {
  const settings = yield* Settings
  const batcher = yield* Batcher
  const progress = yield* Progress
  const { writers } = yield* Warehouse
  const decode = FetchDecoder.make(settings, yield* Schemas)
  const spans = Spans.make(settings.kafka.group)

  yield* Effect.addFinalizer(() => Effect.sync(progress.released))
  const reportBad = yield* BadRecordLog.make
  const claims = yield* Claims.open(assignment, read)
  yield* Effect.logInfo(Claims.describe(claims))
  const write = yield* land(assignment, claims, spans)
  const batches = yield* batcher.open({ tables: tablesOf(settings.routes), write, writers, assignment })
  const receive = (fetch: Fetch): Effect.Effect<void> =>
    Effect.gen(function* () {
      progress.fetched(fetch)
      const { next, partition, records, topic } = fetch
      yield* Effect.logDebug(`Fetched ${records.length} records: topic=${topic} partition=${partition} next=${next}`)
      yield* decode(fetch, (decoded) => Effect.andThen(reportBad(decoded.outcomes), batches.offer(decoded)))
    }).pipe(spans.aroundFetch(fetch))
  const fetching = assignment.fetch(claims.positions, receive)
  return yield* Effect.raceAllFirst([fetching, batches.failure, Reclaim.reminder(claims.stopped)])
})

/**
 * Writes a group, and gives what is left to do with it: to wait until it is durable, and only then to commit. What is
 * refused lands in the parts that go instead.
 */
export const land = Effect.fnUntraced(function* (assignment: Assignment, claims: Claims.Claims, spans: Spans.Spans) {
  const writer = yield* Writer.make(assignment, claims)
  const one = yield* Semaphore.make(1)
  const write = (group: Batch.Group): Effect.Effect<Writer.Landing, Reclaim.Reclaim> =>
    Effect.suspend(() => {
      const batch = Batch.make({ ...group, claimed: claims.claimed })
      const positions = Batch.positionsOf(batch)
      return writer.write(batch).pipe(
        Effect.map((landing) => Effect.andThen(landing, one.withPermit(commit(assignment, positions)))),
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

/** The offsets of what is durable; one commit at a time, so that none overtakes a later one. */
const commit = (assignment: Assignment, positions: ReadonlyArray<Position>): Effect.Effect<void> =>
  assignment.commit(positions).pipe(
    Effect.andThen((committed) => (committed ? Effect.logInfo("Kafka offsets committed") : Effect.void)),
    Spans.aroundCommit
  )
