/**
 * THE FLOW: fetch → decode → batch → write → commit.
 *
 * An assignment is a scope. Its statements are in the order in which they are undone backwards: fetching stops first,
 * then the batcher flushes (write, commit), then the partitions are let go. Graceful shutdown and rebalance are both
 * nothing but this scope closing.
 */
import * as Effect from "effect/Effect"
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
import * as Landing from "./Landing.ts"
import * as Reclaim from "./Reclaim.ts"
import * as Spans from "./Spans.ts"

/** Runs until it is interrupted; `read` are the topics that this process has read before. */
export const run = Effect.fnUntraced(function* (read: Set<string>) {
  const kafka = yield* ConsumerGroup
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
  const land = yield* Landing.make(assignment, claims, spans)
  const batches = yield* batcher.open({ tables: tablesOf(settings.routes), write: land, writers, assignment })
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
