/**
 * The flow with doubles on both sides and a clock that stands still: what is written and committed, when, and what a
 * closing scope does.
 */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Queue from "effect/Queue"
import * as TestClock from "effect/testing/TestClock"
import { partition, records, sizes, start } from "../../support/Flow.ts"
import * as MemoryWarehouse from "../../support/MemoryWarehouse.ts"

describe("batching", () => {
  it.effect("closes a batch at 100 events at once, and what is left after 5 seconds", () =>
    Effect.gen(function* () {
      const { kafka, landed, warehouse } = yield* start()
      const assignment = yield* kafka.assign([partition(0)])
      yield* assignment.deliver(records(0, 250))
      assert.deepStrictEqual(sizes(yield* landed(2)), [100, 100])
      yield* TestClock.adjust("4999 millis")
      assert.strictEqual(yield* Queue.size(warehouse.landed), 0)
      yield* TestClock.adjust("1 millis")
      assert.deepStrictEqual(sizes(yield* landed(1)), [50])
    })
  )

  it.effect("gathers what waits behind a slow write into one: group commit", () =>
    Effect.gen(function* () {
      const { kafka, landed, warehouse } = yield* start()
      const assignment = yield* kafka.assign([partition(0)])
      const finish = yield* warehouse.hangNext
      yield* assignment.deliver(records(0, 100))
      yield* Queue.take(warehouse.attempts)
      yield* assignment.deliver(records(100, 900))
      yield* TestClock.adjust("1 second")
      yield* finish
      assert.deepStrictEqual(sizes(yield* landed(2)), [100, 900])
    })
  )

  it.effect("close early when the byte budget is spent: large events wait for no others, which have no room", () =>
    Effect.gen(function* () {
      const { kafka, landed } = yield* start({ env: { BUFFER_MAX_BYTES: "1MiB", WRITE_MAX_BYTES: "1MiB" } })
      const assignment = yield* kafka.assign([partition(0)])
      const large = Buffer.from(`"${"x".repeat(300_000)}"`)
      // No time passes.
      for (let offset = 0; offset < 8; offset++) yield* assignment.deliver(records(offset, 1, { value: large }))
      assert.deepStrictEqual(sizes(yield* landed(2)), [3, 3])
      yield* TestClock.adjust("5 seconds")
      assert.deepStrictEqual(sizes(yield* landed(1)), [2])
    })
  )

  it.effect("keeps memory within BUFFER_MAX_BYTES: a fetch waits until a write has given back its bytes (P7)", () =>
    Effect.gen(function* () {
      const { kafka, landed, warehouse } = yield* start({
        env: { BUFFER_MAX_BYTES: "1MiB", WRITE_MAX_BYTES: "1MiB" }
      })
      const assignment = yield* kafka.assign([partition(0)])
      const finish = yield* warehouse.hangNext
      const big = { value: Buffer.from(JSON.stringify("x".repeat(10_000))) }
      yield* assignment.deliver(records(0, 90, big))
      const waiting = yield* Effect.forkChild(assignment.deliver(records(90, 90, big)))
      yield* TestClock.adjust("5 seconds")
      yield* Queue.take(warehouse.attempts)
      assert.isUndefined(waiting.pollUnsafe(), "the second fetch waits")
      yield* finish
      yield* Fiber.join(waiting)
      yield* TestClock.adjust("5 seconds")
      assert.deepStrictEqual(sizes(yield* landed(2)), [90, 90])
    })
  )

  it.effect("continue for one table while another, which cannot be written, has filled the buffer", () =>
    Effect.gen(function* () {
      const { kafka, landed, warehouse } = yield* start({
        env: { BUFFER_MAX_BYTES: "1MiB", WRITE_MAX_BYTES: "1MiB" }
      })
      const clicks = { topic: "raw.clicks.v1" }
      const assignment = yield* kafka.assign([partition(0), partition(0, clicks)])
      const big = { value: Buffer.from(JSON.stringify("x".repeat(10_000))) }
      const finish = yield* warehouse.hangNext
      yield* assignment.deliver(records(0, 90, big))
      yield* TestClock.adjust("5 seconds")
      yield* Queue.take(warehouse.attempts)
      const waiting = yield* Effect.forkChild(assignment.deliver(records(90, 90, big)))
      // More than the reserve: it goes in parts, each as soon as the one before has landed.
      yield* Effect.forkChild(assignment.deliver(records(0, 15, { ...big, ...clicks })))
      let clicked = 0
      while (clicked < 15) {
        yield* TestClock.adjust("5 seconds")
        const [batch] = yield* landed(1)
        assert.strictEqual(batch?.table.name, "CLICKS_RAW")
        clicked += batch?.outcomes.length ?? 0
      }
      assert.isUndefined(waiting.pollUnsafe())
      yield* finish
      yield* Fiber.join(waiting)
    })
  )
})

describe("offsets", () => {
  it.effect("are committed only after the write, and never while writes fail (P2)", () =>
    Effect.gen(function* () {
      const { kafka, landed, warehouse } = yield* start()
      const assignment = yield* kafka.assign([partition(0, { committed: 0 })])
      yield* warehouse.failNext(...Array.from({ length: 5 }, () => MemoryWarehouse.error("unavailable")))
      yield* assignment.deliver(records(0, 100))
      for (let attempt = 0; attempt < 5; attempt++) {
        yield* Queue.take(warehouse.attempts)
        assert.strictEqual(yield* Queue.size(kafka.commits), 0)
        assert.strictEqual(warehouse.rows("ORDERS_RAW").length, 0)
        // The next attempt comes under a jittered backoff: a little time at once, until it is there.
        while ((yield* Queue.size(warehouse.attempts)) === 0) yield* TestClock.adjust("100 millis")
      }
      yield* landed(1)
      assert.deepStrictEqual(yield* Queue.take(kafka.commits), [{ topic: "raw.orders.v1", partition: 0, offset: 100 }])
    })
  )

  it.effect("of the ledger win over Kafka's, and Kafka is told", () =>
    Effect.gen(function* () {
      const { kafka, landed } = yield* start()
      const first = yield* kafka.assign([partition(0, { high: 500 })])
      yield* first.deliver(records(0, 100))
      yield* landed(1)
      yield* Queue.take(kafka.commits)
      yield* first.lose
      const second = yield* kafka.assign([partition(0, { committed: 40, high: 500 })])
      assert.deepStrictEqual(yield* second.started, [{ topic: "raw.orders.v1", partition: 0, offset: 100 }])
      assert.deepStrictEqual(yield* Queue.take(kafka.commits), [{ topic: "raw.orders.v1", partition: 0, offset: 100 }])
    })
  )

  it.effect.each([
    ["earliest", undefined, 10],
    ["latest", undefined, 500],
    ["latest", 77, 77]
  ] as const)("start at AUTO_OFFSET_RESET=%s when Kafka has %s: at %s", ([reset, committed, expected]) =>
    Effect.gen(function* () {
      const { kafka } = yield* start({ env: { AUTO_OFFSET_RESET: reset } })
      const given = committed === undefined ? {} : { committed }
      const assignment = yield* kafka.assign([partition(0, { low: 10, high: 500, ...given })])
      assert.strictEqual((yield* assignment.started)[0]?.offset, expected)
    })
  )

  it.effect.each([
    ["retention passed us by", { low: 60, high: 90 }],
    ["its end went back", { low: 0, high: -1 }]
  ] as const)("that Kafka no longer has (%s) stop the topic, or continue by OFFSETS_LOST", ([_, log]) =>
    Effect.gen(function* () {
      const at = (given: object) => partition(0, { committed: 0, ...log, ...given })
      const stopped = yield* start()
      assert.deepStrictEqual(
        yield* (yield* stopped.kafka.assign([at({}), { ...at({}), topic: "raw.clicks.v1", low: 0, high: 5 }])).started,
        [{ topic: "raw.clicks.v1", partition: 0, offset: 0 }]
      )
      const going = yield* start({ env: { OFFSETS_LOST: "continue" } })
      const assignment = yield* going.kafka.assign([at({})])
      assert.strictEqual((yield* assignment.started)[0]?.offset, log.low)
    })
  )

  it.effect("of a recreated topic are read once with OFFSETS_LOST=continue, not once more at each start", () =>
    Effect.gen(function* () {
      const { kafka, landed, warehouse } = yield* start({ env: { OFFSETS_LOST: "continue" } })
      const first = yield* kafka.assign([partition(0, { topicId: "old" })])
      yield* first.deliver(records(0, 100))
      yield* landed(1)
      yield* first.lose
      const second = yield* kafka.assign([partition(0, { high: 100, topicId: "new" })])
      assert.strictEqual((yield* second.started)[0]?.offset, 0)
      assert.strictEqual(warehouse.ledger()[0]?.topicId, "new")
      yield* second.deliver(records(0, 100))
      yield* landed(1)
      yield* second.lose
      const third = yield* kafka.assign([partition(0, { high: 100, topicId: "new" })])
      assert.strictEqual((yield* third.started)[0]?.offset, 100)
    })
  )

  it.effect("of a topic that was stopped are read again once somebody has reset them", () =>
    Effect.gen(function* () {
      const { kafka, landed, warehouse } = yield* start()
      const assignment = yield* kafka.assign([partition(0, { committed: 0, low: 60, high: 90 })])
      assert.deepStrictEqual(yield* assignment.started, [])
      yield* warehouse.warehouse.reset([{ topic: "raw.orders.v1", partition: 0, offset: 60 }], "reset")
      yield* TestClock.adjust("31 seconds")
      yield* assignment.deliver(records(60, 100))
      assert.deepStrictEqual(sizes(yield* landed(1)), [100])
    })
  )

  it.effect("pass with skipped records and with offsets that Kafka used itself", () =>
    Effect.gen(function* () {
      const { kafka, warehouse } = yield* start({ env: { TOMBSTONES: "skip" } })
      const assignment = yield* kafka.assign([partition(0, { committed: 0 })])
      yield* assignment.deliver(records(0, 3, { value: null }))
      yield* TestClock.adjust("5 seconds")
      assert.deepStrictEqual(yield* Queue.take(kafka.commits), [{ topic: "raw.orders.v1", partition: 0, offset: 3 }])
      assert.deepStrictEqual(warehouse.rows("ORDERS_RAW"), [])
    })
  )
})

describe("a closing scope", () => {
  it.effect("flushes and commits what is held, when the service stops (P4)", () =>
    Effect.gen(function* () {
      const { fiber, kafka, warehouse } = yield* start()
      const assignment = yield* kafka.assign([partition(0, { committed: 0 })])
      yield* assignment.deliver(records(0, 142))
      yield* Queue.take(kafka.commits)
      yield* Fiber.interrupt(fiber)
      assert.strictEqual(warehouse.rows("ORDERS_RAW").length, 142)
      assert.deepStrictEqual(yield* Queue.take(kafka.commits), [{ topic: "raw.orders.v1", partition: 0, offset: 142 }])
    })
  )

  it.effect("flushes and commits before a rebalance that still lets it", () =>
    Effect.gen(function* () {
      const { kafka, warehouse } = yield* start()
      const assignment = yield* kafka.assign([partition(0, { committed: 0 })])
      yield* assignment.deliver(records(0, 42))
      yield* assignment.end
      assert.strictEqual(warehouse.rows("ORDERS_RAW").length, 42)
      assert.deepStrictEqual(yield* Queue.take(kafka.commits), [{ topic: "raw.orders.v1", partition: 0, offset: 42 }])
    })
  )

  it.effect("drops what is held once the partitions are lost: they are another member's now", () =>
    Effect.gen(function* () {
      const { kafka, warehouse } = yield* start()
      const assignment = yield* kafka.assign([partition(0, { committed: 0 })])
      yield* assignment.deliver(records(0, 42))
      yield* assignment.lose
      assert.deepStrictEqual(warehouse.rows("ORDERS_RAW"), [])
      assert.strictEqual(yield* Queue.size(kafka.commits), 0)
    })
  )

  it.effect("continues with the next assignment when a flush before a rebalance takes too long", () =>
    Effect.gen(function* () {
      const { kafka, warehouse } = yield* start({ env: { SHUTDOWN_TIMEOUT: "10" } })
      const first = yield* kafka.assign([partition(0, { committed: 0 })])
      yield* warehouse.hangNext
      yield* first.deliver(records(0, 42))
      const ending = yield* Effect.forkChild(first.end)
      yield* Queue.take(warehouse.attempts)
      yield* TestClock.adjust("10 seconds")
      yield* Fiber.join(ending)
      const second = yield* kafka.assign([partition(0, { committed: 0, high: 100 })])
      assert.strictEqual((yield* second.started)[0]?.offset, 0)
    })
  )

  it.effect("waits no longer than SHUTDOWN_TIMEOUT for a warehouse that hangs, and commits nothing", () =>
    Effect.gen(function* () {
      const { fiber, kafka, warehouse } = yield* start({ env: { SHUTDOWN_TIMEOUT: "10" } })
      const assignment = yield* kafka.assign([partition(0, { committed: 0 })])
      yield* warehouse.hangNext
      yield* assignment.deliver(records(0, 42))
      const stopping = yield* Effect.forkChild(Fiber.interrupt(fiber))
      yield* Queue.take(warehouse.attempts)
      yield* TestClock.adjust("10 seconds")
      yield* Fiber.join(stopping)
      assert.strictEqual(yield* Queue.size(kafka.commits), 0)
    })
  )
})

describe("exactly once", () => {
  it.effect("asks the ledger when a reply was lost, and does not write again", () =>
    Effect.gen(function* () {
      const { kafka, warehouse } = yield* start()
      const assignment = yield* kafka.assign([partition(0, { committed: 0 })])
      yield* warehouse.failNext({ error: MemoryWarehouse.error("unavailable"), applied: true })
      yield* assignment.deliver(records(0, 100))
      yield* Queue.take(warehouse.attempts)
      yield* TestClock.adjust("5 seconds")
      assert.strictEqual((yield* Queue.take(kafka.commits))[0]?.offset, 100)
      assert.strictEqual(warehouse.rows("ORDERS_RAW").length, 100)
    })
  )

  it.effect("claims again and reads on from the ledger when another has fenced it", () =>
    Effect.gen(function* () {
      const { kafka, landed, warehouse } = yield* start()
      const assignment = yield* kafka.assign([partition(0, { committed: 0 })])
      yield* assignment.started
      yield* Queue.take(warehouse.claims)
      yield* warehouse.warehouse.claim([{ topic: "raw.orders.v1", partition: 0, offset: 0 }], "another")
      yield* Queue.take(warehouse.claims)
      yield* assignment.deliver(records(0, 100))
      yield* Queue.take(warehouse.attempts)
      assert.deepStrictEqual(warehouse.rows("ORDERS_RAW"), [])
      yield* TestClock.adjust("2 seconds")
      const [claim] = yield* Queue.take(warehouse.claims)
      assert.deepStrictEqual([claim?.epoch, claim?.next], [3, 0])
      yield* assignment.deliver(records(0, 100))
      yield* landed(1)
      assert.strictEqual(warehouse.rows("ORDERS_RAW").length, 100)
    })
  )
})

describe("data errors", () => {
  it.effect("one bad record never stops its neighbours (P6)", () =>
    Effect.gen(function* () {
      const { kafka, landed, warehouse } = yield* start()
      const assignment = yield* kafka.assign([partition(0)])
      const [bad] = records(57, 1, { value: Buffer.from("not json") })
      yield* assignment.deliver([...records(0, 57), ...(bad === undefined ? [] : [bad]), ...records(58, 42)])
      yield* landed(1)
      assert.strictEqual(warehouse.rows("ORDERS_RAW").length, 99)
      assert.deepStrictEqual(
        warehouse.deadLetters().map(({ cause, offset }) => [offset, cause]),
        [[57, "not_json"]]
      )
    })
  )

  it.effect("a batch that the warehouse refuses is halved down to the record at fault; the others land, in order", () =>
    Effect.gen(function* () {
      const { kafka, warehouse } = yield* start({ refuses: ({ offset }) => offset === 13 || offset === 77 })
      const assignment = yield* kafka.assign([partition(0, { committed: 0 })])
      yield* assignment.deliver(records(0, 100))
      let committed = 0
      while (committed < 100) committed = (yield* Queue.take(kafka.commits))[0]?.offset ?? 0
      const offsets = warehouse.rows("ORDERS_RAW").map(({ offset }) => offset)
      assert.deepStrictEqual(
        offsets,
        Array.from({ length: 100 }, (_, n) => n).filter((n) => n !== 13 && n !== 77)
      )
      assert.deepStrictEqual(
        warehouse.deadLetters().map(({ cause, offset }) => [offset, cause]),
        [
          [13, "refused"],
          [77, "refused"]
        ]
      )
    })
  )
})
