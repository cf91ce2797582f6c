/**
 * What the warehouse holds of a partition, counted offset by offset, and what the ledger says it should hold: the basis
 * of every audit.
 */
import type { TopicPartition } from "./KafkaRecord.ts"

/** Missing offsets, the first and the last of a run. */
export interface Gap {
  readonly from: number
  readonly to: number
}

/** The ledger of a partition: NEXT_OFFSET - START_OFFSET = rows + pending dead letters + SKIPPED. */
export interface LedgerCounts {
  /** Where it began to count. */
  readonly start: number
  readonly next: number
  /** Offsets that were passed on purpose: skipped tombstones, control records, what compaction took away. */
  readonly skipped: number
  readonly epoch: number
  readonly owner: string
  /** Kafka's id of the topic that the offsets count in, where it was noted. */
  readonly topicId?: string
}

export interface PartitionCoverage extends TopicPartition {
  readonly table: string
  readonly rows: number
  /** Offsets that have a row. */
  readonly offsets: number
  /** The first and the last offset that is a row or a pending dead letter; null when there is none. */
  readonly first: number | null
  readonly last: number | null
  /** Offsets that have a dead letter, and those among them that were not replayed. */
  readonly deadLetters: number
  readonly waiting: number
  /** Offsets that are there more than once: as rows, as pending dead letters, or as both. */
  readonly duplicates: number
  /**
   * What the consumer group's ledger says, read in the same instant; null where it has no such partition, or in
   * at-least-once delivery.
   */
  readonly ledger: LedgerCounts | null
  /**
   * Offsets without row or waiting dead letter, from the ledger's start to its next; without a ledger from `first` to
   * `last`.
   */
  readonly missing: number
  /** The first runs of them, `maxGaps` at most. */
  readonly gaps: ReadonlyArray<Gap>
}

/** How many gaps of a partition are named. */
export const maxGaps = 20

/** Offsets that were neither written nor skipped; below 0 when there is more than the ledger knows of. */
export const lost = ({ ledger, missing }: PartitionCoverage): number => missing - (ledger?.skipped ?? 0)
