/**
 * The part of the contract that a new version stands on: what is missing is named, what older tables lack is added by
 * `init`, and nothing is lost.
 */
import { assert } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { Warehouse } from "../../../src/warehouse/Warehouse.ts"
import { batchOf, claimAll, letter } from "./batches.ts"
import { Inspector, type Test } from "./Subject.ts"

const added = [
  ["DEAD_LETTERS", "PAYLOAD_TRUNCATED"],
  ["DEAD_LETTERS", "REPLAYED_AT"],
  ["CONSUMER_OFFSETS", "START_OFFSET"],
  ["CONSUMER_OFFSETS", "SKIPPED"]
] as const

/** As the first version left them: five rows and a dead letter, and a ledger that says no more than where it is. */
const olderTables = Effect.gen(function* () {
  const { write } = yield* Warehouse
  const rows = [0, 1, 2, 3, 4].map((offset) => ({ offset }))
  yield* write(batchOf("ORDERS_RAW", yield* claimAll("old"), [...rows, letter({ offset: 5 })]))
  const { run } = yield* Inspector
  for (const [table, column] of added) yield* run(`ALTER TABLE {T}${table} DROP COLUMN ${column}`)
})

export const upgradeSuite = (test: Test): void => {
  test(
    "preflight names a missing table and a missing column, with what fixes them",
    Effect.gen(function* () {
      const { preflight } = yield* Warehouse
      const inspect = yield* Inspector
      yield* inspect.run("DROP TABLE {T}DEAD_LETTERS")
      // As if its route had got the column since.
      yield* inspect.run(`ALTER TABLE {T}ORDERS_RAW DROP COLUMN USER_ID`)
      const problems = yield* preflight
      assert.strictEqual(problems.length, 2)
      assert.match(problems[0]?.what ?? "", /ORDERS_RAW.*USER_ID/)
      assert.match(problems[1]?.what ?? "", /DEAD_LETTERS.*missing/)
      for (const { remedy } of problems) assert.include(remedy, "bronze-consumer init")
      const { added: columns, created, present } = yield* (yield* Warehouse).init
      assert.deepStrictEqual([columns, created], [["ORDERS_RAW.USER_ID"], ["DEAD_LETTERS"]])
      assert.includeMembers([...present], ["ORDERS_RAW", "CONSUMER_OFFSETS"])
      assert.deepStrictEqual(yield* preflight, [])
    })
  )

  test(
    "preflight names the columns that came later, and init adds them",
    Effect.gen(function* () {
      const { init, preflight } = yield* Warehouse
      yield* olderTables
      const problems = yield* preflight
      assert.strictEqual(problems.length, added.length)
      for (const [index, [table, column]] of added.entries()) {
        assert.match(problems[index]?.what ?? "", new RegExp(`${table}.*${column}`))
        assert.match(problems[index]?.remedy ?? "", /^bronze-consumer init, or ALTER TABLE .*ADD COLUMN IF NOT EXISTS/)
      }
      yield* init
      assert.deepStrictEqual(yield* preflight, [])
      yield* init
      assert.strictEqual((yield* (yield* Inspector).rows("ORDERS_RAW")).length, 5)
    })
  )

  test(
    "a ledger of an older version counts from where the first claim finds it",
    Effect.gen(function* () {
      const { coverage, deadLetters, init, write } = yield* Warehouse
      yield* olderTables
      yield* init
      const [before] = yield* coverage
      assert.deepInclude(before?.ledger, { start: 6, next: 6, skipped: 0 })
      yield* write(batchOf("ORDERS_RAW", yield* claimAll("new"), [{ offset: 8 }]))
      const [zero] = yield* coverage
      assert.deepInclude(zero, { rows: 6, waiting: 1, missing: 2, gaps: [{ from: 6, to: 7 }] })
      assert.deepInclude(zero?.ledger, { start: 6, next: 9, skipped: 2 })
      const [old] = yield* deadLetters({ limit: 10 })
      assert.deepInclude(old, { offset: 5, truncated: false, replayedAt: null })
    })
  )
}
