/**
 * What one write carries: outcomes of one table and the offsets they cover, so that an offset can pass only with its
 * record.
 */
import type { Position, TopicPartition } from "./KafkaRecord.ts"
import { isSamePartition, partitionKey } from "./KafkaRecord.ts"
import type { BronzeRow, DeadLetter, Outcome } from "./Outcome.ts"
import type { Table } from "./Route.ts"

/** What ended the wait for more records. */
export type BatchTrigger = "size" | "time" | "bytes" | "shutdown" | "rebalance"

/**
 * The offsets that a write moves one partition over: from `from` (what the ledger must say) to `next` (what it will
 * say).
 */
export interface OffsetRange extends TopicPartition {
  /** The fencing token under which this member holds the partition. */
  readonly epoch: number
  readonly from: number
  readonly next: number
  /**
   * How many of these offsets become neither a row nor a dead letter: skipped tombstones, control records, what
   * compaction took away.
   */
  readonly skipped: number
}

/** Outcomes that are to be written together; within a partition they are in the order of their offsets. */
export interface Group {
  readonly table: Table
  readonly outcomes: ReadonlyArray<Outcome>
  readonly trigger: BatchTrigger
}

/** One write to one table. */
export interface Batch extends Group {
  readonly ranges: ReadonlyArray<OffsetRange>
}

/** The position of a partition: the ledger's next offset and the epoch it was claimed under. */
export interface Claimed {
  readonly epoch: number
  readonly next: number
}

/** Builds the batch of a group, whose partitions are where `claimed` says. */
export const make = ({
  claimed,
  outcomes,
  table,
  trigger
}: Group & { readonly claimed: (partition: TopicPartition) => Claimed }): Batch => {
  const partitions = byPartition(
    outcomes,
    (place) => ({ ...place, last: -1, landing: 0 }),
    (here, { _tag, offset }) => {
      here.last = offset
      if (_tag !== "Skip") here.landing += 1
    }
  )
  const ranges = [...partitions.values()].map(({ landing, last, partition, topic }) => {
    const { epoch, next: from } = claimed({ topic, partition })
    const next = last + 1
    return { topic, partition, epoch, from, next, skipped: next - from - landing }
  })
  return { table, outcomes, ranges, trigger }
}

/**
 * Gathers something of each partition, by the partition's key. Neighbours are mostly of one partition, and a key is text
 * that has to be made.
 */
export const byPartition = <A>(
  outcomes: ReadonlyArray<Outcome>,
  begin: (place: TopicPartition) => A,
  add: (gathered: A, outcome: Outcome) => void
): ReadonlyMap<string, A> => {
  const partitions = new Map<string, A>()
  let place: TopicPartition | undefined
  let here: A | undefined
  for (const outcome of outcomes) {
    if (place === undefined || here === undefined || !isSamePartition(place, outcome)) {
      const key = partitionKey(outcome)
      place = { topic: outcome.topic, partition: outcome.partition }
      here = partitions.get(key) ?? begin(place)
      partitions.set(key, here)
    }
    add(here, outcome)
  }
  return partitions
}

export const rowsOf = (batch: Pick<Batch, "outcomes">): ReadonlyArray<BronzeRow> =>
  batch.outcomes.filter((outcome) => outcome._tag === "BronzeRow")

export const deadLettersOf = (batch: Pick<Batch, "outcomes">): ReadonlyArray<DeadLetter> =>
  batch.outcomes.filter((outcome) => outcome._tag === "DeadLetter")

/** The positions to commit to Kafka once the batch is durable: the offset of the next record, as Kafka counts. */
export const positionsOf = (batch: Batch): ReadonlyArray<Position> =>
  batch.ranges.map(({ next, partition, topic }) => ({ topic, partition, offset: next }))
