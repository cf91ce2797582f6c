/** What the shop makes of a request: every member of the client's object as it was written, and its own around them. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Events from "../../../scripts/shop/events.ts"

const body = (text: string): Events.Body => ({ text, parsed: JSON.parse(text) })
const known = '"user_id":123,"item_id":5,"item_name":"Chicken Biryani","price":12.99'
const order = (text: string) => Events.order(body(text), "id-1", "2026-01-01T00:00:00.000Z")
const click = (text: string) => Events.click(body(text), "id-1", "2026-01-01T00:00:00.000Z")

describe("an order", () => {
  it.effect("passes on what the shop does not know, byte by byte", () =>
    Effect.gen(function* () {
      // Numbers that JavaScript would round, a name that is special to it, blanks and escapes.
      const tomorrow =
        '"delivery_address" : {"zip":8001.10},\n"payment_method":"c\\u0061rd","trace_id":9007199254740993,"__proto__":{}'
      const { key, value } = yield* order(` {${known},${tomorrow} }\n`)
      assert.strictEqual(key, "123")
      assert.strictEqual(
        value,
        `{"order_id":"id-1",${known},${tomorrow},"quantity":1,"status":"placed","created_at":"2026-01-01T00:00:00.000Z"}`
      )
    })
  )

  it.effect("keeps the quantity that it names", () =>
    Effect.gen(function* () {
      const { value } = yield* order(`{${known},"quantity":3}`)
      assert.deepInclude(JSON.parse(value), { quantity: 3, status: "placed" })
    })
  )

  it.effect("is refused when it sets a field of the shop, or one that it knows has another type", () =>
    Effect.gen(function* () {
      const own = yield* Effect.flip(order(`{${known},"order_id":"mine","status":null}`))
      assert.deepStrictEqual(own.faults, [
        { field: "order_id", message: "is set by the shop" },
        { field: "status", message: "is set by the shop" }
      ])
      const wrong = yield* Effect.flip(order(`{${known},"delivery_address":{},"quantity":"3"}`))
      assert.deepStrictEqual(
        wrong.faults.map(({ field }) => field),
        ["quantity"]
      )
    })
  )
})

describe("a click", () => {
  it.effect("passes on what the shop does not know, and has a page", () =>
    Effect.gen(function* () {
      const { value } = yield* click('{"user_id":1,"item_id":5,"device":"ios"}')
      assert.strictEqual(
        value,
        '{"click_id":"id-1","user_id":1,"item_id":5,"device":"ios","page":"/menu","clicked_at":"2026-01-01T00:00:00.000Z"}'
      )
      const refused = yield* Effect.flip(click('{"user_id":1,"item_id":5,"clicked_at":1}'))
      assert.deepStrictEqual(refused.faults, [{ field: "clicked_at", message: "is set by the shop" }])
    })
  )
})

describe("a broken event", () => {
  it.effect("is no JSON", () =>
    Effect.gen(function* () {
      const { key, value } = yield* Events.broken(body('{"user_id":7}'), "id-1")
      assert.strictEqual(key, "7")
      assert.throws(() => JSON.parse(value), SyntaxError)
    })
  )
})
