/**
 * Reads the answer of CoverageSql: one row per partition and gap becomes one coverage per partition of a routed topic.
 */
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import type { Gap, PartitionCoverage } from "../../domain/Coverage.ts"
import { partitionKey } from "../../domain/KafkaRecord.ts"
import type { Route } from "../../domain/Route.ts"
import { decodeRows, Integer } from "./LedgerRows.ts"

const Row = Schema.Struct({
  TOPIC: Schema.String,
  P: Integer,
  TOTAL: Integer,
  OFFSETS: Integer,
  FIRST_OFFSET: Schema.NullOr(Integer),
  LAST_OFFSET: Schema.NullOr(Integer),
  LETTERS: Integer,
  WAITING: Integer,
  DUPLICATES: Integer,
  START_OFFSET: Schema.NullOr(Integer),
  NEXT_OFFSET: Schema.NullOr(Integer),
  SKIPPED: Schema.NullOr(Integer),
  EPOCH: Schema.NullOr(Integer),
  OWNER: Schema.NullOr(Schema.String),
  TOPIC_ID: Schema.NullOr(Schema.String),
  MISSING: Integer,
  A: Schema.NullOr(Integer),
  B: Schema.NullOr(Integer)
})
type Row = typeof Row.Type

const decode = decodeRows(Row)

/** `counted` says whether there is a ledger, or only what was found in its place. */
export const toCoverage = (routes: ReadonlyArray<Route>, counted: boolean) => {
  const tables = new Map(routes.map(({ table, topic }) => [topic, table.name]))
  return Effect.fnUntraced(function* (answer: ReadonlyArray<unknown>) {
    const partitions = new Map<string, ReadonlyArray<Row>>()
    for (const row of yield* decode(answer)) {
      const key = partitionKey({ topic: row.TOPIC, partition: row.P })
      partitions.set(key, [...(partitions.get(key) ?? []), row])
    }
    return [...partitions.values()].flatMap((rows): ReadonlyArray<PartitionCoverage> => {
      const [row] = rows
      const table = row === undefined ? undefined : tables.get(row.TOPIC)
      // The ledger may still know topics that are routed no more.
      if (row === undefined || table === undefined) return []
      return [
        {
          table,
          topic: row.TOPIC,
          partition: row.P,
          rows: row.TOTAL,
          offsets: row.OFFSETS,
          first: row.FIRST_OFFSET,
          last: row.LAST_OFFSET,
          deadLetters: row.LETTERS,
          waiting: row.WAITING,
          duplicates: row.DUPLICATES,
          ledger: counted ? ledgerOf(row) : null,
          missing: row.MISSING,
          gaps: rows.flatMap(({ A, B }): ReadonlyArray<Gap> => (A === null || B === null ? [] : [{ from: A, to: B }]))
        }
      ]
    })
  })
}

const ledgerOf = ({ EPOCH, NEXT_OFFSET, OWNER, SKIPPED, START_OFFSET, TOPIC_ID }: Row) =>
  NEXT_OFFSET === null
    ? null
    : {
        start: START_OFFSET ?? NEXT_OFFSET,
        next: NEXT_OFFSET,
        skipped: SKIPPED ?? 0,
        epoch: EPOCH ?? 0,
        owner: OWNER ?? "",
        ...(TOPIC_ID !== null && { topicId: TOPIC_ID })
      }
