/**
 * What a command asks of the warehouse of a running service, which holds the DuckDB file: each call by its name, with its
 * arguments and its answer as JSON.
 */
import * as Schema from "effect/Schema"
import * as Instants from "../domain/Instants.ts"
import { QueryLimit } from "../warehouse/Warehouse.ts"
import { WarehouseErrorReason } from "../warehouse/WarehouseError.ts"

export const Position = Schema.Struct({ topic: Schema.String, partition: Schema.Int, offset: Schema.Int })
const Start = Schema.Struct({ ...Position.fields, topicId: Schema.optional(Schema.String) })
const Text = Schema.NullOr(Schema.String)
const Instant = Schema.NullOr(Instants.FromText)

const Letter = Schema.Struct({
  ...Position.fields,
  ...{ table: Schema.String, timestamp: Instant, key: Text, headers: Text, cause: Schema.String, message: Text },
  ...{ bytes: Schema.NullOr(Schema.Finite), truncated: Schema.Boolean, payload: Text },
  ...{ ingestedAt: Instants.FromText, replayedAt: Instant }
})

const Filter = Schema.Struct({
  topic: Schema.optional(Schema.String),
  cause: Schema.optional(Schema.String),
  since: Schema.optional(Instants.FromText),
  until: Schema.optional(Instants.FromText),
  search: Schema.optional(Schema.String),
  at: Schema.optional(Schema.Array(Position)),
  replayed: Schema.optional(Schema.Boolean),
  payload: Schema.optional(Schema.Boolean),
  limit: Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 1_000_000 }))
})

const Row = Schema.Struct({
  ...Position.fields,
  _tag: Schema.Literal("BronzeRow"),
  ...{ timestamp: Instants.FromText, key: Text, headers: Text, bytes: Schema.Finite },
  event: Schema.NullOr(Schema.Uint8ArrayFromBase64),
  columns: Schema.Array(Text),
  schemaId: Schema.optional(Schema.Int)
})

const Coverage = Schema.Struct({
  ...{ topic: Schema.String, partition: Schema.Int, table: Schema.String, rows: Schema.Int, offsets: Schema.Int },
  ...{ first: Schema.NullOr(Schema.Int), last: Schema.NullOr(Schema.Int) },
  ...{ deadLetters: Schema.Int, waiting: Schema.Int, duplicates: Schema.Int, missing: Schema.Int },
  ledger: Schema.NullOr(
    Schema.Struct({
      ...{ start: Schema.Int, next: Schema.Int, skipped: Schema.Int, epoch: Schema.Int, owner: Schema.String },
      topicId: Schema.optionalKey(Schema.String)
    })
  ),
  gaps: Schema.Array(Schema.Struct({ from: Schema.Int, to: Schema.Int }))
})

const LedgerEntry = Schema.Struct({
  ...{ topic: Schema.String, partition: Schema.Int, epoch: Schema.Int, next: Schema.Int, owner: Schema.String },
  topicId: Schema.optional(Schema.String)
})

const Summary = Schema.Struct({ table: Schema.String, rows: Schema.Int, lastWriteAt: Instant })

const Result = Schema.Struct({
  columns: Schema.Array(Schema.String),
  rows: Schema.Array(Schema.Array(Schema.Unknown)),
  truncated: Schema.Boolean
})

export interface Call<A, B, IA = unknown, IB = unknown> {
  readonly path: `/api/${string}`
  readonly asks: Schema.Codec<A, IA>
  readonly answers: Schema.Codec<B, IB>
}

/** Where each call goes, its arguments, and what it answers. */
export const calls = {
  deadLetters: {
    path: "/api/warehouse/deadLetters",
    asks: Schema.Struct({ filter: Filter }),
    answers: Schema.Array(Letter)
  },
  replay: {
    path: "/api/warehouse/replay",
    asks: Schema.Struct({ table: Schema.String, rows: Schema.Array(Row) }),
    answers: Schema.Null
  },
  reset: {
    path: "/api/warehouse/reset",
    asks: Schema.Struct({ positions: Schema.Array(Start), owner: Schema.String }),
    answers: Schema.Null
  },
  ledger: { path: "/api/warehouse/ledger", asks: Schema.Struct({}), answers: Schema.Array(LedgerEntry) },
  coverage: { path: "/api/warehouse/coverage", asks: Schema.Struct({}), answers: Schema.Array(Coverage) },
  summary: { path: "/api/warehouse/summary", asks: Schema.Struct({}), answers: Schema.Array(Summary) },
  query: {
    path: "/api/query",
    asks: Schema.Struct({ sql: Schema.String, limit: Schema.optionalKey(QueryLimit) }),
    answers: Result
  }
} as const

/** An answer that is none. */
export const Failure = Schema.Struct({
  error: Schema.String,
  reason: Schema.optionalKey(WarehouseErrorReason),
  code: Schema.optionalKey(Schema.String)
})
export type Failure = typeof Failure.Type
