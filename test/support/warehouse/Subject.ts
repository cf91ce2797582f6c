/** What the contract suite needs to know of a warehouse, and how it looks into one from outside. */
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import type * as Effect from "effect/Effect"
import type * as Layer from "effect/Layer"
import type { SinkSettings } from "../../../src/settings/Model.ts"
import type { Settings } from "../../../src/settings/Settings.ts"
import type { Warehouse } from "../../../src/warehouse/Warehouse.ts"
import { routes } from "../Outcomes.ts"

/** Columns of every type; ORDER is a reserved word. */
export const testRoutes = [
  "raw.orders.v1=ORDERS_RAW(ORDER_ID=order_id,USER_ID=user_id:NUMBER,AMOUNT=amount:FLOAT,PAID=paid:BOOLEAN,PAID_AT=paid_at:TIMESTAMP,ORDER=order)",
  "raw.clicks.v1=CLICKS_RAW(USER_ID=user_id:NUMBER)"
].join(", ")

export const settings = (sink: SinkSettings, given: Given = {}): Settings["Service"] => ({
  kafka: {
    brokers: ["localhost:1"],
    ssl: undefined,
    sasl: undefined,
    group: given.group ?? "group",
    autoOffsetReset: "earliest",
    sessionTimeout: Duration.seconds(30),
    ledgerMissing: "stop",
    offsetsLost: "stop"
  },
  routes: routes(given.routes ?? testRoutes),
  templates: [],
  autoCreateTables: false,
  formats: new Map(),
  registry: undefined,
  batch: { size: 100, timeout: Duration.seconds(5) },
  write: { maxRows: 10_000, maxBytes: 1 << 20, concurrency: 4 },
  bufferMaxBytes: 64 << 20,
  delivery: given.delivery ?? "exactly-once",
  tombstones: "insert",
  dlqTopic: undefined,
  sink,
  log: { level: "Info", format: "text", file: undefined },
  http: { host: "127.0.0.1", port: 0, showEvents: false, token: undefined },
  readyMaxPending: Duration.seconds(60),
  progressTimeout: Duration.seconds(300),
  shutdownTimeout: Duration.seconds(25)
})

export interface Given {
  readonly delivery?: "exactly-once" | "at-least-once"
  readonly group?: string
  readonly routes?: string
}

/** A row as it lies in the table; typed columns and times as text, null for SQL NULL. */
export interface StoredRow {
  readonly topic: string
  readonly partition: number
  readonly offset: number
  readonly timestamp: string | null
  readonly key: string | null
  readonly headers: string | null
  readonly event: string | null
  readonly columns: ReadonlyArray<string | null>
}

export interface StoredLetter extends Omit<StoredRow, "event" | "columns"> {
  readonly table: string
  readonly payload: string | null
  readonly cause: string
  readonly message: string | null
}

export interface Held {
  /** Once it has stopped there. */
  readonly reached: Effect.Effect<void>
  readonly release: Effect.Effect<void>
}

/** Looks into the warehouse without going through the contract. */
export class Inspector extends Context.Service<
  Inspector,
  {
    /** In the order of their offsets, partition by partition; `columns` are those of `testRoutes`. */
    readonly rows: (table: "ORDERS_RAW" | "CLICKS_RAW") => Effect.Effect<ReadonlyArray<StoredRow>>
    readonly deadLetters: Effect.Effect<ReadonlyArray<StoredLetter>>
    /** The next write stops where all is done but its COMMIT. */
    readonly holdCommit: Effect.Effect<Held>
    /** Runs a statement of the warehouse's own; `{T}` is before a table's name for database and schema. */
    readonly run: (sql: string) => Effect.Effect<void>
  }
>()("test/Inspector") {}

export interface Subject {
  readonly name: string
  /** Whether the payload is kept byte for byte, or as a value. */
  readonly keepsText: boolean
  /** An integer as wide as it takes: 38 digits by Snowflake's NUMBER(38,0). */
  readonly widest: string
  /** Whether it has tables that can be missing. */
  readonly hasTables: boolean
  /** False where Kafka alone keeps the offsets. */
  readonly keepsLedger?: false
  /** Whether the tables have been made by somebody else, and the service may only write to them. */
  readonly isLeastRole?: true
  /**
   * A payload that this warehouse refuses, if there is one; on the emulator it has to be broken JSON, which decoding
   * would have caught.
   */
  readonly refusedEvent: string | undefined
  /** A new, empty warehouse with its inspector. */
  readonly open: (given?: Given) => Layer.Layer<Warehouse | Inspector>
}

/** Declares a test on a new warehouse whose tables have been made. */
export type Test = <E>(name: string, program: Effect.Effect<void, E, Warehouse | Inspector>, given?: Given) => void

/** The typed columns of a table of `testRoutes`. */
export const columnsOf = (table: string): ReadonlyArray<string> =>
  routes(testRoutes)
    .find((route) => route.table.name === table)
    ?.table.columns.map(({ name }) => name) ?? []
