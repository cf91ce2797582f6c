/** What becomes durable in another order than it was accepted in: no position goes back (P2). */
import { assert, describe, it } from "@effect/vitest"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import type { Position } from "../../../src/domain/KafkaRecord.ts"
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

describe("a batch that is durable before one that was accepted sooner", () => {
  it.effect("moves no position of their partition back, neither in Kafka nor in what is shown", () =>
    Effect.gen(function* () {
      const memory = yield* MemoryWarehouse.make()
      // The second partition takes longer.
      const late = yield* Deferred.make<void>()
      const store = Layer.effect(
        Warehouse,
        Effect.map(Warehouse, (inner) =>
          Warehouse.of({
            ...inner,
            write: () => Effect.void,
            durable: (ranges) => (ranges.some(({ partition }) => partition === 1) ? Deferred.await(late) : Effect.void)
          })
        )
      )
      const commits: Array<ReadonlyArray<Position>> = []
      const partitions = [0, 1].map((number) => partition(number, { topic, committed: 0, high: 100 }))
      const assignment = {
        ...heldAssignment(partitions),
        commit: (positions: ReadonlyArray<Position>) =>
          Effect.sync(() => {
            commits.push(positions)
            return true
          })
      }
      const flow = Effect.gen(function* () {
        const claims = yield* Claims.open(assignment)
        const land = yield* Landing.make(assignment, claims, Spans.make("group"))
        const rows = (places: ReadonlyArray<readonly [partition: number, offset: number]>) => ({
          ...{ table, trigger: "time" as const },
          outcomes: places.map(([partition, offset]) => row({ topic, partition, offset }))
        })
        const first = yield* land(rows([...[0, 1].map((offset) => [0, offset] as const), [1, 0]]))
        const second = yield* land(rows([[0, 2]]))
        const waiting = yield* Effect.forkChild(first)
        yield* second
        yield* Deferred.succeed(late, undefined)
        yield* Fiber.join(waiting)
        const { partitions } = (yield* Progress.Progress).view()
        return partitions.map(({ next }) => next)
      })
      const shown = yield* Effect.scoped(flow).pipe(
        Effect.provide([store.pipe(Layer.provide(memory.layer)), DeadLetterTopic.none, Progress.layer]),
        Effect.provide(Settings.layer),
        Effect.provide(Settings.environment({ SINK: "duckdb" }))
      )
      const committed = commits.map((positions) => positions.map(({ offset, partition }) => [partition, offset]))
      assert.deepStrictEqual(committed.at(-2), [[0, 3]])
      assert.deepStrictEqual(committed.at(-1), [
        [0, 3],
        [1, 1]
      ])
      assert.deepStrictEqual(shown, [3, 1])
    })
  )
})
