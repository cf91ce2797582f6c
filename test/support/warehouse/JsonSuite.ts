/**
 * What counts as JSON, as docs/reference/json.md has it: what is a row can be read by the warehouse's own JSON
 * functions, the rest are dead letters.
 */
import { assert } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Decode from "../../../src/pipeline/Decode.ts"
import { Warehouse } from "../../../src/warehouse/Warehouse.ts"
import { record, route } from "../Outcomes.ts"
import { batchOf, claimAll } from "./batches.ts"
import { Inspector, type Subject, type Test, testRoutes } from "./Subject.ts"

const rows = [
  ...[
    '{"a":1,"a":2}',
    '{"a":"x\\u0000y"}',
    '{"a":"\\ud83d\\ude00"}',
    '{"a":"\\\\ud800"}',
    '{"a":12345678901234567890.5}'
  ],
  ...["null", '"text"', "-0", "[]", ' {"a" : 1}\n', `{"a":${"[".repeat(10_000)}${"]".repeat(10_000)}}`]
]
const tombstones = [null, ""]
const letters = [
  ...[" ", "{", "NaN", '{"a":1,}', '{"a":1}\n{"a":2}', '\ufeff{"a":1}', '{"a":"\\ud800"}', '{"\\udc00":1}'],
  `{"a":${"[".repeat(20_000)}${"]".repeat(20_000)}}`
]

export const jsonSuite = (test: Test, { keepsLedger, keepsText }: Subject): void =>
  test(
    "what is a row can be read by the warehouse's JSON functions; what cannot is a dead letter",
    Effect.gen(function* () {
      const inspect = yield* Inspector
      const decode = Decode.make(route(testRoutes), { tombstones: "insert", uniqueKeys: keepsLedger === false })
      const outcomes = [...rows, ...tombstones, ...letters].flatMap((value, offset) => {
        const outcome = decode(record({ offset, value }))
        return outcome._tag === "Skip" ? [] : [outcome]
      })
      yield* (yield* Warehouse).write(batchOf("ORDERS_RAW", yield* claimAll(), outcomes))
      const stored = yield* inspect.rows("ORDERS_RAW")
      assert.lengthOf(stored, rows.length + tombstones.length)
      // JSON.stringify goes less deep than JSON.parse.
      const same = (text: string) => (keepsText || text.length > 1000 ? text : JSON.stringify(JSON.parse(text)))
      rows.forEach((text, index) => {
        assert.strictEqual(same(stored[index]?.event ?? ""), same(text))
      })
      assert.deepStrictEqual(
        stored.slice(rows.length).map(({ event }) => event),
        tombstones.map(() => null)
      )
      assert.deepStrictEqual(
        (yield* inspect.deadLetters).map(({ payload }) => Buffer.from(payload ?? "", "base64").toString("utf8")),
        letters
      )
      const functions = keepsText
        ? ["json_type(RAW_EVENT)", "json_structure(RAW_EVENT)", "RAW_EVENT->>'a'"]
        : ["RAW_EVENT:a"]
      yield* Effect.forEach(functions, (use) => inspect.run(`SELECT COUNT(${use}) FROM {T}ORDERS_RAW`))
    })
  )
