/**
 * A double of the warehouse: transactional and fenced as the contract says, with queues of what it observed and faults
 * on demand.
 */
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Queue from "effect/Queue"
import { type Batch, deadLettersOf, rowsOf } from "../../src/domain/Batch.ts"
import type { BronzeRow } from "../../src/domain/Outcome.ts"
import { type Route, tablesOf } from "../../src/domain/Route.ts"
import { type LedgerEntry, Warehouse } from "../../src/warehouse/Warehouse.ts"
import { WarehouseError, type WarehouseErrorReason } from "../../src/warehouse/WarehouseError.ts"
import * as MemoryStore from "./MemoryStore.ts"

/** What becomes of a write: it fails before anything is applied, or it is applied and the reply is lost. */
export interface Fault {
  readonly error: WarehouseError
  readonly applied?: boolean
}

export const error = (reason: WarehouseErrorReason, message = `injected: ${reason}`): WarehouseError =>
  new WarehouseError({ reason, message })

export interface Options {
  readonly routes?: ReadonlyArray<Route>
  readonly delivery?: "exactly-once" | "at-least-once"
  /** A batch that holds such a row is refused as a whole. */
  readonly refuses?: (row: BronzeRow) => boolean
  /** A batch with a dead letter whose payload has more characters is too large. */
  readonly maxLetter?: number
  /** Whether DEAD_LETTERS takes nothing, as a table that somebody changed. */
  readonly isClosed?: () => boolean
}

export type MemoryWarehouse = Effect.Success<ReturnType<typeof make>>

export const make = Effect.fnUntraced(function* ({
  delivery = "exactly-once",
  isClosed = () => false,
  maxLetter = Number.POSITIVE_INFINITY,
  refuses = () => false,
  routes = []
}: Options = {}) {
  const store = MemoryStore.make(delivery === "exactly-once")
  const faults: Array<Fault> = []
  const gates: Array<Deferred.Deferred<void>> = []

  const attempts = yield* Queue.unbounded<Batch>()
  const landed = yield* Queue.unbounded<Batch>()
  const claims = yield* Queue.unbounded<ReadonlyArray<LedgerEntry>>()

  const apply = (batch: Batch) =>
    Effect.suspend(() => {
      if (rowsOf(batch).some(refuses)) return Effect.fail(error("refused"))
      if (isClosed() && deadLettersOf(batch).length > 0) return Effect.fail(error("refused", "CHECK constraint failed"))
      if (deadLettersOf(batch).some(({ payload }) => (payload?.length ?? 0) > maxLetter))
        return Effect.fail(error("too_large"))
      return store.write(batch) ? Effect.asVoid(Queue.offer(landed, batch)) : Effect.fail(error("fenced"))
    })

  const write = Effect.fnUntraced(function* (batch: Batch) {
    yield* Queue.offer(attempts, batch)
    const gate = gates.shift()
    if (gate !== undefined) yield* Deferred.await(gate)
    const fault = faults.shift()
    if (fault?.applied === true) yield* apply(batch)
    if (fault !== undefined) return yield* fault.error
    yield* apply(batch)
  })

  const warehouse = Warehouse.of({
    name: "Memory",
    writers: 4,
    target: "memory",
    ddl: [],
    createHybridLedger: Effect.fail(error("denied", "only Snowflake has hybrid tables")),
    init: Effect.succeed({ created: [], added: [], present: [] }),
    preflight: Effect.succeed([]),
    claim: (starts, owner) =>
      Effect.suspend(() => {
        const claimed = store.claim(starts, owner)
        return Effect.as(Queue.offer(claims, claimed), claimed)
      }),
    reset: (positions, owner) => Effect.sync(() => store.reset(positions, owner)),
    ledger: Effect.sync(store.entries),
    write,
    coverage: Effect.sync(() => store.coverage(routes)),
    deadLetters: (filter) => Effect.sync(() => store.stored(filter)),
    replay: (table, rows) =>
      Effect.suspend(() => {
        if (rows.some(refuses)) return Effect.fail(error("refused"))
        return store.replay(table, rows) ? Effect.void : Effect.fail(error("fenced"))
      }),
    query: () => Effect.fail(new WarehouseError({ reason: "denied", message: "no SQL here" })),
    pendingDeadLetters: Effect.sync(() => store.letters().filter(({ replayedAt }) => replayedAt === null).length),
    row: (table, { offset, partition, topic }) =>
      Effect.sync(() => {
        const row = store
          .rows(table)
          .find((row) => row.topic === topic && row.partition === partition && row.offset === offset)
        return row && { RAW_EVENT: row.event && Buffer.from(row.event).toString(), KAFKA_OFFSET: row.offset }
      }),
    summary: Effect.sync(() => {
      const of = (table: string, rows: number) => ({
        table,
        rows,
        lastWriteAt: rows === 0 ? null : store.lastWriteAt()
      })
      return [
        ...tablesOf(routes).map(({ name }) => of(name, store.rows(name).length)),
        of("DEAD_LETTERS", store.letters().length)
      ]
    })
  })

  return {
    layer: Layer.succeed(Warehouse, warehouse),
    warehouse,
    /** Every call of `write`, as it begins. */
    attempts,
    /** Every write that was applied. */
    landed,
    /** What each call of `claim` gave. */
    claims,
    rows: store.rows,
    deadLetters: store.letters,
    ledger: store.entries,
    /** The next writes end so, one each; those after them are healthy again. */
    failNext: (...next: ReadonlyArray<Fault | WarehouseError>) =>
      Effect.sync(() => void faults.push(...next.map((fault) => ("error" in fault ? fault : { error: fault })))),
    /** The next write waits, after it has shown itself in `attempts`, until the effect that this gives is run. */
    hangNext: Effect.gen(function* () {
      const gate = yield* Deferred.make<void>()
      gates.push(gate)
      return Effect.asVoid(Deferred.succeed(gate, undefined))
    })
  }
})
