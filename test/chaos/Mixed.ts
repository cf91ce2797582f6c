/**
 * The records of a topic that holds everything at once: JSON, Avro and Protobuf of a schema registry, and what is broken
 * in each way; by number, as in the plain load.
 */
import { kindOf, payloadOf as plainPayloadOf } from "./Load.ts"

/** The ids that the registry gives to the schemas below, in their order. */
const [avroId, protobufId, unknownId] = [1, 2, 999_999]

const avro = JSON.stringify({
  ...{ type: "record", name: "Chaos" },
  fields: [
    { name: "seq", type: "long" },
    { name: "order_id", type: "string" },
    { name: "id", type: "long" },
    { name: "note", type: "string" }
  ]
})
const protobuf =
  'syntax = "proto3"; message Chaos { int64 seq = 1; string order_id = 2; int64 id = 3; string note = 4; }'

/** Registers both schemas; the ids follow from the order. */
export const register = async (registry: string, subject: string): Promise<void> => {
  for (const [name, id, body] of [
    ["avro", avroId, { schema: avro }],
    ["protobuf", protobufId, { schema: protobuf, schemaType: "PROTOBUF" }]
  ] as const) {
    const answer = await fetch(`${registry}/subjects/${subject}-${name}/versions`, {
      method: "POST",
      headers: { "content-type": "application/vnd.schemaregistry.v1+json" },
      body: JSON.stringify(body)
    })
    const given: unknown = await answer.json()
    if (!answer.ok || JSON.stringify(given) !== JSON.stringify({ id }))
      throw new Error(`the registry gave ${name} ${JSON.stringify(given)}, and not the id ${id}`)
  }
}

const id = 9_007_199_254_740_993n
const noteOf = (seq: number): string => `n${"é".repeat(seq % 40)}`

const varint = (value: bigint): Buffer => {
  const bytes: Array<number> = []
  for (let rest = value; ; rest >>= 7n) {
    if (rest < 128n) return Buffer.from([...bytes, Number(rest)])
    bytes.push(Number(rest & 127n) | 128)
  }
}
const zigzag = (value: bigint): Buffer => varint(value << 1n)
const sized = (text: string, length: (value: bigint) => Buffer): Buffer => {
  const bytes = Buffer.from(text)
  return Buffer.concat([length(BigInt(bytes.length)), bytes])
}

const avroBody = (seq: number): Buffer =>
  Buffer.concat([zigzag(BigInt(seq)), sized(`order-${seq}`, zigzag), zigzag(id), sized(noteOf(seq), zigzag)])

const protobufBody = (seq: number): Buffer =>
  Buffer.concat([
    ...[Buffer.from([0x00, 0x08]), varint(BigInt(seq)), Buffer.from([0x12]), sized(`order-${seq}`, varint)],
    ...[Buffer.from([0x18]), varint(id), Buffer.from([0x22]), sized(noteOf(seq), varint)]
  ])

const framed = (schema: number, body: Buffer): Buffer => {
  const head = Buffer.alloc(5)
  head.writeInt32BE(schema, 1)
  return Buffer.concat([head, body])
}

const formats = ["json", "avro", "protobuf"] as const
const formatOf = (seq: number): (typeof formats)[number] => formats[seq % 3] ?? "json"

/** What is sent. */
export const payloadOf = (seq: number): Buffer | null => {
  const kind = kindOf(seq)
  if (kind === "tombstone") return null
  const format = formatOf(seq)
  if (format === "json") return Buffer.from(plainPayloadOf(seq) ?? "")
  const body = format === "avro" ? avroBody(seq) : protobufBody(seq)
  if (kind === "event") return framed(format === "avro" ? avroId : protobufId, body)
  // Every other broken one names a schema that nobody has; the rest end in the middle.
  return seq % 2 === 0 ? framed(unknownId, body) : framed(format === "avro" ? avroId : protobufId, body.subarray(0, -3))
}

/** What is to be in the table. */
export const eventOf = (seq: number): string | null =>
  formatOf(seq) === "json" || kindOf(seq) !== "event"
    ? plainPayloadOf(seq)
    : `{"seq":${seq},"order_id":"order-${seq}","id":${id},"note":"${noteOf(seq)}"}`
