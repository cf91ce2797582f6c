/** Protobuf schemas of every form: text and descriptors, imports, nested types and the two ways to count them. */
import { assert, describe, it } from "@effect/vitest"
import protobuf from "protobufjs"
import descriptor from "protobufjs/google/protobuf/descriptor.json" with { type: "json" }
import * as Protobuf from "../../../src/schema/protobuf/Protobuf.ts"

const maxText = 1_000_000
const hex = (text: string) => Buffer.from(text.replaceAll(" ", ""), "hex")
const decode = (schema: string, body: string, ...references: ReadonlyArray<string>) =>
  Protobuf.make(schema, references)(hex(body), 0, maxText)

/** A descriptor as protoc makes it. */
const compiled = (file: Record<string, unknown>): string => {
  const type = protobuf.Root.fromJSON(descriptor).lookupType("google.protobuf.FileDescriptorProto")
  return Buffer.from(type.encode(type.fromObject(file)).finish()).toString("base64")
}

describe("a schema in text", () => {
  it("finds types in the scopes around a message, innermost first", () => {
    const schema = `syntax = "proto3"; package a.b;
      message M { Kind kind = 1; message Kind { int32 own = 1; } b.Other other = 2; .a.b.Kind top = 3; }
      enum Kind { NONE = 0; }
      message Other { Kind kind = 1; }`
    assert.strictEqual(
      decode(schema, "00 0a020807 12020800 1800"),
      '{"kind":{"own":7},"other":{"kind":"NONE"},"top":"NONE"}'
    )
  })

  it("takes the types of its references", () => {
    const schema = `syntax = "proto3"; package shop; import "item.proto"; message Order { repeated Item items = 1; }`
    const item = `syntax = "proto3"; package shop; import "color.proto"; message Item { Color color = 1; }`
    const color = `syntax = "proto3"; package shop; enum Color { RED = 0; BLUE = 1; }`
    assert.strictEqual(decode(schema, "00 0a020801", item, color), '{"items":[{"color":"BLUE"}]}')
  })

  it("of proto2 leaves out what was not sent, and reads groups", () => {
    const schema = `syntax = "proto2"; message M {
      required int32 a = 1; optional string b = 2 [default = "x"];
      repeated group G = 3 { optional int32 c = 4; }
    }`
    assert.strictEqual(decode(schema, "00 0801 1b 2005 1c 1b 1c"), '{"a":1,"g":[{"c":5},{}]}')
    assert.strictEqual(decode(schema, "00"), '{"g":[]}')
  })

  it("gives an enum's number its first name", () => {
    const schema = `syntax = "proto3"; message M { E e = 1; repeated E l = 2; }
      enum E { option allow_alias = true; ZERO = 0; NONE = 0; NEGATIVE = -1; }`
    assert.strictEqual(decode(schema, "00 08ffffffffffffffffff01 12020005"), '{"e":"NEGATIVE","l":["ZERO",5]}')
  })

  it("may hold messages that hold themselves", () => {
    const schema = `syntax = "proto3"; message Node { int32 id = 1; Node next = 2; }`
    assert.strictEqual(decode(schema, "00 0801 1202 0802"), '{"id":1,"next":{"id":2}}')
  })

  it("that names a type which is nowhere is refused, before any body", () => {
    assert.throws(() => Protobuf.make(`syntax = "proto3"; message M { Nowhere a = 1; }`), /Nowhere/)
    assert.throws(() => Protobuf.make("message {"), /no .proto file/)
    assert.throws(() => Protobuf.make("AAAA"), /descriptor|field number/)
  })
})

describe("a message type that is nested", () => {
  const schema = (order: string) => `syntax = "proto3"; message Outer { ${order} }`
  const first = "message First { int32 a = 1; }"
  const second = "message Second { int32 b = 2; }"
  const map = "map<string, int32> m = 9;"

  it("is found by its place", () => {
    assert.strictEqual(decode(schema(first + second), "04 00 00 0805"), '{"a":5}')
    assert.strictEqual(decode(schema(first + second), "04 00 02 1005"), '{"b":5}')
  })

  it("is found by Python's place after a map, which counts the map's entries", () => {
    assert.strictEqual(decode(schema(map + first), "04 00 02 0805"), '{"a":5}')
    assert.strictEqual(decode(schema(first + map + second), "04 00 04 1005"), '{"b":5}')
  })

  it("is found by Java's place after a map, which does not count them", () => {
    assert.strictEqual(decode(schema(map + first), "04 00 00 0805"), '{"a":5}')
  })

  it("is the one that the body fits, where both ways lead to one", () => {
    // Place 1 is First for Python and Second for Java.
    assert.strictEqual(decode(schema(map + first + second), "04 00 02 0805"), '{"a":5}')
    assert.strictEqual(decode(schema(map + first + second), "04 00 02 1005"), '{"b":5}')
  })

  it("is found beside words that only look like messages", () => {
    const text = `syntax = 'proto3'; // message Not {
      message Outer { option (x) = { message: "message A {" }; map<string, int32> map = 9; oneof message { int32 c = 8; }
        message First { int32 a = 1; } }`
    assert.strictEqual(decode(text, "04 00 02 0805"), '{"a":5}')
  })

  it("may be named in a header, so that the body begins at once", () => {
    const text = schema(first + second)
    assert.strictEqual(Protobuf.make(text)(hex("1005"), 0, maxText, hex("04 00 02")), '{"b":5}')
  })
})

describe("a schema as a descriptor", () => {
  const item = compiled({
    name: "item.proto",
    package: "shop",
    syntax: "proto3",
    enumType: [
      {
        name: "Color",
        value: [
          { name: "RED", number: 0 },
          { name: "BLUE", number: 1 }
        ]
      }
    ],
    messageType: [{ name: "Item", field: [{ name: "color", number: 1, label: 1, type: 14, typeName: ".shop.Color" }] }]
  })
  const order = compiled({
    name: "order.proto",
    package: "shop",
    dependency: ["item.proto", "google/protobuf/timestamp.proto"],
    syntax: "proto3",
    messageType: [
      {
        name: "Order",
        field: [
          { name: "id", number: 1, label: 1, type: 3 },
          { name: "counts", number: 2, label: 3, type: 11, typeName: ".shop.Order.CountsEntry" },
          { name: "items", number: 3, label: 3, type: 11, typeName: ".shop.Item" },
          { name: "at", number: 4, label: 1, type: 11, typeName: ".google.protobuf.Timestamp" },
          { name: "note", number: 5, label: 1, type: 9, oneofIndex: 0, proto3Optional: true }
        ],
        oneofDecl: [{ name: "_note" }],
        nestedType: [
          {
            name: "CountsEntry",
            options: { mapEntry: true },
            field: [
              { name: "key", number: 1, label: 1, type: 9 },
              { name: "value", number: 2, label: 1, type: 18 }
            ]
          },
          { name: "Line", field: [{ name: "n", number: 1, label: 1, type: 17 }] }
        ]
      }
    ]
  })

  it("reads as the text does", () => {
    assert.strictEqual(
      decode(order, "00 0801 12050a01781003 1a020801 22020801", item),
      '{"id":1,"counts":{"x":-2},"items":[{"color":"BLUE"}],"at":"1970-01-01T00:00:01.000Z"}'
    )
  })

  it("counts the entries of its maps", () => {
    assert.strictEqual(decode(order, "04 00 02 0801", item), '{"n":-1}')
  })

  it("may be imported by one in text, and import one", () => {
    const text = `syntax = "proto3"; package shop; message Basket { Order order = 1; Color color = 2; }`
    assert.strictEqual(
      decode(text, "00 0a020805 1001", order, item),
      '{"order":{"id":5,"counts":{},"items":[]},"color":"BLUE"}'
    )
  })
})
