/**
 * An unknown error that stays the same is said not to pass, in the log and in readyz, and tried less often; one that is
 * known to pass never is.
 */
import { assert, describe, it } from "@effect/vitest"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Queue from "effect/Queue"
import { DeadLetterTopic } from "../../src/kafka/DeadLetterTopic.ts"
import * as KafkaErrors from "../../src/kafka/KafkaError.ts"
import * as Health from "../../src/observe/Health.ts"
import * as Settings from "../../src/settings/Settings.ts"
import { fromDuckDb } from "../../src/warehouse/duckdb/Errors.ts"
import { fromDriver } from "../../src/warehouse/snowflake/Errors.ts"
import { WarehouseError } from "../../src/warehouse/WarehouseError.ts"
import { partition, pass, records, start } from "../support/Flow.ts"
import * as Lines from "../support/Lines.ts"
import { record } from "../support/Outcomes.ts"

const odd = new WarehouseError({ reason: "unavailable", message: "Odd Error: attempt 17", isUnknown: true })
const known = new WarehouseError({ reason: "unavailable", message: "connection reset" })

/** The flow after so many seconds of the same answer: its log, readyz, and how often it has tried. */
const answered = (seconds: number, error: WarehouseError, answers = 1000) =>
  Effect.gen(function* () {
    const flow = yield* start()
    const assignment = yield* flow.kafka.assign([partition(0)])
    yield* flow.warehouse.failNext(...Array.from({ length: answers }, () => error))
    yield* assignment.deliver(records(0, 100))
    yield* pass(seconds)
    const settings = Context.get(flow.parts, Settings.Settings)
    const now = yield* Effect.clockWith((clock) => Effect.succeed(clock.currentTimeMillisUnsafe()))
    const { reasons } = Health.ready(flow.progress.view(), settings, now)
    return {
      reasons,
      tries: yield* Queue.size(flow.warehouse.attempts),
      rows: flow.warehouse.rows("ORDERS_RAW").length
    }
  })

describe("an unknown error that stays the same", () => {
  it.effect("is retried as any other for half a minute", () =>
    Effect.gen(function* () {
      const { layer, lines } = Lines.make()
      const { reasons } = yield* answered(25, odd).pipe(Effect.provide(layer))
      assert.notMatch(reasons.join(), /does not pass/)
      assert.notMatch(lines.join("\n"), /does not pass/)
    })
  )

  it.effect("is said not to pass, by log and readyz, and tried about once a minute", () =>
    Effect.gen(function* () {
      const { layer, lines } = Lines.make()
      const { reasons, tries } = yield* answered(1200, odd).pipe(Effect.provide(layer))
      assert.match(
        reasons.join("\n"),
        /^writing to ORDERS_RAW: the same answer \d+ times: this does not pass by itself and must be fixed: Odd Error/m
      )
      const said = lines.filter((line) => /the same answer \d+ times: this does not pass by itself/.test(line))
      assert.isNotEmpty(said)
      assert.match(said[0] ?? "", /ERROR/i)
      assert.notMatch(said.join(), /nothing is lost|transient error/)
      const first = lines.indexOf(said[0] ?? "")
      assert.notMatch(lines.slice(first).join("\n"), /nothing is lost/)
      assert.isBelow(tries, 35)
    })
  )

  it.effect("is forgotten once the write gets through", () =>
    Effect.gen(function* () {
      const { reasons, rows } = yield* answered(200, odd, 11)
      assert.strictEqual(rows, 100)
      assert.deepStrictEqual(reasons, [])
    })
  )

  it.effect("of DLQ_TOPIC is named so, and what waits for it lands once it takes the letter", () =>
    Effect.gen(function* () {
      let isClosed = true
      const odd = KafkaErrors.KafkaError.from("send to dlq", new Error("odd"))
      const deadLetterTopic = Layer.succeed(
        DeadLetterTopic,
        DeadLetterTopic.of({ publish: () => Effect.suspend(() => (isClosed ? odd : Effect.void)) })
      )
      const flow = yield* start({ deadLetterTopic })
      const assignment = yield* flow.kafka.assign([partition(0)])
      yield* assignment.deliver([record({ offset: 0, value: "{" })])
      yield* pass(120)
      const [fault] = flow.progress.view().lastingFaults
      assert.strictEqual(fault?.write, "DLQ_TOPIC")
      assert.match(fault?.message ?? "", /does not pass by itself and must be fixed: Could not send to dlq: odd/)
      assert.isEmpty(flow.warehouse.deadLetters())
      isClosed = false
      yield* pass(70)
      assert.lengthOf(flow.warehouse.deadLetters(), 1)
      assert.isEmpty(flow.progress.view().lastingFaults)
    })
  )

  it.effect("holds up nobody who has the partitions now: the long pause ends with the assignment", () =>
    Effect.gen(function* () {
      const flow = yield* start()
      const assignment = yield* flow.kafka.assign([partition(0)])
      yield* flow.warehouse.failNext(...Array.from({ length: 1000 }, () => odd))
      yield* assignment.deliver(records(0, 100))
      yield* pass(300)
      const lost = yield* Effect.forkChild(assignment.lose)
      yield* pass(3)
      assert.isDefined(lost.pollUnsafe())
    })
  )

  it.effect("that is known to pass is never said not to, and tried every few seconds", () =>
    Effect.gen(function* () {
      const { layer, lines } = Lines.make()
      const { reasons, tries } = yield* answered(600, known).pipe(Effect.provide(layer))
      assert.notMatch(reasons.join() + lines.join("\n"), /does not pass/)
      assert.isAbove(tries, 90)
    })
  )
})

describe("which errors are unknown", () => {
  const kafka = (code: string, retriable: boolean) =>
    KafkaErrors.KafkaError.from("send", Object.assign(new Error(code), { type: code, retriable }))

  it("is decided by code and class", () => {
    for (const error of [
      fromDuckDb("x.duckdb")(new Error("Odd Error: nobody knows it")),
      fromDriver({ code: "999999", sqlState: "XX000", message: "odd" }),
      KafkaErrors.KafkaError.from("send", new Error("odd")),
      kafka("UNKNOWN", false)
    ]) {
      assert.isTrue(error.isUnknown)
      assert.strictEqual(error.reason, "unavailable")
      assert.notMatch(error.message, /transient error/)
    }
    for (const error of [
      fromDuckDb("x.duckdb")(new Error("IO Error: No space left on device")),
      fromDriver({ code: "000625", sqlState: "57014", message: "waiters" }),
      fromDriver({ code: "401002", response: { statusCode: 503 }, message: "odd" }),
      fromDriver({ code: "401001", message: "network" }),
      kafka("NOT_ENOUGH_REPLICAS", true),
      KafkaErrors.KafkaError.from("send", Object.assign(new Error("reset"), { code: "ECONNRESET" }))
    ])
      assert.isUndefined(error.isUnknown)
  })
})
