/**
 * Values of a schema registry's serializers, by chance, whole and broken: written byte by byte here, so that no line is
 * shared with the service; and the registry that has their schemas.
 */
import { once } from "node:events"
import { createServer } from "node:http"
import type { Random } from "../chaos/Random.ts"

export interface Framed {
  readonly value: Buffer
  /** The JSON that it should become; undefined where it cannot be read. */
  readonly event: string | undefined
}

const avroSchema = JSON.stringify({
  type: "record",
  name: "Order",
  fields: [
    { name: "order_id", type: "string" },
    { name: "user_id", type: "long" },
    { name: "tags", type: { type: "array", items: "string" } },
    { name: "next", type: ["null", "long"] }
  ]
})
const protobufSchema = `syntax = "proto3"; message Order {
  string order_id = 1; int64 user_id = 2; repeated string tags = 3; optional int64 next = 4;
}`

/** Beyond what other random bytes would name. */
const ids = { avro: 70_001, protobuf: 70_002, unknown: 70_003 } as const

/** As a registry answers. */
export const schemas: ReadonlyMap<number, { readonly schema: string; readonly schemaType: string }> = new Map([
  [ids.avro, { schema: avroSchema, schemaType: "AVRO" }],
  [ids.protobuf, { schema: protobufSchema, schemaType: "PROTOBUF" }]
])

const frame = (id: number): Buffer => {
  const bytes = Buffer.alloc(5)
  bytes.writeUInt32BE(id, 1)
  return bytes
}

const varint = (value: bigint): Buffer => {
  const bytes: Array<number> = []
  let left = BigInt.asUintN(64, value)
  for (; left > 127n; left >>= 7n) bytes.push(Number(left & 127n) | 128)
  return Buffer.from([...bytes, Number(left)])
}
const zigzag = (value: bigint): Buffer => varint((value << 1n) ^ (value >> 63n))

type Length = (value: bigint) => Buffer
const text = (value: string, length: Length): Buffer => {
  const bytes = Buffer.from(value)
  return Buffer.concat([length(BigInt(bytes.length)), bytes])
}

interface Order {
  readonly orderId: string
  readonly userId: bigint
  readonly tags: ReadonlyArray<string>
  readonly next: bigint | undefined
}

const avro = ({ next, orderId, tags, userId }: Order): Buffer =>
  Buffer.concat([
    ...[frame(ids.avro), text(orderId, zigzag), zigzag(userId)],
    ...(tags.length === 0 ? [] : [zigzag(BigInt(tags.length)), ...tags.map((tag) => text(tag, zigzag))]),
    ...[zigzag(0n), next === undefined ? zigzag(0n) : Buffer.concat([zigzag(1n), zigzag(next)])]
  ])

const tag = (number: number, wire: number): Buffer => Buffer.from([number * 8 + wire])
/** In any order of fields, which readers have to take. */
const protobuf = (random: Random, { next, orderId, tags, userId }: Order): Buffer =>
  Buffer.concat([
    ...[frame(ids.protobuf), Buffer.from([0])],
    ...random.shuffle([
      Buffer.concat([tag(1, 2), text(orderId, varint)]),
      userId === 0n ? Buffer.alloc(0) : Buffer.concat([tag(2, 0), varint(userId)]),
      Buffer.concat(tags.flatMap((one) => [tag(3, 2), text(one, varint)])),
      next === undefined ? Buffer.alloc(0) : Buffer.concat([tag(4, 0), varint(next)])
    ])
  ])

const texts = ["", "o-1", "käse", "日本 😀", '"\\\n\u0000\u2028', "x".repeat(3000)] as const
const longs = [0n, 1n, -1n, 9_007_199_254_740_993n, -9_007_199_254_740_993n, 2n ** 63n - 1n, -(2n ** 63n), 127n, 128n]

const json = ({ next, orderId, tags, userId }: Order, absent: string): string => {
  const last = next === undefined ? absent : `,"next":${next}`
  return `{"order_id":${JSON.stringify(orderId)},"user_id":${userId},"tags":${JSON.stringify(tags)}${last}}`
}

export const value = (random: Random): Framed => {
  const order: Order = {
    orderId: random.pick(texts),
    userId: random.pick(longs),
    tags: Array.from({ length: random.below(4) }, () => random.pick(texts)),
    next: random.below(2) === 0 ? undefined : random.pick(longs)
  }
  const roll = random.below(10)
  if (roll < 4) return { value: avro(order), event: json(order, ',"next":null') }
  if (roll < 8) return { value: protobuf(random, order), event: json(order, "") }
  if (roll === 8) return { value: Buffer.concat([frame(ids.unknown), avro(order)]), event: undefined }
  // Avro that is cut, Protobuf with a field that no message has.
  return random.below(2) === 0
    ? { value: avro(order).subarray(0, -1), event: undefined }
    : { value: Buffer.concat([protobuf(random, order), Buffer.from([7])]), event: undefined }
}

/** A registry of these schemas. */
export const serve = async () => {
  const server = createServer((request, response) => {
    const schema = schemas.get(Number(request.url?.split("/").at(-1)))
    if (schema !== undefined) return response.end(JSON.stringify(schema))
    return response.writeHead(404).end(JSON.stringify({ error_code: 40403, message: "Schema not found" }))
  })
  server.listen(0, "127.0.0.1")
  await once(server, "listening")
  const address = server.address()
  const port = typeof address === "object" && address !== null ? address.port : 0
  return {
    url: `http://127.0.0.1:${port}`,
    close: () => {
      server.closeAllConnections()
      server.close()
    }
  }
}
