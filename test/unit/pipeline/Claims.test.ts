/** Claiming where Kafka alone keeps the positions, and no longer has the next records. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as TestClock from "effect/testing/TestClock"
import * as Progress from "../../../src/observe/Progress.ts"
import * as Claims from "../../../src/pipeline/Claims.ts"
import * as Settings from "../../../src/settings/Settings.ts"
import { Warehouse } from "../../../src/warehouse/Warehouse.ts"
import { withoutLedger } from "../../../src/warehouse/WithoutLedger.ts"
import { heldAssignment, partition } from "../../support/Flow.ts"

describe("OFFSETS_LOST=continue without a ledger", () => {
  it.effect("lets Kafka know the new position before the old one is forgotten, however long that takes", () =>
    Effect.gen(function* () {
      const seen: Array<string> = []
      let refusals = 2
      const warehouse = Layer.mock(Warehouse, {
        ...{ name: "Snowflake", target: "Snowflake", ddl: [], writers: 1 },
        ...withoutLedger,
        reset: (positions) => Effect.sync(() => void seen.push(`reset ${positions.map(({ offset }) => offset)}`))
      })
      const assignment = {
        ...heldAssignment([partition(0, { committed: 5, low: 50, high: 90 })]),
        commit: (positions: ReadonlyArray<{ readonly offset: number }>) =>
          Effect.sync(() => {
            const done = refusals-- <= 0
            seen.push(`${done ? "commit" : "refused"} ${positions.map(({ offset }) => offset)}`)
            return done
          })
      }
      const settings = Settings.layer.pipe(
        Layer.provide(
          Settings.environment({ SINK: "duckdb", DELIVERY: "at-least-once", OFFSETS_LOST: "continue", LOG_FILE: "" })
        )
      )
      const claiming = yield* Claims.open(assignment).pipe(
        Effect.provide(Layer.mergeAll(warehouse, Progress.layer).pipe(Layer.provideMerge(settings))),
        Effect.forkChild
      )
      const passing = Effect.forever(Effect.andThen(TestClock.adjust("1 second"), Effect.yieldNow))
      const { positions } = yield* Effect.raceFirst(Fiber.join(claiming), passing)
      assert.deepStrictEqual(
        positions.map(({ offset }) => offset),
        [50]
      )
      assert.deepStrictEqual(seen.slice(0, 4), ["refused 50", "refused 50", "commit 50", "reset 50"])
    })
  )
})
