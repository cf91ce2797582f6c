/** Bodies that are broken, or made to do harm, are refused at once and by name. */
import { assert, describe, it } from "@effect/vitest"
import * as AvroReader from "../../../src/schema/avro/AvroReader.ts"
import * as AvroSchema from "../../../src/schema/avro/AvroSchema.ts"
import * as Protobuf from "../../../src/schema/protobuf/Protobuf.ts"

const maxText = 16 * 1024 * 1024
const avro = (schema: unknown, hex: string) =>
  AvroReader.make(AvroSchema.parse(JSON.stringify(schema)))(Buffer.from(hex, "hex"), 0, maxText)
const protobuf = (fields: string, body: Uint8Array) =>
  Protobuf.make(`syntax = "proto3"; message M { ${fields} } message L { L next = 1; }`)(
    Buffer.concat([Buffer.from([0]), body]),
    0,
    maxText
  )
const hex = (text: string) => Buffer.from(text, "hex")
/** `count` messages, each inside the one before it. */
const nested = (count: number): Uint8Array => {
  let body = Buffer.alloc(0)
  for (let level = 0; level < count; level++) {
    const length: Array<number> = []
    for (let left = body.length; ; left >>>= 7) {
      length.push(left > 127 ? (left & 127) | 128 : left)
      if (left <= 127) break
    }
    body = Buffer.concat([Buffer.from([0x0a, ...length]), body])
  }
  return body
}

const list = { type: "record", name: "L", fields: [{ name: "next", type: ["null", "L"] }] }

describe("an Avro body", () => {
  for (const [what, schema, body, message] of [
    ["ends early", "long", "80", /ends before/],
    ["is empty", "int", "", /ends before/],
    ["has a number of more than 64 bits", "long", "ffffffffffffffffff02", /64 bits/],
    ["has a number of eleven bytes", "long", "8080808080808080808001", /64 bits/],
    ["has an int of more than 32 bits", "int", "8080808020", /32 bits/],
    ["has a text that is longer than itself", "string", "feffffffffffffffff01", /ends before/],
    ["has a text of negative length", "string", "01", /ends before/],
    ["has a text that is not UTF-8", "string", "02ff", /UTF-8/],
    ["has a boolean of its own kind", "boolean", "02", /boolean/],
    ["names a branch that is not there", ["null", "int"], "04", /branch/],
    ["names a branch before the first", ["null", "int"], "01", /branch/],
    ["names a symbol that is not there", { type: "enum", name: "E", symbols: ["A"] }, "02", /symbol/],
    ["has bytes left over", "int", "0200", /left over/],
    ["says that an array has more items than bytes", { type: "array", items: "int" }, "feffffffffffffffff01", /items/],
    ["asks for items that take no bytes", { type: "array", items: "null" }, "8080808080808001", /items/],
    ["has a decimal of a thousand digits", decimalOf(), `8a08${"7f".repeat(517)}`, /decimal/],
    ["is nested too deep", list, `${"02".repeat(600)}00`, /deeper/]
  ] as const)
    it(`that ${what} is refused`, () => {
      assert.throws(() => avro(schema, body), message)
    })

  it("may nest 499 levels", () => {
    assert.isString(avro(list, `${"02".repeat(499)}00`))
  })

  it("does not become more text than an event may have", () => {
    const symbol = "S".repeat(1000)
    const schema = { type: "array", items: { type: "enum", name: "E", symbols: [symbol] } }
    // 32768 items of one byte, and the end of the array.
    assert.throws(() => avro(schema, `808004${"00".repeat(32_769)}`), /longer than/)
  })
})

function decimalOf() {
  return {
    type: "record",
    name: "R",
    fields: [{ name: "d", type: { type: "bytes", logicalType: "decimal", precision: 9 } }]
  }
}

describe("a Protobuf body", () => {
  for (const [what, fields, body, message] of [
    ["ends early", "int64 a = 1;", "0880", /ends before/],
    ["has a text that is longer than itself", "string a = 1;", "0aff01", /ends before/],
    ["has a text that is not UTF-8", "string a = 1;", "0a01ff", /UTF-8/],
    ["has a value of another wire type", "int64 a = 1;", "0a00", /field a/],
    ["has an unknown wire type", "int64 a = 2;", "0f", /wire type/],
    ["has the field number 0", "int64 a = 1;", "0001", /field number/],
    ["has a number of more than 64 bits", "int64 a = 1;", "08ffffffffffffffffff02", /64 bits/],
    ["ends a group that did not begin", "int64 a = 1;", "1c", /wire type/],
    ["does not end a group", "int64 a = 1;", "13", /ends before/],
    ["opens groups without end", "int64 a = 1;", "13".repeat(100_000), /deeper/]
  ] as const)
    it(`that ${what} is refused`, () => {
      assert.throws(() => protobuf(fields, hex(body)), message)
    })

  it("nests no deeper than 500 levels", () => {
    assert.isString(protobuf("L l = 1;", nested(499)))
    assert.throws(() => protobuf("L l = 1;", nested(600)), /deeper/)
  })

  it("does not become more text than an event may have", () => {
    const fields = Array.from({ length: 100 }, (_, index) => `int32 a_field_with_a_name_${index} = ${index + 1};`).join(
      ""
    )
    const schema = `syntax = "proto3"; message M { repeated Wide a = 1; } message Wide { ${fields} }`
    const body = Buffer.concat([Buffer.from([0]), Buffer.from("0a00".repeat(20_000), "hex")])
    assert.throws(() => Protobuf.make(schema)(body, 0, maxText), /longer than/)
  })

  it("names a message type that its schema has", () => {
    const decode = Protobuf.make(`syntax = "proto3"; message M { message A { int32 a = 1; } }`)
    assert.strictEqual(decode(hex("0400000801"), 0, maxText), '{"a":1}')
    assert.throws(() => decode(hex("040002"), 0, maxText), /message type/)
    assert.throws(() => decode(hex("feffffff0f"), 0, maxText), /no path/)
  })
})
