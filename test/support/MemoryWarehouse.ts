/** A double of the warehouse: transactional and fenced as the contract says, with queues of what it observed and faults on demand. */
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Queue from "effect/Queue"
import { type Batch, deadLettersOf, rowsOf } from "../../src/domain/Batch.ts"
import { partitionKey } from "../../src/domain/KafkaRecord.ts"
import type { BronzeRow, DeadLetter } from "../../src/domain/Outcome.ts"
import { type Route, tablesOf } from "../../src/domain/Route.ts"
import { type LedgerEntry, Warehouse } from "../../src/warehouse/Warehouse.ts"
import { WarehouseError, type WarehouseErrorReason } from "../../src/warehouse/WarehouseError.ts"

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
}

export type MemoryWarehouse = Effect.Success<ReturnType<typeof make>>

export const make = Effect.fnUntraced(function* ({
  delivery = "exactly-once",
  refuses = () => false,
  routes = []
}: Options = {}) {
  const tables = new Map<string, Array<BronzeRow>>()
  const letters: Array<DeadLetter & { readonly table: string }> = []
  const ledger = new Map<string, LedgerEntry>()
  const faults: Array<Fault> = []
  const gates: Array<Deferred.Deferred<void>> = []
  let lastWrite: number | null = null

  const attempts = yield* Queue.unbounded<Batch>()
  const landed = yield* Queue.unbounded<Batch>()
  const claims = yield* Queue.unbounded<ReadonlyArray<LedgerEntry>>()

  const isHeld = (batch: Batch): boolean =>
    batch.ranges.every((range) => {
      const entry = ledger.get(partitionKey(range))
      return entry?.epoch === range.epoch && entry.next === range.from
    })

  const apply = (batch: Batch) =>
    Effect.suspend(() => {
      if (rowsOf(batch).some(refuses)) return Effect.fail(error("refused"))
      if (delivery === "exactly-once") {
        if (!isHeld(batch)) return Effect.fail(error("fenced"))
        for (const { epoch, next, partition, topic } of batch.ranges) {
          const owner = ledger.get(partitionKey({ topic, partition }))?.owner ?? ""
          ledger.set(partitionKey({ topic, partition }), { topic, partition, epoch, next, owner })
        }
      }
      tables.set(batch.table.name, [...(tables.get(batch.table.name) ?? []), ...rowsOf(batch)])
      letters.push(...deadLettersOf(batch).map((letter) => ({ ...letter, table: batch.table.name })))
      lastWrite = Date.now()
      return Effect.asVoid(Queue.offer(landed, batch))
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
    target: "memory",
    ddl: [],
    init: Effect.void,
    preflight: Effect.succeed([]),
    claim: (starts, owner) =>
      Effect.suspend(() => {
        const claimed = starts.map(({ offset, partition, topic }): LedgerEntry => {
          const entry = ledger.get(partitionKey({ topic, partition }))
          return { topic, partition, owner, epoch: (entry?.epoch ?? 0) + 1, next: entry?.next ?? offset }
        })
        for (const entry of claimed) ledger.set(partitionKey(entry), entry)
        return Effect.as(Queue.offer(claims, claimed), claimed)
      }),
    ledger: Effect.sync(() => [...ledger.values()]),
    write,
    summary: Effect.sync(() => [
      ...tablesOf(routes).map(({ name }) => {
        const rows = tables.get(name)?.length ?? 0
        return { table: name, rows, lastWrite: rows === 0 ? null : lastWrite }
      }),
      { table: "DEAD_LETTERS", rows: letters.length, lastWrite: letters.length === 0 ? null : lastWrite }
    ])
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
    rows: (table: string): ReadonlyArray<BronzeRow> => tables.get(table) ?? [],
    deadLetters: (): ReadonlyArray<DeadLetter & { readonly table: string }> => letters,
    ledger: (): ReadonlyArray<LedgerEntry> => [...ledger.values()],
    /** The next writes end so, one each; those after them are well again. */
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
