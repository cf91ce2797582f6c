import { assert, describe, it } from "@effect/vitest"
import * as Decode from "../src/Decode.ts"
import { record, route } from "./support/Outcomes.ts"

const orders = route("raw.orders.v1=ORDERS_RAW(ORDER_ID=order_id,USER_ID=user_id:NUMBER)")
const decode = Decode.make(orders, { tombstones: "insert" })

describe("Decode", () => {
  it("keeps the payload text as it was sent: long integers, trailing zeros, key order, white space (P8)", () => {
    const value = '{ "z": 1.10, "id": 9007199254740993,\n "a": "\\u00e9", "price": 12.990000000000000001 }'
    const outcome = decode(record({ value }))
    assert.strictEqual(outcome._tag, "BronzeRow")
    if (outcome._tag === "BronzeRow") assert.strictEqual(outcome.event, value)
  })

  it.each([
    ["hello", "not_json", "the payload is not JSON"],
    ["", "not_json", "Unexpected end of JSON input"],
    ['{"a":1', "not_json", "position 6"],
    ['{"password":"s3cret",}', "not_json", "position 21"],
    [Buffer.from([0x7b, 0xff, 0x7d]), "not_utf8", "not UTF-8"],
    [Buffer.from([0, 0, 0, 0, 7, 0x7b, 0x7d]), "not_json", "schema registry"]
  ] as const)("makes %j a dead letter: %s", (value, cause, reason) => {
    const outcome = decode(record({ value, offset: 7, partition: 2 }))
    assert.strictEqual(outcome._tag, "DeadLetter")
    if (outcome._tag !== "DeadLetter") return
    assert.strictEqual(outcome.cause, cause)
    assert.include(outcome.message, reason)
    assert.notInclude(outcome.message, "s3cret")
    assert.deepStrictEqual([outcome.partition, outcome.offset], [2, 7])
    assert.deepStrictEqual(Buffer.from(outcome.payload ?? "", "base64"), Buffer.from(value))
  })

  it("never puts a piece of the payload into the message", () => {
    for (const value of ["s3cret", "[s3cret]", '{"a": s3cret}', '"s3cret', '{"s3cret" 1}', "{'s3cret': 1}"]) {
      const outcome = decode(record({ value }))
      assert.strictEqual(outcome._tag, "DeadLetter")
      if (outcome._tag === "DeadLetter") assert.notMatch(outcome.message, /s3|cret/)
    }
  })

  it("makes an event that no VARIANT takes a dead letter before it is sent", () => {
    const outcome = decode(record({ value: `"${"x".repeat(Decode.maxEventBytes)}"` }))
    assert.strictEqual(outcome._tag === "DeadLetter" && outcome.cause, "too_large")
  })

  it("inserts or skips tombstones, as set", () => {
    const inserted = decode(record({ value: null }))
    assert.strictEqual(inserted._tag === "BronzeRow" && inserted.event, null)
    const skipped = Decode.make(orders, { tombstones: "skip" })(record({ value: null }))
    assert.strictEqual(skipped._tag === "Skip" && skipped.reason, "tombstone")
  })

  it("keeps keys and headers, bytes that are no text included", () => {
    const outcome = decode(
      record({
        value: "{}",
        key: Buffer.from("käse"),
        headers: { trace: Buffer.from("abc"), twice: [Buffer.from("1"), "2"], raw: Buffer.from([0xff, 0x00]) }
      })
    )
    if (outcome._tag !== "BronzeRow") return assert.fail(outcome._tag)
    assert.strictEqual(outcome.key, "käse")
    assert.deepStrictEqual(JSON.parse(outcome.headers ?? ""), { trace: "abc", twice: ["1", "2"], raw: "base64:/wA=" })
    const binary = decode(record({ value: "{}", key: Buffer.from([0xff]) }))
    assert.strictEqual(binary._tag === "BronzeRow" && binary.key, "base64:/w==")
  })

  it("counts an outcome at least as large as its bytes", () => {
    assert.isAtLeast(decode(record({ value: `"${"x".repeat(5000)}"` })).bytes, 5000)
    assert.isAtLeast(decode(record({ value: "x".repeat(3000) })).bytes, 4000, "base64 is a third longer")
  })
})
