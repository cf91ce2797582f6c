/** The typed columns of change events: out of the row that the event holds, whatever the event looks like around it. */
import { assert, describe, it } from "@effect/vitest"
import { parseRoutes } from "../../../src/domain/Route.ts"
import * as Decode from "../../../src/pipeline/Decode.ts"
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
