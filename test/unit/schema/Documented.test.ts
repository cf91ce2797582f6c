/** docs/reference/schemas.md is true, line by line. */
import { assert, describe, it } from "@effect/vitest"
import * as AvroReader from "../../../src/schema/avro/AvroReader.ts"
import * as AvroSchema from "../../../src/schema/avro/AvroSchema.ts"
import * as Protobuf from "../../../src/schema/protobuf/Protobuf.ts"
import { avro, protobuf } from "../../support/documentedSchemas.ts"

const maxText = 1_000_000

describe("what the reference says of Avro", () => {
  for (const { body, expected, schema } of avro)
    it(`${schema} makes ${expected}`, () => {
      assert.strictEqual(AvroReader.make(AvroSchema.parse(schema))(body, 0, maxText), expected)
    })

  it("is a list of some length", () => assert.isAbove(avro.length, 40))
})

describe("what the reference says of Protobuf", () => {
  for (const { body, expected, schema } of protobuf)
    it(`${/message M \{ (.*) \}/.exec(schema)?.[1]} makes ${expected}`, () => {
      assert.strictEqual(Protobuf.make(schema)(Buffer.concat([Buffer.from([0]), body]), 0, maxText), expected)
    })

  it("is a list of some length", () => assert.isAbove(protobuf.length, 30))
})
