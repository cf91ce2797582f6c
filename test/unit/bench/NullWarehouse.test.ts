/**
 * The null Snowflake counts a row when, and only when, its transaction is committed, and its ledger lets pass what the
 * real one would.
 */
import { assert, describe, it } from "@effect/vitest"
import * as NullWarehouse from "../../../bench/NullWarehouse.ts"

const range = (p: number, e: number, f: number, x: number): NullWarehouse.Range => ({ n: "orders", p, e, f, x, s: 0 })
const claimed = () => {
  const warehouse = NullWarehouse.make(() => 1000)
  warehouse.claim("group", "one", [
    { n: "orders", p: 0, o: 5 },
    { n: "orders", p: 1, o: 0 }
  ])
  return warehouse
}
const standing = (warehouse: NullWarehouse.NullWarehouse) =>
  warehouse.ledger("group").map(({ epoch, next, partition }) => [partition, next, epoch])

describe("the null warehouse", () => {
  it("makes rows durable at COMMIT, and at once outside of a transaction", async () => {
    const warehouse = claimed()
    const session = warehouse.open()
    session.begin(900)
    session.insert(10, 910)
    assert.strictEqual(session.advance("group", [range(0, 1, 5, 15)]), 1)
    assert.strictEqual(warehouse.rows(), 0)
    session.commit()
    await warehouse.reached(10)
    session.insert(3, 950)
    assert.strictEqual(warehouse.rows(), 13)
    assert.deepStrictEqual(warehouse.commits, [
      { began: 900, at: 1000, rows: 10, ranges: [range(0, 1, 5, 15)] },
      { began: 950, at: 1000, rows: 3, ranges: [] }
    ])
  })

  it("lets a partition pass only from where it is, and under its epoch", () => {
    const warehouse = claimed()
    const session = warehouse.open()
    session.begin(0)
    assert.strictEqual(session.advance("group", [range(0, 1, 4, 9), range(1, 2, 0, 9), range(2, 1, 0, 9)]), 0)
    assert.strictEqual(session.advance("other", [range(0, 1, 5, 9)]), 0)
    warehouse.claim("group", "two", [{ n: "orders", p: 0, o: 0 }])
    assert.deepStrictEqual(standing(warehouse), [
      [0, 5, 2],
      [1, 0, 1]
    ])
  })

  it("forgets what was rolled back", () => {
    const warehouse = claimed()
    const session = warehouse.open()
    session.begin(0)
    session.insert(4, 0)
    session.advance("group", [range(0, 1, 5, 9)])
    session.advance("group", [range(0, 1, 9, 12)])
    session.rollback()
    session.commit()
    assert.strictEqual(warehouse.rows(), 0)
    assert.deepStrictEqual(standing(warehouse), [
      [0, 5, 1],
      [1, 0, 1]
    ])
  })
})
