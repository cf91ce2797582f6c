/**
 * The part of the contract that an audit stands on: what is there, what is missing, what is there twice, and a ledger
 * whose count adds up.
 */
import { assert } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { lost } from "../../../src/domain/Coverage.ts"
import { Warehouse } from "../../../src/warehouse/Warehouse.ts"
import { batchOf, claimAll, letter, skip } from "./batches.ts"
import type { Test } from "./Subject.ts"

const coverage = Effect.flatMap(Warehouse, ({ coverage }) => coverage)

export const coverageSuite = (test: Test): void => {
  test(
    "while a template leads to no topic, nothing has to be there",
    Effect.gen(function* () {
      assert.deepStrictEqual(yield* coverage, [])
    }),
    { routes: "raw.{name}={NAME}_RAW" }
  )

  test(
    "the ledger counts what it skips: next - start = rows + dead letters + skipped",
    Effect.gen(function* () {
      const { claim, write } = yield* Warehouse
      const entries = yield* claim(
        [0, 1].map((partition) => ({ topic: "raw.orders.v1", partition, offset: 10 })),
        "a"
      )
      // 10 was compacted away, 12 is a skipped tombstone, 15 and 16 are control records.
      yield* write(
        batchOf("ORDERS_RAW", entries, [
          { offset: 11 },
          skip({ offset: 12 }),
          letter({ offset: 13 }),
          { offset: 14 },
          skip({ offset: 16, reason: "control" }),
          { partition: 1, offset: 10 }
        ])
      )
      const [zero] = yield* coverage
      assert.deepInclude(zero, {
        ...{ table: "ORDERS_RAW", topic: "raw.orders.v1", partition: 0 },
        ...{ rows: 2, offsets: 2, first: 11, last: 14, deadLetters: 1, waiting: 1, duplicates: 0, missing: 4 },
        ledger: { start: 10, next: 17, skipped: 4, epoch: 1, owner: "a" },
        gaps: [
          { from: 10, to: 10 },
          { from: 12, to: 12 },
          { from: 15, to: 16 }
        ]
      })
      // It keeps counting where it stood, whoever claims.
      const [again] = yield* claim([{ topic: "raw.orders.v1", partition: 0, offset: 99 }], "b")
      assert.deepInclude(again, { next: 17, epoch: 2 })
      yield* write(batchOf("ORDERS_RAW", again === undefined ? [] : [again], [skip({ offset: 18 }), { offset: 19 }]))
      const all = yield* coverage
      assert.deepInclude(all[0]?.ledger, { start: 10, next: 20, skipped: 6, owner: "b" })
      assert.deepStrictEqual(
        all.map((partition) => [partition.partition, partition.missing, lost(partition)]),
        [
          [0, 6, 0],
          [1, 0, 0]
        ]
      )
    })
  )

  test(
    "a reset moves the ledger, counts from there, and fences whoever held the partition",
    Effect.gen(function* () {
      const { ledger, reset, write } = yield* Warehouse
      const [held, other] = yield* claimAll()
      if (held === undefined || other === undefined) return assert.fail("nothing claimed")
      yield* write(batchOf("ORDERS_RAW", [held], [{ offset: 0 }, skip({ offset: 1 })]))
      yield* reset([{ topic: "raw.orders.v1", partition: 0, offset: 60 }], "reset")
      const [zero, one] = yield* coverage
      assert.deepInclude(zero?.ledger, { start: 60, next: 60, skipped: 0, epoch: 2, owner: "reset" })
      assert.deepInclude(one?.ledger, { next: 0, epoch: 1 }, "the other partition stays")
      const late = yield* Effect.flip(write(batchOf("ORDERS_RAW", [{ ...held, next: 60 }], [{ offset: 60 }])))
      assert.strictEqual(late.reason, "fenced")
      // Where there is no ledger yet, it makes one; and it goes backwards, too.
      yield* reset(
        [
          { topic: "raw.orders.v1", partition: 7, offset: 5 },
          { topic: "raw.orders.v1", partition: 0, offset: 3 }
        ],
        "reset"
      )
      const entries = yield* ledger
      assert.deepStrictEqual(
        entries.map(({ epoch, next, partition }) => [partition, next, epoch]),
        [
          [0, 3, 3],
          [1, 0, 1],
          [7, 5, 1]
        ]
      )
    })
  )

  test(
    "a claimed partition without records is covered, and has nothing",
    Effect.gen(function* () {
      yield* claimAll()
      const all = yield* coverage
      assert.deepStrictEqual(
        all.map(({ first, gaps, last, ledger, missing, rows }) => [ledger?.next, rows, first, last, missing, gaps]),
        [
          [0, 0, null, null, 0, []],
          [0, 0, null, null, 0, []]
        ]
      )
    })
  )

  test(
    "what the ledger passed and neither wrote nor counted is lost, and named",
    Effect.gen(function* () {
      const { write } = yield* Warehouse
      const batch = batchOf("ORDERS_RAW", yield* claimAll(), [{ offset: 2 }, { offset: 99 }])
      yield* write({ ...batch, ranges: batch.ranges.map((range) => ({ ...range, skipped: 0 })) })
      const [zero] = yield* coverage
      assert.strictEqual(zero === undefined ? 0 : lost(zero), 98)
      assert.deepStrictEqual(zero?.gaps, [
        { from: 0, to: 1 },
        { from: 3, to: 98 }
      ])
    })
  )

  test(
    "of very many gaps the first are named, and all are counted",
    Effect.gen(function* () {
      const { write } = yield* Warehouse
      const rows = Array.from({ length: 50 }, (_, index) => ({ offset: index * 2 + 1 }))
      yield* write(batchOf("ORDERS_RAW", yield* claimAll(), rows))
      const [zero] = yield* coverage
      assert.strictEqual(zero?.missing, 50)
      assert.strictEqual(zero?.gaps.length, 20)
      assert.deepStrictEqual(zero?.gaps.at(-1), { from: 38, to: 38 })
    })
  )

  test(
    "in at-least-once delivery what is there is counted from its first to its last, and what came twice is found",
    Effect.gen(function* () {
      const { write } = yield* Warehouse
      yield* write(batchOf("ORDERS_RAW", [], [{ offset: 5 }, { offset: 6 }, letter({ offset: 7 })]))
      yield* write(batchOf("ORDERS_RAW", [], [{ offset: 6 }, letter({ offset: 7 }), { offset: 10 }]))
      const [zero, ...others] = yield* coverage
      assert.deepStrictEqual(others, [])
      assert.deepInclude(zero, {
        ...{ rows: 4, offsets: 3, first: 5, last: 10, deadLetters: 1, waiting: 1, duplicates: 2, missing: 2 },
        ledger: null,
        gaps: [{ from: 8, to: 9 }]
      })
    }),
    { delivery: "at-least-once" }
  )
}
