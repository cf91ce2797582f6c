/**
 * The figures of the benchmark are what they say: medians over rounds, ratios within a round, events of the size that
 * was asked for.
 */
import { assert, describe, it } from "@effect/vitest"
import { order } from "../../../bench/Orders.ts"
import * as Results from "../../../bench/Results.ts"

const rate = (subject: string, round: number, value: number) => ({
  part: "p",
  subject,
  round,
  figures: { rate: value }
})

describe("results", () => {
  it("takes ratios within each round, then their median", () => {
    const results = Results.make([
      ...[rate("a", 1, 100), rate("a", 2, 10), rate("a", 3, 40)],
      ...[rate("b", 1, 50), rate("b", 2, 10), rate("b", 3, 10)]
    ])
    assert.strictEqual(results.ratio("p", "a", "b", "rate"), 2)
    assert.strictEqual(results.figure("p", "a", "rate"), 40)
    assert.isUndefined(results.ratio("p", "a", "c", "rate"))
    assert.isUndefined(results.figure("p", "a", "peakRss"))
  })

  it("knows medians of an even number, and percentiles", () => {
    assert.strictEqual(Results.median([4, 1, 3, 2]), 2.5)
    assert.strictEqual(Results.percentile([5, 1, 4, 2, 3], 0.99), 5)
    assert.strictEqual(Results.percentile([5, 1, 4, 2, 3], 0.5), 3)
  })
})

describe("orders", () => {
  it.each([230, 10_000, 1_000_000])("are JSON of about %i bytes, each with an id of its own", (bytes) => {
    const texts = Array.from({ length: 20 }, (_, index) => order(index, bytes))
    const ids = texts.map((text) => {
      assert.closeTo(Buffer.byteLength(text) / bytes, 1, 0.1)
      const event: { readonly order_id: string } = JSON.parse(text)
      return event.order_id
    })
    assert.strictEqual(new Set(ids).size, texts.length)
    assert.match(ids[0] ?? "", /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-a[0-9a-f]{3}-[0-9a-f]{12}$/)
  })
})
