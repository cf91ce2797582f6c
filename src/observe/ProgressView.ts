/**
 * What can be seen of the service from outside, as plain data: times are milliseconds since 1970, durations seconds.
 */

import type { BatchTrigger } from "../domain/Batch.ts"
import type { TopicPartition } from "../domain/KafkaRecord.ts"
import type { Percentiles } from "./MinutePercentiles.ts"

/** Counted since the process started. */
export interface Totals {
  readonly consumed: number
  readonly written: number
  readonly bytes: number
  readonly deadLetters: number
  readonly skipped: number
  readonly batches: number
  readonly retries: number
  readonly errors: number
  readonly fenced: number
  readonly rebalances: number
  readonly reconnects: number
}

export interface TableView {
  readonly table: string
  readonly written: number
  /** When rows of this table last became durable; null when none did. */
  readonly lastWriteAt: number | null
  readonly batches: Readonly<Record<BatchTrigger, number>>
  /** Rows of a write; of the last minute, as the others: null where nothing was written in it. */
  readonly rows: Percentiles | null
  /** Seconds that a write took. */
  readonly write: Percentiles | null
  /** Seconds from the event's time to its row being durable. */
  readonly freshness: Percentiles | null
}

export interface PartitionView extends TopicPartition {
  /** The offset that is written next. */
  readonly next: number
  /** The log's end, as it was last read; null before that. */
  readonly end: number | null
  readonly lag: number | null
  /** Records of the lag that are behind an open transaction. */
  readonly waiting: number
  /** Kafka's id of the topic that the offsets count in; not there where the broker gives none. */
  readonly topicId?: string
  /** Stopped until it is reset. */
  readonly stopped: boolean
}

/** A routed topic that cannot be read, and why. */
export interface UnreadTopic {
  readonly topic: string
  readonly message: string
}

export interface DeadLetterView extends TopicPartition {
  readonly at: number
  readonly offset: number
  readonly cause: string
  readonly message: string
}

export interface RowView extends TopicPartition {
  readonly at: number
  readonly table: string
  readonly offset: number
  /** Cut to 200 characters; null also unless HTTP_SHOW_EVENTS is on. */
  readonly key: string | null
  /** The payload, cut to 2,000 characters; null unless HTTP_SHOW_EVENTS is on. */
  readonly event: string | null
}

/** A write that has become durable. */
export interface WriteView {
  readonly at: number
  readonly table: string
  readonly rows: number
  readonly bytes: number
  readonly seconds: number
  readonly trigger: BatchTrigger
  /** The offsets that it covers; `next` is the one after them. */
  readonly ranges: ReadonlyArray<TopicPartition & { readonly from: number; readonly next: number }>
}

/** Something that is wrong now, or was a moment ago. */
export interface ErrorView {
  readonly at: number
  readonly message: string
}

/** One of the sides that have to answer. */
export interface PeerView {
  /** Null before its first answer. */
  readonly isUp: boolean | null
  /** Since when. */
  readonly since: number
  /** What it said last, when it is not up. */
  readonly message: string
}

export interface ProgressView {
  readonly totals: Totals
  readonly member: string | null
  readonly partitions: ReadonlyArray<PartitionView>
  readonly stoppedTopics: ReadonlyArray<string>
  /** Paused by request. */
  readonly pausedTopics: ReadonlyArray<string>
  /** There is no topic that could be read now. */
  readonly awaitsTopics: boolean
  readonly unreadTopics: ReadonlyArray<UnreadTopic>
  /** Partitions (`topic/partition`) whose next batch cannot be read. */
  readonly unreadablePartitions: ReadonlyArray<{ readonly partition: string; readonly message: string }>
  /** Writes whose error does not pass by itself: a table, or DLQ_TOPIC. */
  readonly lastingFaults: ReadonlyArray<{ readonly write: string; readonly message: string }>
  readonly tables: ReadonlyArray<TableView>
  /** The last ones, newest first, 50 at most. */
  readonly lastWrites: ReadonlyArray<WriteView>
  /** Of all tables. */
  readonly write: Percentiles | null
  readonly freshness: Percentiles | null
  /** Newest first, 20 at most. */
  readonly deadLetters: ReadonlyArray<DeadLetterView>
  readonly rows: ReadonlyArray<RowView>
  readonly errors: ReadonlyArray<ErrorView>
  readonly kafka: PeerView
  readonly warehouse: PeerView
  /** The schema registry; null where none is set. */
  readonly registry: PeerView | null
  readonly bufferBytes: number
  /** Lag of all assigned partitions; null while no log end was read. */
  readonly lag: number | null
  readonly oldestPendingSeconds: number
  /** What there is to do, and since when nothing of it has moved; null while there is nothing to do. */
  readonly stalled: { readonly work: "claim" | "write" | "read"; readonly since: number } | null
}
