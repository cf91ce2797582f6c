/** What `init` does when one of its statements is refused. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { runAll } from "../../../src/warehouse/sql/RunAll.ts"
import { WarehouseError } from "../../../src/warehouse/WarehouseError.ts"

describe("the statements of init", () => {
  it.effect.each([
    ["denied", ["a", "b", "c"]],
    ["unavailable", ["a"]]
  ] as const)("after one that is %s: %j", ([reason, run]) =>
    Effect.gen(function* () {
      const ran: Array<string> = []
      const execute = (sql: string) => {
        ran.push(sql)
        return sql === "c" ? Effect.void : Effect.fail(new WarehouseError({ reason, message: `no ${sql}` }))
      }
      const error = yield* Effect.flip(runAll(["a", "b", "c"], execute))
      assert.deepStrictEqual([error.message, ran], ["no a", run])
    })
  )
})
