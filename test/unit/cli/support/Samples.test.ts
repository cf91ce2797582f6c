/** What `produce` sends: the shares of each topic, and events that look as promised. */
import { assert, describe, it } from "@effect/vitest"
import * as Option from "effect/Option"
import { plan } from "../../../../src/cli/Produce.ts"
import { broken, sample } from "../../../../src/cli/support/Samples.ts"

const topics = ["raw.orders.v1", "raw.clicks.v1"]
const shares = (flags: { count?: number; orders?: number; clicks?: number; bad?: number }, of = topics) =>
  plan(of, {
    count: flags.count ?? 100,
    bad: flags.bad ?? 0,
    orders: Option.fromUndefinedOr(flags.orders),
    clicks: Option.fromUndefinedOr(flags.clicks)
  }).map(({ bad, topic, total }) => [topic, total, bad])

describe("plan", () => {
  it("is two orders for a click", () => {
    assert.deepStrictEqual(shares({ count: 100 }), [
      ["raw.orders.v1", 67, 0],
      ["raw.clicks.v1", 33, 0]
    ])
  })
  it("takes the numbers that are given", () => {
    assert.deepStrictEqual(shares({ orders: 250, clicks: 30 }), [
      ["raw.orders.v1", 250, 0],
      ["raw.clicks.v1", 30, 0]
    ])
    assert.deepStrictEqual(shares({ clicks: 5 }), [["raw.clicks.v1", 5, 0]])
  })
  it("adds broken records on top, where events go", () => {
    assert.deepStrictEqual(shares({ orders: 99, bad: 1 }), [["raw.orders.v1", 100, 1]])
    assert.deepStrictEqual(shares({ clicks: 99, bad: 1 }), [["raw.clicks.v1", 100, 1]])
    assert.deepStrictEqual(shares({ orders: 10, clicks: 10, bad: 3 }), [
      ["raw.orders.v1", 12, 2],
      ["raw.clicks.v1", 11, 1]
    ])
    assert.deepStrictEqual(shares({ count: 0, bad: 2 }), [
      ["raw.orders.v1", 1, 1],
      ["raw.clicks.v1", 1, 1]
    ])
  })
  it("shares evenly among topics of a kind", () => {
    assert.deepStrictEqual(shares({ count: 5 }, ["a", "b"]), [
      ["a", 3, 0],
      ["b", 2, 0]
    ])
  })
})

describe("samples", () => {
  const at = new Date(0)
  it("are JSON of about 230 bytes, keyed by their user", () => {
    for (const kind of ["order", "click"] as const) {
      const sizes = Array.from({ length: 100 }, (_, index) => {
        const { key, value } = sample(kind, index, false, at)
        assert.strictEqual(key, String(JSON.parse(String(value)).user_id))
        return Buffer.byteLength(String(value))
      })
      const mean = sizes.reduce((sum, size) => sum + size, 0) / sizes.length
      assert.isAbove(mean, 190)
      assert.isBelow(mean, 260)
    }
  })
  it("have new fields when asked, a number beyond 2^53 among them", () => {
    const { value } = sample("order", 1, true, at)
    assert.strictEqual(JSON.parse(String(value)).schema_version, 2)
    assert.include(String(value), '"trace_id":9007199254740993')
    const { delivery_address, payment_method } = JSON.parse(String(value))
    assert.isString(delivery_address.city)
    assert.isString(payment_method)
  })
  it("broken ones are not JSON in UTF-8", () => {
    for (let index = 0; index < 3; index++) {
      const { value } = broken(index)
      const decode = () =>
        JSON.parse(typeof value === "string" ? value : new TextDecoder("utf-8", { fatal: true }).decode(value))
      assert.throws(decode)
    }
  })
})
