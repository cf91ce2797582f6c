/**
 * Typed columns as they lie in the warehouse: each line of docs/reference/columns.md, through decoding, the binding and
 * the engine.
 */
import { assert } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Decode from "../../../src/pipeline/Decode.ts"
import { Warehouse } from "../../../src/warehouse/Warehouse.ts"
import { lines } from "../documentedColumns.ts"
import { record, route } from "../Outcomes.ts"
import { batchOf, claimAll, tableOf } from "./batches.ts"
import { Inspector, type Subject, type Test, testRoutes } from "./Subject.ts"

export const columnsSuite = (test: Test, { widest }: Subject): void =>
  test(
    "typed columns hold what docs/reference/columns.md says",
    Effect.gen(function* () {
      const { columns } = tableOf("ORDERS_RAW")
      const decode = Decode.make(route(testRoutes), { tombstones: "insert" })
      const fitting = lines.filter(({ expected, type }) => type !== "NUMBER" || (expected?.length ?? 0) < widest.length)
      const rows = fitting.flatMap(({ json, type }, offset) => {
        const name = columns.find((column) => column.type === type)?.path[0]
        const outcome = decode(record({ offset, value: `{"${name}":${json}}` }))
        return outcome._tag === "BronzeRow" ? [{ offset, columns: outcome.columns }] : []
      })
      yield* (yield* Warehouse).write(batchOf("ORDERS_RAW", yield* claimAll(), rows))
      const stored = yield* (yield* Inspector).rows("ORDERS_RAW")
      const found = fitting.map(({ json, type }, index) => {
        const value = stored[index]?.columns[columns.findIndex((column) => column.type === type)] ?? null
        return { type, json, expected: type === "FLOAT" ? plainFloat(value) : value }
      })
      assert.deepStrictEqual(found, fitting)
    })
  )

/** Engines write floats in many ways. */
const plainFloat = (text: string | null): string | null =>
  text === null ? null : String(Number(text.replace(/^(-?)inf(inity)?$/i, "$1Infinity")))
