/**
 * The part of the contract that exactly-once stands on: claims, fencing, and a ledger that moves with its rows or not
 * at all.
 */
import { assert } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import { Warehouse } from "../../../src/warehouse/Warehouse.ts"
import { batchOf, claimAll, letter, skip } from "./batches.ts"
import { Inspector, type Test } from "./Subject.ts"

/** What the ledger says, as [partition, next, epoch, owner]. */
const ledgerNow = Effect.flatMap(Warehouse, ({ ledger }) => ledger).pipe(
  Effect.map((entries) =>
    entries
      .map(({ epoch, next, owner, partition, topic }) => [topic, partition, next, epoch, owner] as const)
      .sort((a, b) => a[0].localeCompare(b[0]) || a[1] - b[1])
  )
)

const stored = Effect.gen(function* () {
  const inspect = yield* Inspector
  return { rows: (yield* inspect.rows("ORDERS_RAW")).length, letters: (yield* inspect.deadLetters).length }
})

export const ledgerSuite = (test: Test): void => {
  test(
    "a claim starts partitions where it is told, and raises the epoch of those that are there without moving them",
    Effect.gen(function* () {
      const { claim, write } = yield* Warehouse
      const first = yield* claim([{ topic: "raw.orders.v1", partition: 0, offset: 42 }], "a")
      assert.deepStrictEqual(first, [{ topic: "raw.orders.v1", partition: 0, next: 42, epoch: 1, owner: "a" }])
      yield* write(batchOf("ORDERS_RAW", first, [{ offset: 42 }]))
      const second = yield* claim(
        [
          { topic: "raw.orders.v1", partition: 0, offset: 7 },
          { topic: "raw.orders.v1", partition: 1, offset: 5 },
          { topic: "raw.clicks.v1", partition: 0, offset: 0 }
        ],
        "b"
      )
      assert.strictEqual(second.length, 3)
      assert.deepStrictEqual(yield* ledgerNow, [
        ["raw.clicks.v1", 0, 0, 1, "b"],
        ["raw.orders.v1", 0, 43, 2, "b"],
        ["raw.orders.v1", 1, 5, 1, "b"]
      ])
    })
  )

  test(
    "a write moves the ledger from where it stands to the next offset, over gaps, partition by partition",
    Effect.gen(function* () {
      const { write } = yield* Warehouse
      const claimed = yield* claimAll()
      yield* write(
        batchOf("ORDERS_RAW", claimed, [
          { offset: 3 },
          { offset: 9 },
          { partition: 1, offset: 0 },
          letter({ offset: 11 })
        ])
      )
      assert.deepStrictEqual(yield* ledgerNow, [
        ["raw.orders.v1", 0, 12, 1, "member-1"],
        ["raw.orders.v1", 1, 1, 1, "member-1"]
      ])
    })
  )

  test(
    "skipped records move the ledger too",
    Effect.gen(function* () {
      const { write } = yield* Warehouse
      yield* write(batchOf("ORDERS_RAW", yield* claimAll(), [skip({ offset: 0 })]))
      assert.deepStrictEqual((yield* ledgerNow)[0], ["raw.orders.v1", 0, 1, 1, "member-1"])
      assert.deepStrictEqual(yield* stored, { rows: 0, letters: 0 })
    })
  )

  test(
    "a wrong epoch or a wrong offset, of one partition only, is fenced and nothing at all is written",
    Effect.gen(function* () {
      const { write } = yield* Warehouse
      const batch = batchOf("ORDERS_RAW", yield* claimAll(), [
        { offset: 0 },
        { partition: 1, offset: 0 },
        letter({ offset: 1 })
      ])
      const before = yield* ledgerNow
      for (const change of [{ epoch: 2 }, { epoch: 0 }, { from: 1 }]) {
        const ranges = batch.ranges.map((range) => (range.partition === 1 ? { ...range, ...change } : range))
        const error = yield* Effect.flip(write({ ...batch, ranges }))
        assert.strictEqual(error.reason, "fenced")
      }
      assert.deepStrictEqual(yield* stored, { rows: 0, letters: 0 })
      assert.deepStrictEqual(yield* ledgerNow, before)
      yield* write(batch)
      assert.deepStrictEqual(yield* stored, { rows: 2, letters: 1 })
    })
  )

  test(
    "a partition that nobody claimed is fenced",
    Effect.gen(function* () {
      const { write } = yield* Warehouse
      const unclaimed = { topic: "raw.orders.v1", partition: 0, next: 0, epoch: 1, owner: "a" }
      const error = yield* Effect.flip(write(batchOf("ORDERS_RAW", [unclaimed], [{ offset: 0 }])))
      assert.strictEqual(error.reason, "fenced")
      assert.deepStrictEqual(yield* stored, { rows: 0, letters: 0 })
    })
  )

  test(
    "who claims fences whoever held the partition before",
    Effect.gen(function* () {
      const { write } = yield* Warehouse
      const first = yield* claimAll("a")
      yield* write(batchOf("ORDERS_RAW", first, [{ offset: 0 }]))
      const second = yield* claimAll("b")
      const late = first.map((entry) => (entry.partition === 0 ? { ...entry, next: 1 } : entry))
      assert.strictEqual((yield* Effect.flip(write(batchOf("ORDERS_RAW", late, [{ offset: 1 }])))).reason, "fenced")
      yield* write(batchOf("ORDERS_RAW", second, [{ offset: 1 }]))
      assert.deepStrictEqual(yield* stored, { rows: 2, letters: 0 })
    })
  )

  test(
    "the same batch again is fenced, as a first attempt that was thought lost shows itself",
    Effect.gen(function* () {
      const { write } = yield* Warehouse
      const batch = batchOf("ORDERS_RAW", yield* claimAll(), [{ offset: 0 }, letter({ offset: 1 })])
      yield* write(batch)
      assert.strictEqual((yield* Effect.flip(write(batch))).reason, "fenced")
      assert.deepStrictEqual(yield* stored, { rows: 1, letters: 1 })
    })
  )

  test(
    "writes of two tables, and of disjoint partitions of one table, run side by side",
    Effect.gen(function* () {
      const { write } = yield* Warehouse
      const [zero, one] = yield* claimAll()
      const clicks = yield* claimAll("member-1", "CLICKS_RAW")
      const chain = (partition: number, entry: typeof zero) =>
        Effect.forEach([0, 1, 2, 3], (offset) =>
          entry === undefined
            ? Effect.die("not claimed")
            : write(batchOf("ORDERS_RAW", [{ ...entry, next: offset }], [{ partition, offset }]))
        )
      yield* Effect.all([chain(0, zero), chain(1, one), write(batchOf("CLICKS_RAW", clicks, [{ offset: 0 }]))], {
        concurrency: "unbounded"
      })
      const inspect = yield* Inspector
      assert.strictEqual((yield* inspect.rows("ORDERS_RAW")).length, 8)
      assert.strictEqual((yield* inspect.rows("CLICKS_RAW")).length, 1)
      assert.deepStrictEqual(
        (yield* ledgerNow).map(([, , next]) => next),
        [1, 0, 4, 4]
      )
    })
  )

  test(
    "of two members that write the same records at the same time one passes",
    Effect.gen(function* () {
      const { write } = yield* Warehouse
      const batch = batchOf("ORDERS_RAW", yield* claimAll(), [{ offset: 0 }])
      const results = yield* Effect.all([Effect.result(write(batch)), Effect.result(write(batch))], { concurrency: 2 })
      assert.strictEqual(results.filter(({ _tag }) => _tag === "Success").length, 1)
      assert.strictEqual((yield* stored).rows, 1)
    })
  )

  test(
    "of a claim beside an open write one waits for the other, or undoes it: each record lands once",
    Effect.gen(function* () {
      const { claim, write } = yield* Warehouse
      const inspect = yield* Inspector
      const [zero] = yield* claimAll("a")
      if (zero === undefined) return assert.fail("not claimed")
      const held = yield* inspect.holdCommit
      const open = yield* Effect.forkChild(
        Effect.result(write(batchOf("ORDERS_RAW", [zero], [{ offset: 0 }, { offset: 1 }])))
      )
      yield* held.reached
      const claiming = yield* Effect.forkChild(claim([{ topic: zero.topic, partition: 0, offset: 0 }], "b"))
      // Where a claim does not wait, it has ended by then.
      yield* Effect.timeoutOption(Fiber.await(claiming), "400 millis")
      yield* held.release
      const landed = (yield* Fiber.join(open))._tag === "Success"
      const claimed = yield* Fiber.join(claiming)
      assert.deepStrictEqual(claimed, [{ ...zero, next: landed ? 2 : 0, epoch: 2, owner: "b" }])
      const rest = landed ? [{ offset: 2 }] : [{ offset: 0 }, { offset: 1 }, { offset: 2 }]
      yield* write(batchOf("ORDERS_RAW", claimed, rest))
      const rows = yield* inspect.rows("ORDERS_RAW")
      assert.deepStrictEqual(
        rows.map(({ offset }) => offset),
        [0, 1, 2]
      )
    })
  )

  test(
    "members that claim the same new partitions at the same time have one row each, and the last of them holds it",
    Effect.gen(function* () {
      const { write } = yield* Warehouse
      const members = ["a", "b", "c", "d"]
      const claims = yield* Effect.forEach(members, (owner) => claimAll(owner), { concurrency: 4 })
      const last = claims.toSorted((one, other) => (other[0]?.epoch ?? 0) - (one[0]?.epoch ?? 0))
      assert.deepStrictEqual(
        last.map(([entry]) => entry?.epoch),
        [4, 3, 2, 1]
      )
      assert.deepStrictEqual(
        yield* ledgerNow,
        (last[0] ?? []).map(({ epoch, next, owner, partition, topic }) => [topic, partition, next, epoch, owner])
      )
      const [holder, ...others] = last
      for (const claimed of others)
        assert.strictEqual(
          (yield* Effect.flip(write(batchOf("ORDERS_RAW", claimed, [{ offset: 0 }])))).reason,
          "fenced"
        )
      yield* write(batchOf("ORDERS_RAW", holder ?? [], [{ offset: 0 }]))
      assert.deepStrictEqual(yield* stored, { rows: 1, letters: 0 })
    })
  )

  test(
    "at-least-once does not look at the ledger",
    Effect.gen(function* () {
      const { ledger, write } = yield* Warehouse
      const batch = batchOf("ORDERS_RAW", [], [{ offset: 0 }])
      yield* write(batch)
      yield* write(batchOf("ORDERS_RAW", [], [{ offset: 0 }, letter({ offset: 1 })]))
      yield* write(batchOf("ORDERS_RAW", [], [letter({ offset: 2 })]))
      yield* write({ ...batch, outcomes: [] })
      assert.deepStrictEqual(yield* stored, { rows: 2, letters: 2 })
      assert.deepStrictEqual(yield* ledger, [])
    }),
    { delivery: "at-least-once" }
  )
}
