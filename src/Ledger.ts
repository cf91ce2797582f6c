/** What this member holds of one assignment: where each partition stands, under which epoch, and how far it has been written. */
import * as Effect from "effect/Effect"
import type { Batch, Claimed } from "./domain/Batch.ts"
import { type Position, partitionKey, type TopicPartition } from "./domain/KafkaRecord.ts"
import type { AssignedPartition, Assignment } from "./kafka/Kafka.ts"
import * as Retry from "./Retry.ts"
import { Settings } from "./Settings.ts"
import { Warehouse } from "./warehouse/Warehouse.ts"

export interface Ledger {
  /** Where fetching starts. */
  readonly positions: ReadonlyArray<Position>
  /** Where a partition stands by what this member wrote last. */
  readonly claimed: (partition: TopicPartition) => Claimed
  /** Moves the partitions of a batch that is durable. */
  readonly advance: (batch: Batch) => void
}

/**
 * Claims the assigned partitions, for as long as it takes. The warehouse's ledger wins over Kafka's committed offset; a partition that has
 * neither starts at AUTO_OFFSET_RESET. Kafka is told at once where we stand, so that its lag is right even when nothing is left to read.
 */
export const open = Effect.fn("Ledger.open")(function* (assignment: Assignment) {
  const settings = yield* Settings
  const warehouse = yield* Warehouse
  const assigned = yield* assignment.partitions.pipe(
    Effect.retry(Retry.forever("Asking Kafka for its offsets failed")),
    Effect.orDie
  )
  const starts = assigned.map((partition) => startOf(partition, settings.kafka.autoOffsetReset))
  const entries =
    settings.delivery === "exactly-once" && starts.length > 0
      ? yield* warehouse
          .claim(starts, assignment.memberId)
          .pipe(Effect.retry(Retry.forever(`Claiming partitions in ${warehouse.name} failed`)), Effect.orDie)
      : starts.map(({ offset, ...partition }) => ({ ...partition, epoch: 0, next: offset }))

  const claims = new Map<string, Claimed>(entries.map((entry) => [partitionKey(entry), entry]))
  const positions = entries.map(({ next, partition, topic }) => ({ topic, partition, offset: next }))
  const committed = new Map(assigned.map((partition) => [partitionKey(partition), partition.committed]))
  yield* assignment.commit(positions.filter((position) => committed.get(partitionKey(position)) !== position.offset))

  return {
    positions,
    claimed: (partition) => claims.get(partitionKey(partition)) ?? { epoch: 0, next: 0 },
    advance: (batch) => {
      for (const range of batch.ranges) claims.set(partitionKey(range), range)
    }
  } satisfies Ledger
})

const startOf = (
  { committed, high, low, partition, topic }: AssignedPartition,
  reset: "earliest" | "latest"
): Position => ({
  topic,
  partition,
  offset: committed ?? (reset === "earliest" ? low : high)
})
