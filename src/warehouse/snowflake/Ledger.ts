/**
 * The ledger on Snowflake: whatever decides, or changes it, is a statement that begins after the ledger's lock is held,
 * in the same transaction. So exactly-once takes no more than what Snowflake documents: two UPDATEs of one row exclude
 * each other, and a statement sees what was committed before it began. What a statement reads that had to wait for a
 * lock is documented nowhere, and does not matter here.
 */
import { randomUUID } from "node:crypto"
import * as Effect from "effect/Effect"
import type { OffsetRange } from "../../domain/Batch.ts"
import type { Start, TopicPartition } from "../../domain/KafkaRecord.ts"
import { rangesBind, startsBind } from "../sql/Binds.ts"
import { claimedBy, decodeLedger, merged, notMoved, twinsOf } from "../sql/LedgerRows.ts"
import type { Dialect } from "../sql/Tables.ts"
import { WarehouseError } from "../WarehouseError.ts"
import type { Session } from "./Driver.ts"
import { whileLocked } from "./Lock.ts"
import * as LockSql from "./LockSql.ts"
import * as Sql from "./Sql.ts"

export type SnowflakeLedger = ReturnType<typeof make>

/** Every function but `read` and `prepare` belongs into a transaction. */
export const make = (names: Dialect, group: string) => {
  const sql = {
    lock: LockSql.lock(names),
    addLocks: LockSql.addLocks(names),
    retire: LockSql.retire(names),
    restore: LockSql.restore(names),
    advance: Sql.advance(names),
    claim: Sql.claim(names),
    reset: Sql.reset(names),
    read: Sql.readLedger(names)
  }
  const locks = LockSql.lockGroup(group)

  const rows = (session: Session) => Effect.flatMap(session.query(sql.read, [group]), decodeLedger)

  /** Waits for the lock as long as it takes, without letting go of what the transaction has inserted. */
  const lock = (session: Session, partitions: ReadonlyArray<TopicPartition>) =>
    whileLocked(session.execute(sql.lock, [LockSql.partitionsBind(partitions), locks])).pipe(
      Effect.filterOrFail(
        (held) => held >= partitions.length,
        () => new WarehouseError({ reason: "fenced", message: "these partitions have never been claimed" })
      ),
      Effect.asVoid
    )

  /**
   * A partition has one row. Should it ever have more, they are made one here, under the lock and without a right to
   * delete.
   */
  const healed = Effect.fnUntraced(function* (session: Session, found: ReadonlyArray<TopicPartition>) {
    const away = LockSql.retiredGroup(group, randomUUID())
    yield* Effect.logWarning(`The ledger had more than one row for ${found.length} of its partitions; merged them`)
    yield* session.execute(sql.retire, [away, LockSql.partitionsBind(found), group])
    yield* session.execute(sql.restore, [group, away])
    return yield* rows(session)
  })

  const claim = Effect.fnUntraced(function* (session: Session, starts: ReadonlyArray<Start>, owner: string) {
    yield* lock(session, starts)
    yield* session.execute(sql.claim, [startsBind(starts), group, owner, group, owner])
    const found = yield* rows(session)
    const twins = twinsOf(found)
    return yield* claimedBy(owner, starts, merged(twins.length === 0 ? found : yield* healed(session, twins)))
  })

  return {
    read: (session: Session) => Effect.map(rows(session), merged),

    /**
     * Makes the lock rows of these partitions. Committed before the transaction of a claim begins, so that they can be
     * locked in it.
     */
    prepare: (session: Session, partitions: ReadonlyArray<TopicPartition>) =>
      Effect.asVoid(session.execute(sql.addLocks, [locks, LockSql.partitionsBind(partitions), locks])),

    claim,
    lock,

    reset: (session: Session, positions: ReadonlyArray<Start>, owner: string) =>
      Effect.andThen(
        claim(session, positions, owner),
        Effect.asVoid(session.execute(sql.reset, [startsBind(positions), group]))
      ),

    /**
     * Comes last in a write, because the lock lasts until COMMIT, and moves nothing outside of the transaction that has
     * inserted the rows. What it means that it did not pass is read in the same transaction.
     */
    advance: Effect.fnUntraced(function* (session: Session, ranges: ReadonlyArray<OffsetRange>, transaction: string) {
      yield* lock(session, ranges)
      const moved = yield* session.execute(sql.advance, [rangesBind(ranges), group, transaction])
      if (moved !== ranges.length) return yield* notMoved(moved, ranges, yield* rows(session))
    })
  }
}
