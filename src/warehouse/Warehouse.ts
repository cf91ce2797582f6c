/**
 * The contract of a warehouse: what it has accepted of a partition becomes durable in order, or is fenced; a warehouse
 * with a ledger makes rows, dead letters and offsets durable in one transaction.
 */
import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import type { Batch, Claimed, OffsetRange } from "../domain/Batch.ts"
import type { PartitionCoverage } from "../domain/Coverage.ts"
import type { DeadLetterFilter, StoredDeadLetter } from "../domain/DeadLetters.ts"
import type { Position, Start, TopicPartition } from "../domain/KafkaRecord.ts"
import type { BronzeRow } from "../domain/Outcome.ts"
import type { Table } from "../domain/Route.ts"
import type { WarehouseError } from "./WarehouseError.ts"

/** A row of CONSUMER_OFFSETS, of this consumer group. */
export interface LedgerEntry extends TopicPartition, Claimed {
  /** Kafka's id of the topic that the offsets count in; undefined where it was never noted. */
  readonly topicId?: string | undefined
  /** The member that claimed it last. */
  readonly owner: string
  /** Where not all up to `next` but more is durable already, and is passed over when it comes again: the offset after it. */
  readonly ahead?: number | undefined
}

/** A partition, and Kafka's id of its topic where the broker gives one. */
export interface LogPlace extends TopicPartition {
  readonly topicId?: string | undefined
}

/** What a person asked for: values as JSON has them, numbers as text where JSON would round them. */
export interface QueryResult {
  readonly columns: ReadonlyArray<string>
  readonly rows: ReadonlyArray<ReadonlyArray<unknown>>
  /** Whether there are more rows. */
  readonly truncated: boolean
}

/** How many rows a query may ask for, and gets when nobody says how many; in commands and over HTTP. */
export const queryLimit = { byDefault: 100, most: 100_000 } as const
export const QueryLimit = Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: queryLimit.most }))

/** Something that must be fixed before the service can run. */
export interface Problem {
  readonly what: string
  /** The statement, command or variable that fixes it. */
  readonly remedy: string
  /** The table that it is about; the others can be written. */
  readonly table?: string
}

/** What `init` did to the tables. */
export interface InitReport {
  readonly created: ReadonlyArray<string>
  /** Columns that tables lacked: `ORDERS_RAW.CURRENCY`. */
  readonly added: ReadonlyArray<string>
  /** Tables that were there. */
  readonly present: ReadonlyArray<string>
}

/** What `status` shows of a table. */
export interface TableSummary {
  readonly table: string
  readonly rows: number
  /** When the last row was written (milliseconds since 1970); null for an empty table. */
  readonly lastWriteAt: number | null
}

/** What a warehouse has accepted and is still at work on, over the channels that are open, and what it did with it. */
export interface ChannelsView {
  readonly open: number
  /** Offsets that are accepted and not durable. */
  readonly offsetsBehind: number
  /** Bytes of them, before compression. */
  readonly uncommittedBytes: number
  /** Requests with rows since the start, and those of them that repeated another. */
  readonly requests: number
  readonly retries: number
  /** Rows that were accepted and rejected afterwards, since the start: they are in no table. */
  readonly rejectedRows: number
}

export class Warehouse extends Context.Service<
  Warehouse,
  {
    /** What users call it, as in `Inserted 100 orders into Snowflake`. */
    readonly name: string
    /** Where it writes and as whom, in one line without secrets. */
    readonly target: string
    /** How many writes to one table may be under way at once; more would only wait for each other. */
    readonly writers: number
    /**
     * Credits that this process has made a warehouse of the smallest size cost by `now`, estimated; undefined where
     * nothing is paid by the hour.
     */
    readonly credits?: ((now: number) => number) | undefined
    /**
     * The statements that create schema and tables, and those that bring older tables up to date; each may be run
     * again.
     */
    readonly ddl: ReadonlyArray<string>
    /**
     * Creates the ledger as a table whose rows are locked one by one, ahead of `init`; `denied` where there is no such
     * thing, or a ledger already.
     */
    readonly createHybridLedger: Effect.Effect<void, WarehouseError>
    /** Runs what is needed of `ddl`, and says what that was. */
    readonly init: Effect.Effect<InitReport, WarehouseError>
    /** Looks at login, role, schema and tables; an empty list means that `write` will find what it needs. */
    readonly preflight: Effect.Effect<ReadonlyArray<Problem>, WarehouseError>
    /**
     * Claims partitions for `owner`: raises their epoch by one, so that whoever held them is fenced, and makes a ledger
     * row at the given offset where there is none. Notes the id of the topic, where one is given. Returns the claimed
     * rows. Never moves an existing NEXT_OFFSET. Without a ledger, positions are where the starts say.
     */
    readonly claim: (
      starts: ReadonlyArray<Start>,
      owner: string
    ) => Effect.Effect<ReadonlyArray<LedgerEntry>, WarehouseError>
    /**
     * Moves the ledger to these offsets of these topics, backwards too, and counts from there; raises the epochs, so
     * that whoever holds the partitions is fenced and reads the ledger again.
     */
    readonly reset: (positions: ReadonlyArray<Start>, owner: string) => Effect.Effect<void, WarehouseError>
    /** Reads the ledger of this consumer group; nothing where Kafka alone keeps the offsets. */
    readonly ledger: Effect.Effect<ReadonlyArray<LedgerEntry>, WarehouseError>
    /**
     * One attempt to write a batch; it ends when the batch is accepted. With a ledger that means durable: the ledger
     * moves in the same transaction, and only if each partition is at (`epoch`, `from`), else the reason is `fenced` and
     * nothing is written. In at-least-once delivery `ranges` are not looked at. An `unavailable` failure may hide a write
     * that did land: `ledger` tells, or the next attempt finds out.
     */
    readonly write: (batch: Batch) => Effect.Effect<void, WarehouseError>
    /**
     * Ends once all that was accepted of these partitions up to the ends of these ranges is durable; `fenced` where that
     * will never be, and how much of it is has to be read again by a claim. Undefined where what is accepted is durable.
     */
    readonly durable?: ((ranges: ReadonlyArray<OffsetRange>) => Effect.Effect<void, WarehouseError>) | undefined
    /**
     * Of these partitions, those that have something durable, with the offset after it; undefined where the ledger or
     * Kafka's commit tells.
     */
    readonly durablePositions?:
      | ((places: ReadonlyArray<LogPlace>) => Effect.Effect<ReadonlyArray<Position>, WarehouseError>)
      | undefined
    /** What is accepted and not durable yet; undefined where what is accepted is durable. */
    readonly channels?: (() => ChannelsView) | undefined
    /**
     * What is there of each partition of the routed topics, and what the ledger of this consumer group says should be,
     * both as of the same instant: a service that runs meanwhile makes no false alarm. Reads the tables as a whole.
     */
    readonly coverage: Effect.Effect<ReadonlyArray<PartitionCoverage>, WarehouseError>
    /** Dead letters, newest first. */
    readonly deadLetters: (filter: DeadLetterFilter) => Effect.Effect<ReadonlyArray<StoredDeadLetter>, WarehouseError>
    /** How many dead letters wait: those that were not replayed. */
    readonly pendingDeadLetters: Effect.Effect<number, WarehouseError>
    /**
     * Puts dead letters back as rows of `table`, at their own coordinates (each once): one transaction marks them as
     * replayed and inserts the rows. If one of them does not wait any more the reason is `fenced` and nothing is
     * written, so that a replay happens once, however often and by however many it is asked for.
     */
    readonly replay: (table: Table, rows: ReadonlyArray<BronzeRow>) => Effect.Effect<void, WarehouseError>
    /**
     * Answers a single statement that only reads, with no more than so many rows; whatever else it is, `denied`. On
     * Snowflake the role decides what it may read.
     */
    readonly query: (sql: string, limit: number) => Effect.Effect<QueryResult, WarehouseError>
    /** The row of a raw table at this place, by column; undefined while there is none. */
    readonly row: (
      table: string,
      at: Position
    ) => Effect.Effect<Readonly<Record<string, unknown>> | undefined, WarehouseError>
    /** Rows and last write of each routed table and of DEAD_LETTERS. */
    readonly summary: Effect.Effect<ReadonlyArray<TableSummary>, WarehouseError>
  }
>()("bronze/warehouse/Warehouse") {}
