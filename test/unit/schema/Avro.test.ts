/** Avro schemas of every form, and bodies that avsc wrote: what it reads back is what our text says. */
import { assert, describe, it } from "@effect/vitest"
import avsc from "avsc"
import * as AvroReader from "../../../src/schema/avro/AvroReader.ts"
import * as AvroSchema from "../../../src/schema/avro/AvroSchema.ts"

const maxText = 10_000_000

const decoder = (schema: unknown, ...references: ReadonlyArray<unknown>) => {
  const decode = AvroReader.make(
    AvroSchema.parse(JSON.stringify(schema)),
    references.map((reference) => AvroSchema.parse(JSON.stringify(reference)))
  )
  return (body: string | Uint8Array) => decode(typeof body === "string" ? Buffer.from(body, "hex") : body, 0, maxText)
}

describe("a schema", () => {
  it("may be the bare name of a type", () => {
    assert.strictEqual(AvroReader.make(AvroSchema.parse("string"))(Buffer.from("0278", "hex"), 0, maxText), '"x"')
  })

  it("finds its types by full name, by namespace, and by the namespace around them", () => {
    const decode = decoder({
      type: "record",
      name: "a.b.R",
      fields: [
        { name: "e", type: { type: "enum", name: "E", symbols: ["X", "Y"] } },
        { name: "f", type: { type: "fixed", name: "c.F", size: 1 } },
        { name: "g", type: { type: "fixed", name: "G", namespace: "", size: 1 } },
        { name: "e1", type: "E" },
        { name: "e2", type: "a.b.E" },
        { name: "f2", type: "c.F" },
        { name: "g2", type: "G" },
        { name: "r", type: { type: "record", name: "c.S", fields: [{ name: "f", type: "F" }] } }
      ]
    })
    assert.strictEqual(
      decode("02aabb0002ccddee"),
      '{"e":"Y","f":"qg==","g":"uw==","e1":"X","e2":"Y","f2":"zA==","g2":"3Q==","r":{"f":"7g=="}}'
    )
  })

  it("takes the types of its references, which may refer to each other", () => {
    const item = { type: "record", name: "shop.Item", fields: [{ name: "color", type: "shop.Color" }] }
    const color = { type: "enum", name: "shop.Color", symbols: ["RED", "BLUE"] }
    const order = {
      type: "record",
      name: "shop.Order",
      fields: [{ name: "items", type: { type: "array", items: "Item" } }]
    }
    assert.strictEqual(decoder(order, color, item)("02020 0".replace(" ", "")), '{"items":[{"color":"BLUE"}]}')
  })

  it("may nest the type in an object, and carry what is no part of it", () => {
    const decode = decoder({ type: { type: "string", "avro.java.string": "String" } })
    assert.strictEqual(decode("0278"), '"x"')
  })

  it("that names a type which is nowhere is refused, before any body", () => {
    assert.throws(() => decoder({ type: "array", items: "Nowhere" }), /Nowhere/)
    assert.throws(() => decoder({ type: "record", name: "R" }), /fields/)
    assert.throws(() => decoder(5), /neither/)
  })
})

/** Small, and the same numbers at every run. */
const random = (seed: number) => {
  let state = seed
  return (below: number): number => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return Math.floor((state / 2 ** 32) * below)
  }
}
type Random = ReturnType<typeof random>

const leaves = ["null", "boolean", "int", "long", "float", "double", "bytes", "string"] as const

const schemaOf = (next: Random, depth: number, name: () => string): avsc.Schema => {
  switch (next(depth > 0 ? 14 : 8)) {
    case 8:
      return { type: "array", items: schemaOf(next, depth - 1, name) }
    case 9:
      return { type: "map", values: schemaOf(next, depth - 1, name) }
    case 10:
      return { type: "fixed", name: name(), size: next(20) + 1 }
    case 11:
      return { type: "enum", name: name(), symbols: ["A", "B", "C"] }
    case 12:
      return [
        "null",
        { type: "record", name: name(), fields: [{ name: "x", type: schemaOf(next, 0, name) }] },
        "string"
      ]
    case 13: {
      const fields = Array.from({ length: next(6) }, (_, index) => ({
        name: `f${index}`,
        type: schemaOf(next, depth - 1, name)
      }))
      return { type: "record", name: name(), fields }
    }
    default:
      return leaves[next(8)] ?? "null"
  }
}

/** Longs beyond 2^53 are BigInts for avsc, if it is asked. */
const longType = avsc.types.LongType.__with({
  fromBuffer: (bytes: Buffer) => bytes.readBigInt64LE(),
  toBuffer: (value: bigint) => {
    const bytes = Buffer.alloc(8)
    bytes.writeBigInt64LE(value)
    return bytes
  },
  fromJSON: BigInt,
  toJSON: Number,
  isValid: (value: unknown) => typeof value === "bigint",
  compare: (a: bigint, b: bigint) => (a < b ? -1 : a > b ? 1 : 0)
})

/** The text that a value of avsc should be: written again from its data, not from the bytes. */
const textOf = (value: unknown): string => {
  if (typeof value === "bigint") return String(value)
  if (typeof value === "number")
    return Number.isFinite(value)
      ? Object.is(value, -0)
        ? "-0"
        : String(value)
      : Number.isNaN(value)
        ? '"NaN"'
        : value > 0
          ? '"Inf"'
          : '"-Inf"'
  if (value instanceof Uint8Array) return `"${Buffer.from(value).toString("base64")}"`
  if (Array.isArray(value)) return `[${value.map(textOf).join(",")}]`
  if (typeof value === "object" && value !== null) {
    const entries = Object.entries(value).map(([key, inner]) => `${JSON.stringify(key)}:${textOf(inner)}`)
    return `{${entries.join(",")}}`
  }
  return JSON.stringify(value)
}

/** A float's own shortest text is not that of the double that holds it. */
const asFloat32 = (text: string): string =>
  text.replace(/-?\d[\d.e+-]*/g, (number) => String(Math.fround(Number(number))))

describe("generated schemas and values", () => {
  it("make the text of what avsc reads", () => {
    const next = random(20_260_102)
    let named = 0
    let bodies = 0
    for (let round = 0; round < 600; round++) {
      // In a list, because bytes alone have no length.
      const schema: avsc.Schema = { type: "array", items: schemaOf(next, 3, () => `T${named++}`) }
      const options = { registry: { long: longType }, wrapUnions: false }
      const type = avsc.Type.forSchema(schema, options)
      const decode = decoder(schema)
      const hasFloats = JSON.stringify(schema).includes('"float"')
      for (let value = 0; value < 5; value++) {
        const body = type.toBuffer(type.random())
        const expected = textOf(type.fromBuffer(body))
        const text = decode(body)
        if (hasFloats) assert.strictEqual(asFloat32(text), asFloat32(expected))
        else assert.strictEqual(text, expected)
        JSON.parse(text)
        bodies++
      }
    }
    assert.strictEqual(bodies, 3000)
  })
})
