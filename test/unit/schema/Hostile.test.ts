/** Bodies that were changed at random are read, or refused by name; never anything else, and never for long. */
import { assert, describe, it } from "@effect/vitest"
import * as AvroReader from "../../../src/schema/avro/AvroReader.ts"
import * as AvroSchema from "../../../src/schema/avro/AvroSchema.ts"
import { Malformed, TooLong } from "../../../src/schema/Malformed.ts"
import * as Protobuf from "../../../src/schema/protobuf/Protobuf.ts"

const maxText = 1_000_000

const avroSchema = JSON.stringify({
  type: "record",
  name: "R",
  fields: [
    { name: "id", type: "long" },
    { name: "texts", type: { type: "array", items: "string" } },
    { name: "numbers", type: { type: "map", values: ["null", "double", "R"] } },
    { name: "amount", type: { type: "bytes", logicalType: "decimal", precision: 9, scale: 2 } },
    { name: "empties", type: { type: "array", items: "null" } },
    { name: "next", type: ["null", "R"] }
  ]
})
const avroBody = "0204027802790002026b02000000000000f03f0004ffff040000"
const protobufSchema = `syntax = "proto3"; message M { int64 id = 1; repeated string texts = 2; map<string, M> more = 3;
  M next = 4; repeated double numbers = 5; oneof o { bytes b = 6; bool c = 7; } }`
const protobufBody = "0008051201781a0a0a016b1205080112017922060806320201022a08000000000000f03f3801"

/** The same bodies at every run. */
const changes = (hex: string, count: number): ReadonlyArray<Buffer> => {
  let state = 20_260_102
  const next = (below: number): number => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return Math.floor((state / 2 ** 32) * below)
  }
  return Array.from({ length: count }, () => {
    const body = Buffer.from(hex, "hex")
    for (let change = next(4); change >= 0; change--) body[next(body.length)] = next(3) === 0 ? 0xff : next(256)
    const from = next(8) === 0 ? next(body.length) : 0
    const tail = Buffer.from(Array.from({ length: next(4) === 0 ? next(16) : 0 }, () => next(256)))
    return Buffer.concat([body.subarray(from), tail])
  })
}

const outcomes = (decode: (body: Buffer) => string, bodies: ReadonlyArray<Buffer>) => {
  const counts = { read: 0, refused: 0 }
  for (const body of bodies) {
    try {
      // What is read is JSON, and nothing else.
      JSON.parse(decode(body))
      counts.read++
    } catch (error) {
      if (!(error instanceof Malformed || error instanceof TooLong)) throw error
      counts.refused++
    }
  }
  return counts
}

describe("20,000 bodies that were changed at random", () => {
  it("of Avro", () => {
    const decode = AvroReader.make(AvroSchema.parse(avroSchema))
    assert.isString(decode(Buffer.from(avroBody, "hex"), 0, maxText))
    const { read, refused } = outcomes((body) => decode(body, 0, maxText), changes(avroBody, 20_000))
    assert.isAbove(read, 100)
    assert.isAbove(refused, 1000)
  })

  it("of Protobuf", () => {
    const decode = Protobuf.make(protobufSchema)
    assert.isString(decode(Buffer.from(protobufBody, "hex"), 0, maxText))
    const { read, refused } = outcomes((body) => decode(body, 0, maxText), changes(protobufBody, 20_000))
    assert.isAbove(read, 100)
    assert.isAbove(refused, 1000)
  })
})
