/** A dead letter that the warehouse does not take whole: it is cut until it fits, and its neighbours land (P6). */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { DeadLetterTopic } from "../../../src/kafka/DeadLetterTopic.ts"
import * as Progress from "../../../src/observe/Progress.ts"
import * as Claims from "../../../src/pipeline/Claims.ts"
import * as Landing from "../../../src/pipeline/Landing.ts"
import * as Spans from "../../../src/pipeline/Spans.ts"
import * as Settings from "../../../src/settings/Settings.ts"
import { heldAssignment, partition, pass, records, start } from "../../support/Flow.ts"
import * as Lines from "../../support/Lines.ts"
import * as MemoryWarehouse from "../../support/MemoryWarehouse.ts"
import { record, route, row } from "../../support/Outcomes.ts"
import { letter } from "../../support/warehouse/batches.ts"

const { table, topic } = route("raw.orders.v1=ORDERS_RAW")

const assignment = heldAssignment([partition(0, { topic, committed: 0, high: 100 })])

const write = (maxLetter: number) =>
  Effect.gen(function* () {
    const memory = yield* MemoryWarehouse.make({ maxLetter })
    const writing = Effect.gen(function* () {
      const ledger = yield* Claims.open(assignment)
      const land = yield* Landing.make(assignment, ledger, Spans.make("group"))
      const payload = Buffer.alloc(1_000_000, "x").toString("base64")
      const outcomes = [row({ offset: 0 }), letter({ offset: 1, payload }), row({ offset: 2 })]
      return yield* Effect.flatten(land({ table, outcomes, trigger: "time" }))
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

  it.effect("waits where not even its coordinates are taken, and lands whole once they are", () =>
    Effect.gen(function* () {
      const { layer, lines } = Lines.make()
      let isClosed = true
      const flow = yield* start({ isClosed: () => isClosed }).pipe(Effect.provide(layer))
      const assignment = yield* flow.kafka.assign([partition(0)])
      yield* assignment.deliver([
        ...records(0, 1),
        record({ offset: 1, value: "{", key: Buffer.from("k") }),
        ...records(2, 1)
      ])
      yield* pass(120)
      const reasons = flow.progress.view().lastingFaults
      assert.strictEqual(reasons[0]?.write, "DEAD_LETTERS")
      assert.match(
        reasons[0]?.message ?? "",
        /does not pass by itself and must be fixed: DEAD_LETTERS refuses .*offset=1 /
      )
      assert.match(lines.join("\n"), /^Error .*DEAD_LETTERS refuses topic=raw.orders.v1 partition=0 offset=1 /im)
      assert.strictEqual(flow.warehouse.ledger()[0]?.next, 1, "it is not skipped")
      isClosed = false
      yield* pass(70)
      const [letter] = flow.warehouse.deadLetters()
      assert.deepInclude(letter, { offset: 1, cause: "not_json", key: "k", payload: "ew==" })
      assert.strictEqual(flow.warehouse.ledger()[0]?.next, 3)
      assert.deepStrictEqual(flow.progress.view().lastingFaults, [])
    })
  )
})
