/** The pipeline in the background with doubles on both sides, and what a test needs to drive and watch it. */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Queue from "effect/Queue"
import * as TestClock from "effect/testing/TestClock"
import type { Batch } from "../../src/domain/Batch.ts"
import type { KafkaRecord } from "../../src/domain/KafkaRecord.ts"
import type { AssignedPartition, Assignment } from "../../src/kafka/ConsumerGroup.ts"
import { DeadLetterTopic } from "../../src/kafka/DeadLetterTopic.ts"
import * as Progress from "../../src/observe/Progress.ts"
import { Batcher } from "../../src/pipeline/Batcher.ts"
import * as Pipeline from "../../src/pipeline/Pipeline.ts"
import * as Schemas from "../../src/schema/Schemas.ts"
import * as Settings from "../../src/settings/Settings.ts"
import * as MemoryKafka from "./MemoryKafka.ts"
import * as MemoryWarehouse from "./MemoryWarehouse.ts"
import { record } from "./Outcomes.ts"

export const records = (from: number, count: number, given: Partial<KafkaRecord> = {}) =>
  Array.from({ length: count }, (_, index) =>
    record({ value: `{"n":${from + index}}`, ...given, offset: from + index })
  )

export const partition = (
  partition: number,
  given: Partial<Omit<AssignedPartition, "partition">> = {}
): AssignedPartition => ({
  topic: "raw.orders.v1",
  partition,
  committed: undefined,
  low: 0,
  high: 0,
  stable: given.high ?? 0,
  ...given
})

/** An assignment of these partitions that stays held, takes every commit and fetches nothing. */
export const heldAssignment = (mine: ReadonlyArray<AssignedPartition>): Assignment => ({
  memberId: "member-1",
  partitions: Effect.succeed({ mine, others: [] }),
  fetch: () => Effect.never,
  isHeld: () => true,
  isEnding: () => false,
  commit: () => Effect.succeed(true),
  begin: () => Effect.succeed(true)
})

export const sizes = (batches: ReadonlyArray<Batch>) => batches.map(({ outcomes }) => outcomes.length)

/** Time passes in steps, so that what waits again after waiting gets its turn. */
export const pass = (seconds: number) => Effect.repeat(TestClock.adjust("1 second"), { times: seconds - 1 })

export const start = Effect.fnUntraced(function* (
  options: MemoryWarehouse.Options & {
    readonly env?: Record<string, string>
    readonly deadLetterTopic?: Layer.Layer<DeadLetterTopic>
  } = {}
) {
  const kafka = yield* MemoryKafka.make
  const warehouse = yield* MemoryWarehouse.make(options)
  const settings = Settings.layer.pipe(
    Layer.provide(
      Settings.environment({ SINK: "duckdb", DELIVERY: options.delivery ?? "exactly-once", ...options.env })
    )
  )
  const parts = yield* Layer.build(
    Layer.mergeAll(
      ...[kafka.layer, warehouse.layer, Batcher.layer, Schemas.layer],
      options.deadLetterTopic ?? DeadLetterTopic.none
    ).pipe(Layer.provideMerge(Progress.layer), Layer.provideMerge(settings))
  )
  const fiber = yield* Effect.forkScoped(Effect.provide(Pipeline.run(new Set()), parts))
  // A test that failed half way ends too: what the flow still waits for then comes to pass.
  yield* Effect.addFinalizer(() => Effect.forkDetach(Effect.repeat(TestClock.adjust("5 seconds"), { times: 100 })))
  /** Waits for `count` batches that have landed. */
  const landed = (count: number) =>
    Effect.forEach(
      Array.from({ length: count }, () => 0),
      () => Queue.take(warehouse.landed)
    )
  return { kafka, warehouse, landed, fiber, parts, progress: Context.get(parts, Progress.Progress) }
})
