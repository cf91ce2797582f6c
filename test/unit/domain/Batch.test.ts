/** The ranges of a batch: where each partition goes to, and how much of the way is neither row nor dead letter. */
import { assert, describe, it } from "@effect/vitest"
import * as Batch from "../../../src/domain/Batch.ts"
import { route, row } from "../../support/Outcomes.ts"
import { letter, skip } from "../../support/warehouse/batches.ts"

const { table } = route("raw.orders.v1=ORDERS_RAW")

describe("Batch", () => {
  it("counts what it skips, partition by partition", () => {
    const outcomes = [
      row({ offset: 12 }),
      row({ offset: 3, partition: 1 }),
      skip({ offset: 13 }),
      letter({ offset: 14 }),
      skip({ offset: 19, reason: "control" })
    ]
    const { ranges } = Batch.make({
      table,
      outcomes,
      trigger: "time",
      claimed: ({ partition }) => (partition === 0 ? { epoch: 7, next: 10 } : { epoch: 8, next: 3 })
    })
    assert.deepStrictEqual(ranges, [
      { topic: "raw.orders.v1", partition: 0, epoch: 7, from: 10, next: 20, skipped: 8 },
      { topic: "raw.orders.v1", partition: 1, epoch: 8, from: 3, next: 4, skipped: 0 }
    ])
    for (const { from, next, partition, skipped } of ranges) {
      const landed = outcomes.filter((outcome) => outcome.partition === partition && outcome._tag !== "Skip").length
      assert.strictEqual(next - from, landed + skipped)
    }
  })
})
