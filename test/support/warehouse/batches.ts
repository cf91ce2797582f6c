/** Short ways to claim partitions and to make batches of them. */
import * as Effect from "effect/Effect"
import * as Batch from "../../../src/domain/Batch.ts"
import { partitionKey } from "../../../src/domain/KafkaRecord.ts"
import type { DeadLetter, Outcome, Skip } from "../../../src/domain/Outcome.ts"
import type { Table } from "../../../src/domain/Route.ts"
import { type LedgerEntry, Warehouse } from "../../../src/warehouse/Warehouse.ts"
import { type GivenRow, routes, row } from "../Outcomes.ts"
import { testRoutes } from "./Subject.ts"

export const topics = { ORDERS_RAW: "raw.orders.v1", CLICKS_RAW: "raw.clicks.v1" } as const
export type TableName = keyof typeof topics

export const tableOf = (name: TableName): Table => {
  const found = routes(testRoutes).find(({ table }) => table.name === name)
  if (found === undefined) throw new Error(name)
  return found.table
}

/** Claims partitions 0 and 1 of the table's topic, from offset 0. */
export const claimAll = (owner = "member-1", table: TableName = "ORDERS_RAW") =>
  Effect.flatMap(Warehouse, ({ claim }) =>
    claim(
      [0, 1].map((partition) => ({ topic: topics[table], partition, offset: 0 })),
      owner
    )
  ).pipe(Effect.map((entries) => [...entries].sort((a, b) => a.partition - b.partition)))

export const letter = (given: Partial<DeadLetter>): DeadLetter => ({
  _tag: "DeadLetter",
  topic: "raw.orders.v1",
  partition: 0,
  offset: 0,
  timestamp: Date.UTC(2026, 1, 7, 10, 30),
  key: null,
  headers: null,
  bytes: 100,
  cause: "not_json",
  message: "unexpected end",
  payload: "eyJh",
  ...given
})

export const skip = (given: Partial<Skip>): Skip => ({
  _tag: "Skip",
  topic: "raw.orders.v1",
  partition: 0,
  offset: 0,
  reason: "tombstone",
  bytes: 0,
  ...given
})

/** A batch of rows (as given), dead letters and skips, with the ranges that `claimed` puts before them. */
export const batchOf = (
  name: TableName,
  claimed: ReadonlyArray<LedgerEntry>,
  outcomes: ReadonlyArray<GivenRow | DeadLetter | Skip>
): Batch.Batch => {
  const table = tableOf(name)
  const all = outcomes.map(
    (outcome): Outcome =>
      outcome._tag === "DeadLetter" || outcome._tag === "Skip"
        ? outcome
        : row({ topic: topics[name], columns: table.columns.map(() => null), ...outcome })
  )
  const standing = new Map(claimed.map((entry) => [partitionKey(entry), entry]))
  const batch = Batch.make({
    table,
    outcomes: all,
    trigger: "time",
    claimed: (partition) => standing.get(partitionKey(partition)) ?? { epoch: 0, next: 0 }
  })
  return { ...batch, ranges: batch.ranges.filter((range) => standing.has(partitionKey(range))) }
}
