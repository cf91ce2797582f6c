/** The typed columns of change events: out of the row that the event holds, whatever the event looks like around it. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import { parseRoutes } from "../../../src/domain/RouteText.ts"
import * as Decode from "../../../src/pipeline/Decode.ts"
import * as BodyDecoder from "../../../src/schema/BodyDecoder.ts"
import * as Recorded from "../../support/cdc/Recorded.ts"
import { record } from "../../support/Outcomes.ts"

const [route] = parseRoutes("cdc=T(ID=id:NUMBER,NAME=customer.name,PRICE=price) unwrap=debezium").routes
assert.isDefined(route)

const decode = (value: unknown, tombstones: "insert" | "skip" = "insert") => {
  const text = typeof value === "string" ? value : JSON.stringify(value)
  return Decode.make(route, { tombstones })(record({ topic: "cdc", value: value === null ? null : Buffer.from(text) }))
}
const columns = (value: unknown) => {
  const outcome = decode(value)
  assert(outcome._tag === "BronzeRow", outcome._tag)
  return outcome.columns
}
const old = { id: 1, customer: { name: "old" }, price: "1.0" }
const row = { id: 1, customer: { name: "new" }, price: "2.0" }
const source = { connector: "postgresql", lsn: 24023128 }
const nothing = [null, null, null]

describe("a change event", () => {
  for (const [what, event, expected] of [
    ["an insert", { before: null, after: row, source, op: "c", ts_ms: 1 }, ["1", "new", "2.0", "c"]],
    ["a snapshot's read", { before: null, after: row, source, op: "r" }, ["1", "new", "2.0", "r"]],
    ["an update", { before: old, after: row, source, op: "u" }, ["1", "new", "2.0", "u"]],
    ["a delete", { before: old, after: null, source, op: "d" }, ["1", "old", "1.0", "d"]],
    ["a delete without after", { before: old, op: "d" }, ["1", "old", "1.0", "d"]],
    ["a delete with its key alone", { before: { id: 1 }, after: null, op: "d" }, ["1", null, null, "d"]],
    ["a delete without before", { before: null, after: null, op: "d" }, [...nothing, "d"]],
    ["a truncate", { source, op: "t", ts_ms: 1 }, [...nothing, "t"]],
    ["a message", { source, op: "m", message: { prefix: "p", content: "" } }, [...nothing, "m"]],
    [
      "an event beside its schema",
      { schema: {}, payload: { before: old, after: row, op: "u" } },
      ["1", "new", "2.0", "u"]
    ],
    [
      "a delete beside its schema",
      { schema: {}, payload: { before: old, after: null, op: "d" } },
      ["1", "old", "1.0", "d"]
    ],
    [
      "a row that is called payload",
      { op: "c", after: { id: 5 }, payload: { op: "d", before: old } },
      ["5", null, null, "c"]
    ],
    ["a document as text", { after: JSON.stringify(row), op: "c" }, ["1", "new", "2.0", "c"]],
    ["a text that is no document", { after: "{", op: "c" }, [...nothing, "c"]],
    ["an event without an envelope", row, [...nothing, null]],
    ["a list", [1], [...nothing, null]],
    ["a number", 1, [...nothing, null]],
    ["an op that is no text", { op: 1, after: row }, [...nothing, null]],
    ["a row that is a number", { op: "c", after: 1 }, [...nothing, "c"]]
  ] as const)
    it(`${what}: ${JSON.stringify(expected)}`, () => assert.deepStrictEqual(columns(event), expected))

  it("keeps numbers digit for digit", () => {
    const big = '{"before":{"id":1},"after":{"id":9007199254740993,"price":1.10},"op":"u"}'
    assert.deepStrictEqual(columns(big), ["9007199254740993", null, "1.10", "u"])
    assert.deepStrictEqual(columns(`{"schema":{},"payload":${big}}`), ["9007199254740993", null, "1.10", "u"])
    assert.deepStrictEqual(columns(JSON.stringify({ op: "c", after: '{"id":9007199254740993,"price":1.10}' })), [
      ...["9007199254740993", null, "1.10", "c"]
    ])
  })

  it("stays whole in RAW_EVENT", () => {
    const text = '{ "op":"d", "before":{"id":1}, "after":null }'
    const outcome = decode(text)
    assert(outcome._tag === "BronzeRow")
    assert.strictEqual(Buffer.from(outcome.event ?? "").toString(), text)
  })

  it("is followed by a tombstone that is kept or skipped as configured", () => {
    const kept = decode(null)
    assert(kept._tag === "BronzeRow")
    assert.deepStrictEqual([kept.event, kept.columns], [null, [...nothing, null]])
    assert.strictEqual(decode(null, "skip")._tag, "Skip")
  })

  it("that is no JSON is a dead letter, as elsewhere", () => assert.strictEqual(decode("{")._tag, "DeadLetter"))
})

describe("events of a real connector", () => {
  const [orders] = parseRoutes(
    "cdc=T(ID=id:NUMBER,CUSTOMER=customer,AMOUNT=amount,RATE=rate:FLOAT,PLACED_AT=placed_at:TIMESTAMP,LOCAL_AT=local_at:TIMESTAMP,PAID=paid:BOOLEAN) unwrap=debezium"
  ).routes
  assert.isDefined(orders)
  const taken = (events: ReadonlyArray<Recorded.Recorded>, name: string) => {
    const found = events.find((event) => event.name === name)
    assert.isDefined(found, name)
    const outcome = Decode.make(orders, { tombstones: "insert" })(
      record({ topic: "cdc", value: found.value === null ? null : Buffer.from(found.value) })
    )
    assert(outcome._tag === "BronzeRow", outcome._tag)
    return outcome.columns
  }
  const ada = ["9007199254740993", "Ada Lovelace"] as const
  const placed = ["2026-03-29 00:30:00.123456", "2026-03-29 02:30:00.123456", "true"] as const
  const unknown = [null, null, null, null] as const

  for (const [name, expected] of [
    ["default: read, first row of the snapshot", [...ada, "AKtUqYzrHwrT", null, ...placed, "r"]],
    // What the connector fills in for a row whose old values the database does not log.
    ["default: delete", [ada[0], "", ...unknown, "false", "d"]],
    ["default: primary key update, delete", ["1", "", ...unknown, "false", "d"]],
    ["default: primary key update, tombstone", [null, null, null, ...unknown, null]],
    ["default: primary key update, create", ["9007199254740995", "nothing known", ...unknown, "false", "c"]],
    ["default: truncate", [null, null, null, ...unknown, "t"]],
    ["default: logical decoding message", [null, null, null, ...unknown, "m"]],
    ["default: heartbeat", [null, null, null, ...unknown, null]],
    ["full: read, first row of the snapshot", [...ada, "1234567890123456.7891", "0.125", ...placed, "r"]],
    ["full: delete", [...ada, "1234567890123456.7891", "0.125", ...placed, "d"]],
    ["full: transaction begin", [null, null, null, ...unknown, null]],
    [
      "connect: read, first row of the snapshot",
      [...ada, "1.2345678901234568E15", "0.125", placed[0], "2026-03-29 02:30:00.123000", "true", "r"]
    ],
    ["connect: create with NaN", ["100", "nan", null, "NaN", null, null, "false", "c"]],
    ["isostring: read, first row of the snapshot", [...ada, "AKtUqYzrHwrT", null, ...placed, "r"]],
    ["flat: create", [null, null, null, ...unknown, null]]
  ] as const)
    it(`${name}: ${JSON.stringify(expected)}`, () => assert.deepStrictEqual(taken(Recorded.plain, name), expected))

  it("beside their schemas are read as without", () => {
    for (const { name } of Recorded.withSchemas) {
      const bare = name.replace("schemas:", "default:")
      assert.deepStrictEqual(taken(Recorded.withSchemas, name), taken(Recorded.plain, bare), name)
    }
  })

  it.effect("in Avro are read with their decimals", () =>
    Effect.gen(function* () {
      const decoders = new Map<unknown, BodyDecoder.BodyDecoder>()
      for (const [id, schema] of Object.entries(Recorded.avro.schemas))
        decoders.set(Number(id), yield* BodyDecoder.make(Number(id), { type: "AVRO", schema, references: [] }))
      const decode = Decode.make(orders, { tombstones: "insert", format: { value: "avro", key: "registry" } })
      const found = Recorded.avro.records.map(({ name, value }) => {
        const outcome = decode(
          record({ topic: "cdc", value: value === null ? null : Buffer.from(value, "base64") }),
          (id) => Result.fromNullishOr(decoders.get(id), () => ({ message: "none" }))
        )
        assert(outcome._tag === "BronzeRow", name)
        return [name, outcome.columns] as const
      })
      const columnsOf = new Map(found)
      assert.deepStrictEqual(columnsOf.get("avro: read, first row of the snapshot"), [
        ...[...ada, "1234567890123456.7891", null, ...placed, "r"]
      ])
      assert.deepStrictEqual(columnsOf.get("avro: delete"), [ada[0], "", ...unknown, "false", "d"])
      assert.deepStrictEqual(columnsOf.get("avro: truncate"), [null, null, null, ...unknown, "t"])
      assert.deepStrictEqual(columnsOf.get("avro: logical decoding message"), [null, null, null, ...unknown, "m"])
    })
  )
})
