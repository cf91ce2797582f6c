/**
 * The contract of the consumer side: one scope per assignment, fetches delivered one at a time, commits only for
 * partitions that are still assigned.
 */
import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"
import type { KafkaRecord, Position, TopicPartition } from "../domain/KafkaRecord.ts"
import type { CommitNote } from "./CommitNote.ts"
import type { KafkaError } from "./KafkaError.ts"
import type { LogRange } from "./Offsets.ts"

/** Records of one partition, in order, with the range of offsets that they stand for. */
export interface Fetch extends TopicPartition {
  /** The offset that was asked for. */
  readonly from: number
  /** The offset to ask for next; beyond the last record when Kafka's own control records follow it. */
  readonly next: number
  readonly records: ReadonlyArray<KafkaRecord>
  /** The high watermark as of this fetch: where the log ended. */
  readonly high?: number | undefined
}

/** The position of a partition in Kafka when it is assigned. */
export interface AssignedPartition extends LogRange {
  /** The group's committed offset, if there is one. */
  readonly committed: number | undefined
  /** What is beside it, if this service has committed it. */
  readonly note?: CommitNote | undefined
}

/** The partitions of an assignment, and those of the same topics that are not part of it, as of the same instant. */
export interface Places {
  readonly mine: ReadonlyArray<AssignedPartition>
  readonly others: ReadonlyArray<AssignedPartition>
}

/** Kafka no longer has the records that come next: where each partition stands has to be looked at again. */
export class OffsetsLost extends Schema.TaggedError<OffsetsLost>()("OffsetsLost", { message: Schema.String }) {}

/** What the consumer group gave this member, until it takes it back. */
export interface Assignment {
  /** This member's name in the group. */
  readonly memberId: string
  /** Asks Kafka where the assigned partitions stand. */
  readonly partitions: Effect.Effect<Places, KafkaError>
  /**
   * Fetches from these positions on, and from no other partition, and hands over fetch after fetch; the next one of a
   * partition comes when the handler is done. Heartbeats continue however long it takes. When it is interrupted,
   * nothing more is handed over.
   */
  readonly fetch: (
    positions: ReadonlyArray<Position>,
    handler: (fetch: Fetch) => Effect.Effect<void>
  ) => Effect.Effect<never, OffsetsLost>
  /** Whether the group still counts this member as the holder: what is written now may be committed. */
  readonly isHeld: () => boolean
  /** Whether the group has asked for the partitions back. */
  readonly isEnding: () => boolean
  /**
   * Commits the offsets of the next records; does nothing once the assignment is no longer held. Says whether it was
   * done: a commit that fails is logged and made good by the next one, because the ledger is what counts.
   */
  readonly commit: (positions: ReadonlyArray<Position>) => Effect.Effect<boolean>
  /** Commits where partitions begin that nobody has read yet, those of other members too. */
  readonly begin: (positions: ReadonlyArray<Position>) => Effect.Effect<boolean>
}

export class ConsumerGroup extends Context.Service<
  ConsumerGroup,
  {
    /**
     * Joins the consumer group and runs `use` once per assignment, in a scope that closes when the assignment ends
     * (rebalance, broker lost, interruption) and before the next one opens. Reconnects forever.
     */
    readonly consume: <R>(
      use: (assignment: Assignment) => Effect.Effect<void, never, R>
    ) => Effect.Effect<never, never, Exclude<R, Scope.Scope>>
    /** Fetches nothing more of a topic, through rebalances too, until it is resumed; what was fetched is handled. */
    readonly pause: (topic: string) => Effect.Effect<void>
    readonly resume: (topic: string) => Effect.Effect<void>
    /** Closes the connection and rejoins the group, for when nothing comes though there is something. */
    readonly reopen: Effect.Effect<void>
  }
>()("bronze/kafka/ConsumerGroup") {}
