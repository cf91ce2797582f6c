/** What becomes of records by the format of their topic, with schemas of every kind at hand. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import type { Format, KeyFormat, ValueFormat } from "../../../src/domain/Format.ts"
import type { KafkaRecord } from "../../../src/domain/KafkaRecord.ts"
import * as Decode from "../../../src/pipeline/Decode.ts"
import * as NamedSchemas from "../../../src/pipeline/NamedSchemas.ts"
import type { SchemaLookup } from "../../../src/pipeline/Payload.ts"
import * as BodyDecoder from "../../../src/schema/BodyDecoder.ts"
import type { SchemaId } from "../../../src/schema/Framing.ts"
import { record, route, textOf } from "../../support/Outcomes.ts"

const schemas: ReadonlyMap<SchemaId, readonly [type: string, schema: string]> = new Map([
  [1, ["AVRO", '{"type":"record","name":"R","fields":[{"name":"id","type":"long"},{"name":"note","type":"string"}]}']],
  [2, ["PROTOBUF", 'syntax = "proto3"; message M { int64 id = 1; message N { string note = 1; } }']],
  [3, ["JSON", '{"type":"object"}']],
  [4, ["AVRO", '"string"']],
  [5, ["AVRO", '"long"']]
])
const known = await Effect.runPromise(
  Effect.forEach([...schemas], ([id, [type, schema]]) => BodyDecoder.make(id, { type, schema, references: [] }))
)
const lookup: SchemaLookup = (id) => {
  const found = known.find((decoder) => decoder.id === id)
  return found === undefined
    ? Result.fail({ message: `the registry has no schema ${id} (40403)` })
    : Result.succeed(found)
}

const framed = (id: number, body: string | Uint8Array) => {
  const frame = Buffer.alloc(5)
  frame.writeUInt32BE(id, 1)
  return Buffer.concat([frame, typeof body === "string" ? Buffer.from(body, "hex") : body])
}
const decode = (format: Partial<Format>, given: Partial<KafkaRecord>) => {
  const orders = route("raw.orders.v1=ORDERS_RAW(ID=id:NUMBER)")
  const options = { tombstones: "insert", format: { value: "auto", key: "auto", ...format } } as const
  return Decode.make(orders, options)(record(given), lookup)
}
const eventOf = (value: ValueFormat, bytes: Uint8Array, headers: KafkaRecord["headers"] = {}) => {
  const outcome = decode({ value }, { value: bytes, headers })
  if (outcome._tag === "BronzeRow") return [textOf(outcome.event), ...outcome.columns]
  return outcome._tag === "DeadLetter" ? `${outcome.cause}: ${outcome.message}` : outcome._tag
}
const keyOf = (key: KeyFormat, bytes: Uint8Array) => {
  const outcome = decode({ key }, { value: Buffer.from("{}"), key: bytes })
  return outcome._tag === "BronzeRow" ? outcome.key : outcome._tag
}

const long = "8480808080808020"
const avro = framed(1, `${long}04c3a9`)
const avroRow = ['{"id":9007199254740994,"note":"é"}', "9007199254740994"]
const protobuf = framed(2, "00088180808080808010")
const protobufRow = ['{"id":9007199254740993}', "9007199254740993"]
const jsonSchema = framed(3, Buffer.from('{"id": 1.0, "big": 12345678901234567890}'))
const jsonSchemaRow = ['{"id": 1.0, "big": 12345678901234567890}', "1"]
const json = Buffer.from('{"id":7}')

describe("a value", () => {
  it("of a topic that is auto is what its schema says, or JSON where it names none", () => {
    assert.deepStrictEqual(eventOf("auto", avro), avroRow)
    assert.deepStrictEqual(eventOf("auto", protobuf), protobufRow)
    assert.deepStrictEqual(eventOf("auto", jsonSchema), jsonSchemaRow)
    assert.deepStrictEqual(eventOf("auto", json), ['{"id":7}', "7"])
    assert.deepStrictEqual(eventOf("auto", framed(4, "0278")), ['"x"', null])
  })

  it("may name its schema in a header", () => {
    const header = { __value_schema_id: framed(1, "") }
    assert.deepStrictEqual(eventOf("auto", avro.subarray(5), header), avroRow)
    assert.deepStrictEqual(eventOf("auto", Buffer.from("0a0178", "hex"), { __value_schema_id: framed(2, "040000") }), [
      '{"note":"x"}',
      null
    ])
  })

  it("of a topic with one format is of that one, or a dead letter", () => {
    assert.deepStrictEqual(eventOf("avro", avro), avroRow)
    assert.deepStrictEqual(eventOf("protobuf", protobuf), protobufRow)
    assert.deepStrictEqual(eventOf("json_schema", jsonSchema), jsonSchemaRow)
    assert.deepStrictEqual(eventOf("json", json), ['{"id":7}', "7"])
    assert.match(String(eventOf("avro", protobuf)), /^not_avro: .* schema 2.*protobuf/)
    assert.match(String(eventOf("protobuf", avro)), /^not_protobuf: .* schema 1.*avro/)
    assert.match(String(eventOf("json_schema", avro)), /^not_json: .* schema 1/)
    assert.match(String(eventOf("avro", json)), /^not_avro: .*names no schema/)
    assert.match(String(eventOf("json", avro)), /^not_(json|utf8): .*SCHEMA_REGISTRY_URL/)
  })

  it("that does not fit its schema is a dead letter with its bytes", () => {
    const broken = framed(1, long)
    assert.match(String(eventOf("auto", broken)), /^not_avro: the payload does not fit schema 1: it ends/)
    assert.match(String(eventOf("auto", framed(2, "000a"))), /^not_protobuf: .*schema 2/)
    assert.match(String(eventOf("auto", framed(3, "7b"))), /^not_json: /)
    const outcome = decode({}, { value: broken })
    assert.strictEqual(outcome._tag === "DeadLetter" && outcome.payload, broken.toString("base64"))
  })

  it("of a schema that the registry does not have is a dead letter with the id", () => {
    assert.match(String(eventOf("auto", framed(99, "00"))), /^unknown_schema: .*schema 99/)
  })

  it("is a tombstone without bytes, whatever the format", () => {
    for (const format of ["auto", "avro", "json"] as const)
      assert.deepStrictEqual(eventOf(format, Buffer.alloc(0)), [null, null])
  })
})

describe("a key", () => {
  const text = framed(4, "04c3a9")
  const number = Buffer.from("0000000000000007", "hex")

  it("that is auto is what its schema says, or text", () => {
    assert.strictEqual(keyOf("auto", text), "é")
    assert.strictEqual(keyOf("auto", framed(5, long)), "9007199254740994")
    assert.strictEqual(keyOf("auto", avro), avroRow[0])
    assert.strictEqual(keyOf("auto", Buffer.from("order-1")), "order-1")
    assert.strictEqual(keyOf("auto", framed(99, "ff")), "base64:AAAAAGP/")
  })

  it("of a registry is kept as bytes where it fits no schema", () => {
    assert.strictEqual(keyOf("registry", text), "é")
    assert.strictEqual(keyOf("registry", Buffer.from("order-1")), "base64:b3JkZXItMQ==")
    assert.strictEqual(keyOf("registry", framed(4, "08")), `base64:${framed(4, "08").toString("base64")}`)
  })

  it("is text, bytes or a number, as its format says", () => {
    assert.strictEqual(keyOf("text", Buffer.from("order-1")), "order-1")
    assert.strictEqual(keyOf("bytes", Buffer.from("a")), "base64:YQ==")
    assert.strictEqual(keyOf("number", number), "7")
    assert.strictEqual(keyOf("number", Buffer.from("ffffffff", "hex")), "-1")
    assert.strictEqual(keyOf("number", Buffer.from("ffffff", "hex")), "base64:////")
  })
})

describe("the schemas of a fetch", () => {
  const records = [record({ value: avro, key: framed(4, "00") }), record({ value: json }), record({ value: null })]

  it("are those that its records name, where the format needs them", () => {
    const idsIn = (value: ValueFormat, key: KeyFormat) => [...NamedSchemas.idsIn(records, { value, key })]
    assert.deepStrictEqual(idsIn("auto", "auto"), [1, 4])
    assert.deepStrictEqual(idsIn("avro", "text"), [1])
    assert.deepStrictEqual(idsIn("json", "registry"), [4])
    assert.deepStrictEqual(idsIn("json", "text"), [])
  })
})
