/** What the warehouse has accepted is not held until it is durable: the byte budget has let it go by then (P7). */
import { setFlagsFromString } from "node:v8"
import { runInNewContext } from "node:vm"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { DeadLetterTopic } from "../../../src/kafka/DeadLetterTopic.ts"
import * as Progress from "../../../src/observe/Progress.ts"
import * as Claims from "../../../src/pipeline/Claims.ts"
import * as Landing from "../../../src/pipeline/Landing.ts"
import * as Spans from "../../../src/pipeline/Spans.ts"
import * as Settings from "../../../src/settings/Settings.ts"
import { Warehouse } from "../../../src/warehouse/Warehouse.ts"
import { heldAssignment, partition } from "../../support/Flow.ts"
import * as MemoryWarehouse from "../../support/MemoryWarehouse.ts"
import { route, row } from "../../support/Outcomes.ts"

const { table, topic } = route("raw.orders.v1=ORDERS_RAW")

const assignment = heldAssignment([partition(0, { topic, committed: 0, high: 100 })])

const collectGarbage = (): void => {
  setFlagsFromString("--expose-gc")
  runInNewContext("gc")()
}

/** Takes everything at once and keeps nothing of it; none of it becomes durable. */
const acceptsOnly = Layer.effect(
  Warehouse,
  Effect.map(Warehouse, (memory) => Warehouse.of({ ...memory, write: () => Effect.void, durable: () => Effect.never }))
)

describe("a batch that is accepted and not durable", () => {
  it.effect("is not held by what waits for it", () =>
    Effect.gen(function* () {
      const memory = yield* MemoryWarehouse.make()
      const accepted = Effect.gen(function* () {
        const land = yield* Landing.make(assignment, yield* Claims.open(assignment), Spans.make("group"))
        const write = Effect.suspend(() => {
          const outcome = row({ offset: 0 })
          const held = new WeakRef(outcome)
          return Effect.map(land({ table, outcomes: [outcome], trigger: "time" }), (landing) => ({ held, landing }))
        })
        return yield* write
      })
      const { held, landing } = yield* Effect.scoped(accepted).pipe(
        Effect.provide([acceptsOnly.pipe(Layer.provide(memory.layer)), DeadLetterTopic.none, Progress.layer]),
        Effect.provide(Settings.layer),
        Effect.provide(Settings.environment({ SINK: "duckdb" }))
      )
      // A WeakRef keeps its target until the end of the task in which it was made.
      yield* Effect.promise(() => new Promise((resolve) => setImmediate(resolve)))
      collectGarbage()
      assert.isUndefined(held.deref())
      assert.isTrue(Effect.isEffect(landing))
    })
  )
})
