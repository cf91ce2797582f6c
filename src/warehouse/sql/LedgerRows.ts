/** Reads rows of CONSUMER_OFFSETS, whichever driver gave them, and says what they mean for a claim or a write. */
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import type { OffsetRange } from "../../domain/Batch.ts"
import { type Position, partitionKey, type TopicPartition } from "../../domain/KafkaRecord.ts"
import type { LedgerEntry } from "../Warehouse.ts"
import { WarehouseError } from "../WarehouseError.ts"

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

/** The rows of a group as they are there; only DuckDB holds the key unique. */
export const decodeLedger = (rows: ReadonlyArray<unknown>): Effect.Effect<ReadonlyArray<LedgerEntry>, WarehouseError> =>
  Effect.map(decodeLedgerRows(rows), (decoded) =>
    decoded.map((row) => ({
      topic: row.TOPIC,
      partition: row.PARTITION,
      next: row.NEXT_OFFSET,
      epoch: row.EPOCH,
      owner: row.OWNER,
      ...(row.TOPIC_ID !== null && { topicId: row.TOPIC_ID })
    }))
  )

/**
 * One entry for each partition. Of several rows the one that got furthest counts, because the records up to it are
 * durable.
 */
export const merged = (entries: ReadonlyArray<LedgerEntry>): ReadonlyArray<LedgerEntry> => {
  const partitions = new Map<string, LedgerEntry>()
  for (const entry of entries) {
    const key = partitionKey(entry)
    const other = partitions.get(key)
    const furthest = other === undefined || entry.next > other.next ? entry : other
    partitions.set(key, { ...furthest, epoch: Math.max(entry.epoch, other?.epoch ?? 0) })
  }
  return [...partitions.values()]
}

/** The ledger of a group, from the answer of `readLedger`. */
export const toLedger = (rows: ReadonlyArray<unknown>) => Effect.map(decodeLedger(rows), merged)

/** The partitions that have more than one row. */
export const twinsOf = (entries: ReadonlyArray<LedgerEntry>): ReadonlyArray<TopicPartition> =>
  merged(entries).filter((entry) => entries.filter((other) => partitionKey(other) === partitionKey(entry)).length > 1)

/**
 * The claimed ones among `entries`; fails when somebody else was there in between, for then the epoch read is not ours.
 */
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
    message: `the ledger accepted ${moved} of ${wanted} partitions: another member has claimed them, or an earlier attempt of this write was committed`
  })

/**
 * What it means that an UPDATE of these ranges moved only so many rows, by the ledger as the same transaction reads it.
 * Where it stands as expected the UPDATE cannot have seen what is there, and a new attempt may.
 */
export const notMoved = (
  moved: number,
  ranges: ReadonlyArray<OffsetRange>,
  found: ReadonlyArray<LedgerEntry>
): WarehouseError => {
  const entries = new Map(merged(found).map((entry) => [partitionKey(entry), entry]))
  const stands = (where: "from" | "next") =>
    moved === 0 &&
    ranges.every((range) => {
      const entry = entries.get(partitionKey(range))
      return entry?.epoch === range.epoch && entry.next === range[where]
    })
  if (stands("from") && twinsOf(found).length === 0)
    return new WarehouseError({ reason: "unavailable", message: "the ledger is where it should be, but did not move" })
  const { message, reason } = fenced(moved, ranges.length)
  return new WarehouseError({ reason, message, landed: stands("next") })
}

/**
 * All dead letters of a replay have to wait still. A single one may be there more than once, where delivery is
 * at-least-once.
 */
export const checkReplay = (marked: number, wanted: number): Effect.Effect<void, WarehouseError> =>
  marked === wanted || (wanted === 1 && marked > 1)
    ? Effect.void
    : Effect.fail(
        new WarehouseError({
          reason: "fenced",
          message: `${marked} of ${wanted} dead letters are pending: the others do not exist, or were replayed before`
        })
      )
