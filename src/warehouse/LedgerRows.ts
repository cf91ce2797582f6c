/** Reads rows of CONSUMER_OFFSETS, whichever driver gave them, and refuses a ledger that contradicts itself. */
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { type Position, partitionKey } from "../domain/KafkaRecord.ts"
import type { LedgerEntry } from "./Warehouse.ts"
import { WarehouseError } from "./WarehouseError.ts"

/** Drivers give integers as numbers or, beyond 2^53, as text. */
export const Integer = Schema.Union([Schema.Int, Schema.NumberFromString.check(Schema.isInt())])

const LedgerRow = Schema.Struct({
  TOPIC: Schema.String,
  PARTITION: Integer,
  NEXT_OFFSET: Integer,
  EPOCH: Integer,
  OWNER: Schema.String,
  TOPIC_ID: Schema.NullOr(Schema.String)
})

/** Decodes rows; what is not as expected is a fault of the answer, not of the data. */
export const decodeRows = <S extends Schema.Decoder<unknown>>(row: S) => {
  const decode = Schema.decodeUnknownEffect(Schema.Array(row))
  return (rows: ReadonlyArray<unknown>) =>
    decode(rows).pipe(
      Effect.mapError(
        (error) => new WarehouseError({ reason: "unavailable", message: `unexpected answer: ${error.message}` })
      )
    )
}

const decodeLedgerRows = decodeRows(LedgerRow)

/** The ledger of a group. No warehouse but DuckDB holds the key unique, so two rows of one partition are looked for here. */
export const toLedger = (table: string, group: string) =>
  Effect.fnUntraced(function* (rows: ReadonlyArray<unknown>) {
    const entries = new Map<string, LedgerEntry>()
    for (const row of yield* decodeLedgerRows(rows)) {
      const entry = {
        topic: row.TOPIC,
        partition: row.PARTITION,
        next: row.NEXT_OFFSET,
        epoch: row.EPOCH,
        owner: row.OWNER,
        ...(row.TOPIC_ID !== null && { topicId: row.TOPIC_ID })
      }
      const other = entries.get(partitionKey(entry))
      if (other !== undefined) return yield* duplicate(table, group, entry, other)
      entries.set(partitionKey(entry), entry)
    }
    return [...entries.values()]
  })

/** The claimed ones among `entries`; fails when somebody else was there in between, for then the epoch read is not ours. */
export const claimedBy = (
  owner: string,
  starts: ReadonlyArray<Position>,
  entries: ReadonlyArray<LedgerEntry>
): Effect.Effect<ReadonlyArray<LedgerEntry>, WarehouseError> => {
  const wanted = new Set(starts.map(partitionKey))
  const mine = entries.filter((entry) => entry.owner === owner && wanted.has(partitionKey(entry)))
  return mine.length === wanted.size
    ? Effect.succeed(mine)
    : Effect.fail(
        new WarehouseError({ reason: "fenced", message: "another member claimed the same partitions at the same time" })
      )
}

/** The ledger did not let every partition of a write pass. */
export const fenced = (moved: number, wanted: number): WarehouseError =>
  new WarehouseError({
    reason: "fenced",
    message: `the ledger let ${moved} of ${wanted} partitions pass: another member has claimed them, or an earlier try of this write has landed`
  })

/** All dead letters of a replay have to wait still. A single one may stand there more than once, where delivery is at-least-once. */
export const checkReplay = (marked: number, wanted: number): Effect.Effect<void, WarehouseError> =>
  marked === wanted || (wanted === 1 && marked > 1)
    ? Effect.void
    : Effect.fail(
        new WarehouseError({
          reason: "fenced",
          message: `${marked} of ${wanted} dead letters wait: the others are not there, or have been replayed before`
        })
      )

const duplicate = (table: string, group: string, one: LedgerEntry, other: LedgerEntry): WarehouseError => {
  const text = (value: string) => `'${value.replaceAll("'", "''")}'`
  const key = `CONSUMER_GROUP = ${text(group)} AND TOPIC = ${text(one.topic)} AND "PARTITION" = ${one.partition}`
  // Rows up to the higher offset are durable: it moved together with them.
  const next = Math.max(one.next, other.next)
  const epoch = Math.max(one.epoch, other.epoch) + 1
  return new WarehouseError({
    reason: "denied",
    message:
      `${table} has more than one row for ${partitionKey(one)} of group ${group}; stop the group, then make it one: ` +
      `BEGIN; DELETE FROM ${table} WHERE ${key}; INSERT INTO ${table} (CONSUMER_GROUP, TOPIC, "PARTITION", NEXT_OFFSET, EPOCH, OWNER, UPDATED_AT) ` +
      `VALUES (${text(group)}, ${text(one.topic)}, ${one.partition}, ${next}, ${epoch}, 'repair', CURRENT_TIMESTAMP); COMMIT;`
  })
}
