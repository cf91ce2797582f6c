/** The orders of the benchmark in each format, as the serializers of a schema registry write them. */
import avro from "avsc"
import protobuf from "protobufjs"
import type { Format } from "./Orders.ts"

const fields = {
  order_id: "string",
  user_id: "long",
  item_id: "int",
  item_name: "string",
  price: "double",
  quantity: "int",
  city: "string",
  payment: "string",
  status: "string",
  created_at: "string"
} as const

const avroSchema = JSON.stringify({
  type: "record",
  name: "Order",
  fields: Object.entries(fields).map(([name, type]) => ({ name, type }))
})

const proto = { string: "string", long: "int64", int: "int32", double: "double" } as const
const protoSchema = `syntax = "proto3"; message Order { ${Object.entries(fields)
  .map(([name, type], index) => `${proto[type]} ${name} = ${index + 1};`)
  .join(" ")} }`

/** Schema 1 and schema 2. */
export const schemas = [
  { schemaType: "AVRO", schema: avroSchema },
  { schemaType: "PROTOBUF", schema: protoSchema }
]

const framed = (id: number, body: Uint8Array, index: ReadonlyArray<number> = []): Buffer =>
  Buffer.concat([Buffer.from([0, 0, 0, 0, id, ...index]), body])

/** The encoders of an order that is given as JSON. */
export const encoders = (): Readonly<Record<Format, (json: string) => string | Buffer>> => {
  const type = avro.Type.forSchema(JSON.parse(avroSchema))
  const message = protobuf.parse(protoSchema, { keepCase: true }).root.lookupType("Order")
  return {
    json: (json) => json,
    avro: (json) => framed(1, type.toBuffer(JSON.parse(json))),
    // The first message of the file has the short form of its index.
    protobuf: (json) => framed(2, message.encode(JSON.parse(json)).finish(), [0])
  }
}
