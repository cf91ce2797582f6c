/**
 * The part of the contract that `dlq` stands on: dead letters are found by what they are, and become rows once, however
 * often that is asked for.
 */
import { assert } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { lost } from "../../../src/domain/Coverage.ts"
import type { DeadLetterFilter } from "../../../src/domain/DeadLetters.ts"
import { Warehouse } from "../../../src/warehouse/Warehouse.ts"
import { type GivenRow, row } from "../Outcomes.ts"
import { batchOf, claimAll, letter, tableOf } from "./batches.ts"
import { Inspector, type Test } from "./Subject.ts"

const table = tableOf("ORDERS_RAW")
const rowAt = (offset: number, given: GivenRow = {}) =>
  row({ offset, event: '{"fixed":true}', columns: table.columns.map(() => null), ...given })

/** Offsets 0 to 3: a row, then three dead letters. */
const threeLetters = Effect.gen(function* () {
  const { write } = yield* Warehouse
  const letters = [
    letter({ offset: 1, key: "k", headers: '{"h":"1"}' }),
    letter({ offset: 2, cause: "not_utf8", payload: "/w==", message: `it's "bad"` }),
    letter({ offset: 3, cause: "too_large", payload: null, timestamp: -1 })
  ]
  yield* write(batchOf("ORDERS_RAW", yield* claimAll(), [{ offset: 0 }, ...letters]))
})

const found = (filter: Partial<DeadLetterFilter>) =>
  Effect.flatMap(Warehouse, ({ deadLetters }) => deadLetters({ limit: 100, ...filter }))
const offsets = (filter: Partial<DeadLetterFilter>) =>
  Effect.map(found(filter), (letters) => letters.map(({ offset }) => offset))

const stored = Effect.gen(function* () {
  const rows = yield* (yield* Inspector).rows("ORDERS_RAW")
  return rows.map(({ event, key, offset }) => [offset, key, event === null ? null : JSON.parse(event)])
})

export const replaySuite = (test: Test, keepsLedger: boolean): void => {
  test(
    "dead letters are found by topic, cause, time and place; the payload comes when it is asked for",
    Effect.gen(function* () {
      const before = Date.now() - 1000
      yield* threeLetters
      assert.deepStrictEqual(yield* offsets({}), [1, 2, 3])
      assert.deepStrictEqual(yield* offsets({ limit: 2 }), [1, 2])
      assert.deepStrictEqual(yield* offsets({ topic: "raw.orders.v1", cause: "not_utf8" }), [2])
      assert.deepStrictEqual(yield* offsets({ topic: "raw.clicks.v1" }), [])
      assert.deepStrictEqual(yield* offsets({ topic: "' OR 1=1 --" }), [])
      assert.deepStrictEqual(yield* offsets({ since: before, until: Date.now() + 1000 }), [1, 2, 3])
      assert.deepStrictEqual(yield* offsets({ since: Date.now() + 1000 }), [])
      assert.deepStrictEqual(yield* offsets({ until: before }), [])
      const at = [3, 1, 77].map((offset) => ({ topic: "raw.orders.v1", partition: 0, offset }))
      assert.deepStrictEqual(yield* offsets({ at }), [1, 3])
      assert.deepStrictEqual(yield* offsets({ at: [] }), [])
      const [first, second, third] = yield* found({ payload: true })
      assert.deepInclude(first, {
        ...{ table: "ORDERS_RAW", topic: "raw.orders.v1", partition: 0, timestamp: Date.UTC(2026, 1, 7, 10, 30) },
        ...{ key: "k", cause: "not_json", bytes: 3, payload: "eyJh", truncated: false, replayedAt: null }
      })
      assert.deepStrictEqual(JSON.parse(first?.headers ?? ""), { h: "1" })
      assert.isAtLeast(first?.ingestedAt ?? 0, before)
      assert.deepInclude(second, { bytes: 1, message: `it's "bad"`, headers: null })
      assert.deepInclude(third, { bytes: null, payload: null })
      assert.deepStrictEqual(
        (yield* found({})).map(({ payload }) => payload),
        [null, null, null]
      )
    })
  )

  test(
    "a replay makes a row of a dead letter, at its own coordinates, once; the letter stays as a record",
    Effect.gen(function* () {
      const { coverage, ledger, replay } = yield* Warehouse
      yield* threeLetters
      const before = yield* ledger
      yield* replay(table, [rowAt(1, { key: "k" })])
      const again = yield* Effect.flip(replay(table, [rowAt(1)]))
      assert.strictEqual(again.reason, "fenced")
      assert.deepStrictEqual((yield* stored).slice(1), [[1, "k", { fixed: true }]])
      assert.deepStrictEqual(yield* offsets({}), [2, 3])
      assert.deepStrictEqual(yield* offsets({ replayed: true }), [1, 2, 3])
      const [record] = yield* found({ replayed: true })
      assert.isAtLeast(record?.replayedAt ?? 0, Date.now() - 10_000)
      // The ledger did not move, and its count adds up.
      assert.deepStrictEqual(yield* ledger, before)
      const [zero] = yield* coverage
      assert.deepInclude(zero, { rows: 2, deadLetters: 3, waiting: 2, duplicates: 0, missing: 0 })
      assert.strictEqual(zero === undefined ? 1 : lost(zero), 0)
    })
  )

  test(
    "what two operators replay at the same time lands once",
    Effect.gen(function* () {
      const { replay } = yield* Warehouse
      yield* threeLetters
      const tries = Array.from({ length: 4 }, () => Effect.result(replay(table, [rowAt(1), rowAt(2)])))
      const results = yield* Effect.all(tries, { concurrency: "unbounded" })
      assert.strictEqual(results.filter(({ _tag }) => _tag === "Success").length, 1)
      assert.deepStrictEqual(
        (yield* stored).map(([offset]) => offset),
        [0, 1, 2]
      )
    })
  )

  test(
    "of several, one that does not wait any more, or that never was a dead letter, holds back all",
    Effect.gen(function* () {
      const { replay } = yield* Warehouse
      yield* threeLetters
      yield* replay(table, [rowAt(2)])
      for (const rows of [[rowAt(1), rowAt(2)], [rowAt(1), rowAt(0)], [rowAt(50)]])
        assert.strictEqual((yield* Effect.flip(replay(table, rows))).reason, "fenced")
      assert.deepStrictEqual(yield* offsets({}), [1, 3])
      assert.strictEqual((yield* stored).length, 2)
    })
  )

  test(
    "a row that is there beside a pending dead letter counts as a duplicate",
    Effect.gen(function* () {
      const { claim, coverage, write } = yield* Warehouse
      yield* threeLetters
      const [entry] = yield* claim([{ topic: "raw.orders.v1", partition: 0, offset: 0 }], "b")
      const claimed = entry === undefined ? [] : [entry]
      yield* write(batchOf("ORDERS_RAW", claimed, [{ offset: 1 }, { offset: 4 }]))
      const [zero] = yield* coverage
      assert.deepInclude(zero, { duplicates: 1, rows: 3, waiting: 3 })
    })
  )

  if (keepsLedger)
    test(
      "where delivery is at-least-once, a dead letter that occurs twice becomes one row",
      Effect.gen(function* () {
        const { replay, write } = yield* Warehouse
        for (let time = 0; time < 2; time++) yield* write(batchOf("ORDERS_RAW", [], [letter({ offset: 1 })]))
        yield* replay(table, [rowAt(1)])
        assert.strictEqual((yield* Effect.flip(replay(table, [rowAt(1)]))).reason, "fenced")
        assert.strictEqual((yield* stored).length, 1)
        assert.deepStrictEqual(yield* offsets({}), [])
      }),
      { delivery: "at-least-once" }
    )
}
