/** A dead letter that the warehouse does not take whole: it is cut until it fits, and its neighbours land (P6). */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import type { Assignment } from "../../../src/kafka/ConsumerGroup.ts"
import { DeadLetterTopic } from "../../../src/kafka/DeadLetterTopic.ts"
import * as Progress from "../../../src/observe/Progress.ts"
import * as Claims from "../../../src/pipeline/Claims.ts"
import * as Pipeline from "../../../src/pipeline/Pipeline.ts"
import * as Spans from "../../../src/pipeline/Spans.ts"
import * as Settings from "../../../src/settings/Settings.ts"
import { partition } from "../../support/Flow.ts"
import * as MemoryWarehouse from "../../support/MemoryWarehouse.ts"
import { route, row } from "../../support/Outcomes.ts"
import { letter } from "../../support/warehouse/batches.ts"

const { table, topic } = route("raw.orders.v1=ORDERS_RAW")

const assignment: Assignment = {
  memberId: "member-1",
  partitions: Effect.succeed({ mine: [partition(0, { topic, committed: 0, high: 100 })], others: [] }),
  fetch: () => Effect.never,
  isHeld: () => true,
  isEnding: () => false,
  commit: () => Effect.succeed(true),
  begin: () => Effect.succeed(true)
}

const write = (maxLetter: number) =>
  Effect.gen(function* () {
    const memory = yield* MemoryWarehouse.make({ maxLetter })
    const writing = Effect.gen(function* () {
      const ledger = yield* Claims.open(assignment)
      const land = yield* Pipeline.land(assignment, ledger, Spans.make("group"))
      const payload = Buffer.alloc(1_000_000, "x").toString("base64")
      const outcomes = [row({ offset: 0 }), letter({ offset: 1, payload }), row({ offset: 2 })]
      return yield* land({ table, outcomes, trigger: "time" })
    })
    const exit = yield* Effect.exit(Effect.scoped(writing)).pipe(
      Effect.provide([memory.layer, DeadLetterTopic.none, Progress.layer]),
      Effect.provide(Settings.layer),
      Effect.provide(Settings.environment({ SINK: "duckdb" }))
    )
    return { memory, exit }
  })

describe("a dead letter that is too large", () => {
  it.effect("is stored truncated, with its full size, and stops nothing", () =>
    Effect.gen(function* () {
      const { exit, memory } = yield* write(100_000)
      assert.strictEqual(exit._tag, "Success")
      assert.deepStrictEqual(
        memory.rows("ORDERS_RAW").map(({ offset }) => offset),
        [0, 2]
      )
      const [cut] = memory.deadLetters()
      assert.isTrue(cut?.truncated)
      assert.strictEqual(cut?.message, "unexpected end; of its 1000000 bytes only the first are kept")
      const kept = Buffer.from(cut?.payload ?? "", "base64")
      assert.strictEqual(kept.toString(), "x".repeat(kept.length))
      assert.isAbove(kept.length, 50_000)
      assert.strictEqual(memory.ledger()[0]?.next, 3)
    })
  )

  it.effect("lands without its payload where nothing of it fits", () =>
    Effect.gen(function* () {
      const { exit, memory } = yield* write(0)
      assert.strictEqual(exit._tag, "Success")
      assert.deepInclude(memory.deadLetters()[0], { payload: "", truncated: true })
    })
  )

  it.effect("that cannot be made smaller ends in words, not in an endless loop", () =>
    Effect.gen(function* () {
      const { exit } = yield* write(-1)
      assert.strictEqual(exit._tag, "Failure")
    })
  )
})
