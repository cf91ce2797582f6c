import { assert, describe, it } from "@effect/vitest"
import { bytesOf, textOf } from "../../../src/domain/Bytes.ts"
import * as Decode from "../../../src/pipeline/Decode.ts"
import * as Payload from "../../../src/pipeline/Payload.ts"
import { textOf as payloadOf, record, route } from "../../support/Outcomes.ts"

const orders = route("raw.orders.v1=ORDERS_RAW(ORDER_ID=order_id,USER_ID=user_id:NUMBER)")
const decode = Decode.make(orders, { tombstones: "insert" })

describe("Decode", () => {
  it("keeps the payload text as it was sent: long integers, trailing zeros, key order, white space (P8)", () => {
    const value = '{ "z": 1.10, "id": 9007199254740993,\n "a": "\\u00e9", "price": 12.990000000000000001 }'
    const outcome = decode(record({ value }))
    assert.strictEqual(outcome._tag, "BronzeRow")
    if (outcome._tag === "BronzeRow") assert.strictEqual(payloadOf(outcome.event), value)
  })

  it.each([
    [64 * 1024, "is a view of it"],
    [1024 * 1024, "is a copy"]
  ])("of a record in memory of %i bytes the event %s", (size, what) => {
    const memory = Buffer.alloc(size)
    memory.write('{"a":1}')
    const outcome = decode(record({ value: memory.subarray(0, 7) }))
    assert.strictEqual(outcome._tag, "BronzeRow")
    if (outcome._tag !== "BronzeRow") return
    assert.strictEqual(payloadOf(outcome.event), '{"a":1}')
    assert.strictEqual(outcome.event?.buffer === memory.buffer, what === "is a view of it")
  })

  it.each([
    ["hello", "not_json", "the payload is not JSON"],
    [" ", "not_json", "Unexpected end of JSON input"],
    ['\ufeff{"a":1}', "not_json", "byte order mark"],
    ['{"a":1}\n{"a":2}', "not_json", "after JSON at position 8"],
    ['{"a":1e400,"a":"\\ud83d"}', "refused", "half of a surrogate pair at position 16"],
    ['{"a":"\\ude00\\ud83d"}', "refused", "surrogate pair at position 6"],
    ['{"a":"\\ud83dx\\ude00"}', "refused", "surrogate pair at position 6"],
    ['{"\\uD800":1}', "refused", "surrogate pair at position 2"],
    [`${"[".repeat(10_241)}${"]".repeat(10_241)}`, "refused", "deeper than 10240 levels"],
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
    for (const value of [
      "s3cret",
      "[s3cret]",
      '{"a": s3cret}',
      '"s3cret',
      '{"s3cret" 1}',
      "{'s3cret': 1}",
      "s3cret in JSON at position 3"
    ]) {
      const outcome = decode(record({ value }))
      assert.strictEqual(outcome._tag, "DeadLetter")
      if (outcome._tag === "DeadLetter") assert.notMatch(outcome.message, /s3|cret/)
    }
  })

  it.each([
    ["a surrogate pair", '{"a":"\\ud83d\\ude00"}'],
    ["a backslash before a u", '{"a":"\\\\ud800"}'],
    ["a name twice", '{"a":1,"a":2,"id":9007199254740993}'],
    ["a NUL", '{"a":"x\\u0000y"}'],
    ["a number beyond a float", '{"a":1e400}'],
    ["10,000 levels", `{"id":9007199254740993,"a":${"[".repeat(10_000)}${"]".repeat(10_000)}}`],
    ["brackets in a string", JSON.stringify("[".repeat(50_000))],
    ["many lists side by side", `[${"[],".repeat(20_000)}[]]`]
  ])("takes an event with %s as it is", (_, value) => {
    const outcome = Decode.make(route("t=T(ID=id:NUMBER)"), { tombstones: "insert" })(record({ value }))
    assert.strictEqual(outcome._tag, "BronzeRow")
    if (outcome._tag !== "BronzeRow") return
    assert.strictEqual(payloadOf(outcome.event), value)
    assert.deepStrictEqual(outcome.columns, [value.includes("9007199254740993") ? "9007199254740993" : null])
  })

  it("takes an empty value for a tombstone", () => {
    const inserted = decode(record({ value: "", key: Buffer.from("k") }))
    assert.deepInclude(inserted, { _tag: "BronzeRow", event: null, key: "k", columns: [null, null] })
    const skipped = Decode.make(orders, { tombstones: "skip" })(record({ value: "" }))
    assert.deepInclude(skipped, { _tag: "Skip", reason: "tombstone" })
  })

  it("keeps headers with null values, lists with nulls and the names of Object.prototype", () => {
    const list = [Buffer.from("1"), null]
    const headers = { none: null, list, toString: Buffer.from("a"), constructor: Buffer.from("b") }
    Object.defineProperty(headers, "__proto__", { value: Buffer.from("c"), enumerable: true })
    const outcome = decode(record({ value: "{}", headers }))
    if (outcome._tag !== "BronzeRow") return assert.fail(outcome._tag)
    assert.strictEqual(
      outcome.headers,
      '{"none":null,"list":["1",null],"toString":"a","constructor":"b","__proto__":"c"}'
    )
  })

  it("makes whatever throws while it is decoded a dead letter with its coordinates", () => {
    const broken: Array<null> = []
    Object.defineProperty(broken, 0, {
      get: () => {
        throw new TypeError("s3cret")
      },
      enumerable: true
    })
    const outcome = decode(record({ value: "{}", offset: 7, partition: 2, key: Buffer.from("k"), headers: { broken } }))
    assert.deepInclude(outcome, {
      _tag: "DeadLetter",
      cause: "undecodable",
      message: "the record could not be decoded (TypeError)",
      partition: 2,
      offset: 7,
      key: "k",
      headers: null,
      payload: Buffer.from("{}").toString("base64")
    })
  })

  it("cuts what is too large before it makes base64 of it", () => {
    const keep = Decode.make(orders, { tombstones: "insert", maxKept: 3000 })
    const outcome = keep(record({ value: "x".repeat(Payload.maxEventBytes + 1) }))
    if (outcome._tag !== "DeadLetter") return assert.fail(outcome._tag)
    assert.deepInclude(outcome, {
      cause: "too_large",
      truncated: true,
      payload: Buffer.alloc(3000, "x").toString("base64")
    })
    assert.match(outcome.message, /of its 16711681 bytes only the first are kept$/)
  })

  it("writes a text key that could be taken for bytes as bytes", () => {
    const outcome = decode(record({ value: "{}", key: Buffer.from("base64:AAA=") }))
    assert.strictEqual(outcome._tag === "BronzeRow" && outcome.key, "base64:YmFzZTY0OkFBQT0=")
    for (const key of ["base64:AAA=", "käse", "", "\u0000"])
      assert.deepStrictEqual(bytesOf(textOf(Buffer.from(key))), Buffer.from(key))
    assert.deepStrictEqual(bytesOf(textOf(Buffer.from([0xff]))), Buffer.from([0xff]))
  })

  it("makes an event that no VARIANT takes a dead letter before it is sent", () => {
    const outcome = decode(record({ value: `"${"x".repeat(Payload.maxEventBytes)}"` }))
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
