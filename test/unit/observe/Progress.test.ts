/**
 * What the flow tells of itself: metrics by their names, lag, and health that means progress; on doubles and a clock
 * that stands still.
 */
import { assert, describe, it } from "@effect/vitest"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as PrometheusMetrics from "effect/observability/PrometheusMetrics"
import * as Queue from "effect/Queue"
import * as TestClock from "effect/testing/TestClock"
import { Admin } from "../../../src/kafka/Admin.ts"
import { KafkaError } from "../../../src/kafka/KafkaError.ts"
import * as Health from "../../../src/observe/Health.ts"
import * as LagWatch from "../../../src/pipeline/LagWatch.ts"
import { Settings } from "../../../src/settings/Settings.ts"
import { partition, pass, records, start } from "../../support/Flow.ts"
import * as MemoryWarehouse from "../../support/MemoryWarehouse.ts"
import { record } from "../../support/Outcomes.ts"

type Flow = Effect.Success<ReturnType<typeof start>>

const scrape = ({ progress }: Flow): ReadonlyArray<string> =>
  PrometheusMetrics.formatUnsafe(progress.registry).split("\n")
/** The samples of a metric that are not 0. */
const samples = (flow: Flow, name: string) =>
  scrape(flow).filter((line) => line.startsWith(name) && !line.endsWith(" 0"))

const health = (flow: Flow) =>
  Effect.map(
    Effect.clockWith((clock) => Effect.succeed(clock.currentTimeMillisUnsafe())),
    (now) => {
      const settings = Context.get(flow.parts, Settings)
      return {
        live: Health.live(flow.progress.view(), settings, now).reasons,
        ready: Health.ready(flow.progress.view(), settings, now).reasons
      }
    }
  )

/** Lag is watched as in the service; the logs end where `ends` says. */
const watch = (flow: Flow, ends: { high: number; stable?: number; isUnreadable?: boolean }) => {
  const unused = new KafkaError({ reason: "unavailable", message: "not asked in this test" })
  const admin = Admin.of({
    ...{
      cluster: unused,
      topics: unused,
      partitions: () => unused,
      describe: () => unused,
      committed: () => unused,
      commit: () => unused,
      positions: () => unused
    },
    ...{ since: () => unused, count: () => unused, group: () => unused },
    ranges: () =>
      Effect.suspend(() =>
        ends.isUnreadable === true
          ? Effect.fail(unused)
          : Effect.succeed([
              { topic: "raw.orders.v1", partition: 0, low: 0, high: ends.high, stable: ends.stable ?? ends.high }
            ])
      )
  })
  return LagWatch.watch.pipe(Effect.provideService(Admin, admin), Effect.provide(flow.parts), Effect.forkChild)
}

describe("metrics", () => {
  it.effect("say what a batch did not wait longer for", () =>
    Effect.gen(function* () {
      const flow = yield* start({ env: { WRITE_MAX_BYTES: "20KiB" } })
      const first = yield* flow.kafka.assign([partition(0)])
      yield* first.deliver(records(0, 142))
      yield* flow.landed(1)
      yield* TestClock.adjust("5 seconds")
      yield* flow.landed(1)
      yield* first.deliver(records(142, 7))
      yield* first.end
      const second = yield* flow.kafka.assign([partition(0, { high: 1000 })])
      yield* second.deliver(records(149, 3))
      const finish = yield* flow.warehouse.hangNext
      yield* second.deliver(records(152, 397))
      yield* Queue.take(flow.warehouse.attempts)
      yield* pass(10)
      yield* finish
      while (flow.warehouse.rows("ORDERS_RAW").length < 549) yield* TestClock.adjust("1 second")
      yield* second.deliver(records(549, 5))
      yield* Fiber.interrupt(flow.fiber)
      const triggers = samples(flow, "bronze_batches_total").map((line) => /trigger="(\w+)"/.exec(line)?.[1])
      assert.sameMembers(triggers, ["size", "time", "rebalance", "bytes", "shutdown"])
      assert.deepStrictEqual(samples(flow, "bronze_rows_written_total"), [
        'bronze_rows_written_total{table="ORDERS_RAW"} 554'
      ])
      assert.deepStrictEqual(samples(flow, "bronze_records_consumed_total"), [
        'bronze_records_consumed_total{topic="raw.orders.v1"} 554'
      ])
    })
  )

  it.effect("tell rows from dead letters and skips, once they are durable and not before", () =>
    Effect.gen(function* () {
      const flow = yield* start({ env: { TOMBSTONES: "skip" } })
      const assignment = yield* flow.kafka.assign([partition(0)])
      yield* assignment.deliver([
        ...records(0, 3),
        record({ offset: 3, value: "{" }),
        record({ offset: 4, value: null }),
        record({ offset: 5, value: Uint8Array.of(0xff) })
      ])
      assert.deepStrictEqual(samples(flow, "bronze_dead_letters_total"), [])
      yield* TestClock.adjust("5 seconds")
      yield* flow.landed(1)
      assert.deepStrictEqual(samples(flow, "bronze_dead_letters_total"), [
        'bronze_dead_letters_total{topic="raw.orders.v1",cause="not_json"} 1',
        'bronze_dead_letters_total{topic="raw.orders.v1",cause="not_utf8"} 1'
      ])
      assert.deepStrictEqual(samples(flow, "bronze_records_skipped_total"), [
        'bronze_records_skipped_total{topic="raw.orders.v1",reason="tombstone"} 1'
      ])
      assert.include(samples(flow, "bronze_batch_rows"), 'bronze_batch_rows_sum{table="ORDERS_RAW"} 3')
    })
  )

  it.effect("keep the last writes, and when each table was last written, whatever else is written since", () =>
    Effect.gen(function* () {
      const flow = yield* start()
      const assignment = yield* flow.kafka.assign([partition(0)])
      yield* TestClock.adjust("1 minute")
      yield* assignment.deliver(records(0, 100))
      yield* flow.landed(1)
      yield* TestClock.adjust("1 minute")
      const { lastWrites } = flow.progress.view()
      assert.deepStrictEqual(
        lastWrites.map(({ at, rows, table, trigger }) => ({ at, rows, table, trigger })),
        [{ at: 60_000, rows: 100, table: "ORDERS_RAW", trigger: "size" }]
      )
      assert.deepStrictEqual(lastWrites[0]?.ranges, [{ topic: "raw.orders.v1", partition: 0, from: 0, next: 100 }])
      for (let batch = 1; batch <= 60; batch++) {
        yield* assignment.deliver(records(100 * batch, 100))
        yield* flow.landed(1)
      }
      yield* TestClock.adjust("1 second")
      const after = flow.progress.view()
      assert.lengthOf(after.lastWrites, 50)
      assert.strictEqual(after.lastWrites[0]?.ranges[0]?.next, 6100)
      const lastWriteOf = Object.fromEntries(after.tables.map(({ lastWriteAt, table }) => [table, lastWriteAt]))
      assert.deepStrictEqual(lastWriteOf, { ORDERS_RAW: 120_000, CLICKS_RAW: null })
    })
  )

  it.effect("count failed attempts by their reason, and retries", () =>
    Effect.gen(function* () {
      const flow = yield* start()
      const assignment = yield* flow.kafka.assign([partition(0)])
      yield* flow.warehouse.failNext(MemoryWarehouse.error("unavailable"), MemoryWarehouse.error("denied"))
      yield* assignment.deliver(records(0, 100))
      yield* pass(10)
      yield* flow.landed(1)
      assert.deepStrictEqual(samples(flow, "bronze_write_errors_total"), [
        'bronze_write_errors_total{table="ORDERS_RAW",reason="unavailable"} 1',
        'bronze_write_errors_total{table="ORDERS_RAW",reason="denied"} 1'
      ])
      assert.deepStrictEqual(samples(flow, "bronze_write_retries_total"), [
        'bronze_write_retries_total{table="ORDERS_RAW"} 2'
      ])
      assert.deepStrictEqual(samples(flow, "bronze_reconnects_total"), ['bronze_reconnects_total{peer="warehouse"} 1'])
    })
  )

  it.effect("show a lag that follows each fetch, and is never less than what is pending", () =>
    Effect.gen(function* () {
      const flow = yield* start()
      const assignment = yield* flow.kafka.assign([partition(0)])
      yield* assignment.started
      const { progress } = flow
      const here = { topic: "raw.orders.v1", partition: 0 }
      const lag = () => progress.view().lag
      progress.fetched({ ...here, next: 150, records: [], high: 1000 })
      assert.strictEqual(lag(), 1000)
      progress.fetched({ ...here, next: 300, records: [], high: 1200 })
      assert.strictEqual(lag(), 1200)
      // A poll that was asked before: the log had not grown so far.
      progress.ends([{ ...here, high: 200, stable: 200 }])
      assert.strictEqual(lag(), 300)
      progress.fetched({ ...here, next: 400, records: [] })
      assert.strictEqual(lag(), 400)
    })
  )

  it.effect("show the lag of what is assigned, 0 once all is durable, and nothing of what went away", () =>
    Effect.gen(function* () {
      const flow = yield* start()
      const assignment = yield* flow.kafka.assign([partition(0, { high: 500 })])
      yield* assignment.started
      const ends = { high: 500 }
      yield* watch(flow, ends)
      yield* TestClock.adjust("5 seconds")
      const lag = 'bronze_consumer_lag{topic="raw.orders.v1",partition="0"}'
      assert.include(scrape(flow), `${lag} 500`)
      yield* assignment.deliver([...records(0, 499), record({ offset: 499, value: "broken" })])
      yield* TestClock.adjust("5 seconds")
      yield* flow.landed(2)
      assert.include(scrape(flow), `${lag} 0`)
      ends.high = 503
      yield* TestClock.adjust("5 seconds")
      assert.include(scrape(flow), `${lag} 3`)
      yield* assignment.end
      assert.deepStrictEqual(
        scrape(flow).filter((line) => line.startsWith(lag)),
        []
      )
    })
  )
})

describe("health", () => {
  it.effect("is healthy after one record and a long silence: no work is no stall", () =>
    Effect.gen(function* () {
      const flow = yield* start()
      const assignment = yield* flow.kafka.assign([partition(0)])
      flow.progress.up("warehouse")
      yield* watch(flow, { high: 1 })
      yield* assignment.deliver(records(0, 1))
      yield* pass(1200)
      assert.deepStrictEqual(yield* health(flow), { live: [], ready: [] })
      assert.strictEqual(yield* Queue.size(flow.kafka.reopened), 0)
    })
  )

  it.effect("of a warehouse that hangs: not ready, then a new attempt on a new connection, then not alive", () =>
    Effect.gen(function* () {
      const flow = yield* start()
      const assignment = yield* flow.kafka.assign([partition(0)])
      for (let hang = 0; hang < 3; hang++) yield* flow.warehouse.hangNext
      yield* assignment.deliver(records(0, 100))
      yield* pass(66)
      assert.deepStrictEqual((yield* health(flow)).ready.slice(-1), [
        "the oldest record in memory has waited for 66 s; the limit is 65 s"
      ])
      assert.strictEqual(yield* Queue.size(flow.warehouse.attempts), 1)
      yield* pass(237)
      assert.strictEqual(yield* Queue.size(flow.warehouse.attempts), 2, "the first attempt was given up after 300 s")
      assert.deepStrictEqual((yield* health(flow)).live, [])
      yield* pass(300)
      assert.lengthOf((yield* health(flow)).live, 1)
      assert.include((yield* health(flow)).live[0], "there is something to write, but no progress for 10 min 3 s")
    })
  )

  it.effect("of a warehouse that refuses for long: not ready, yet alive, because a restart would not help", () =>
    Effect.gen(function* () {
      const flow = yield* start()
      const assignment = yield* flow.kafka.assign([partition(0)])
      yield* flow.warehouse.failNext(...Array.from({ length: 2000 }, () => MemoryWarehouse.error("unavailable")))
      yield* assignment.deliver(records(0, 100))
      yield* pass(1200)
      const { live, ready } = yield* health(flow)
      assert.deepStrictEqual(live, [])
      assert.include(ready.join(), "warehouse:")
    })
  )

  it.effect("of a consumer that gets nothing though there is something: rejoins, then not alive", () =>
    Effect.gen(function* () {
      const flow = yield* start()
      const assignment = yield* flow.kafka.assign([partition(0, { high: 5 })])
      yield* assignment.started
      yield* watch(flow, { high: 5 })
      yield* pass(295)
      assert.strictEqual(yield* Queue.size(flow.kafka.reopened), 0)
      yield* pass(10)
      assert.strictEqual(yield* Queue.size(flow.kafka.reopened), 1)
      flow.progress.reopening()
      yield* assignment.end
      yield* (yield* flow.kafka.assign([partition(0, { high: 5 })])).started
      assert.deepStrictEqual((yield* health(flow)).live, [])
      yield* pass(300)
      assert.lengthOf((yield* health(flow)).live, 1)
      assert.strictEqual(yield* Queue.size(flow.kafka.reopened), 1, "once is enough")
    })
  )

  it.effect("of a Kafka that no longer tells where its logs end: rejoins, for nothing may be read either", () =>
    Effect.gen(function* () {
      const flow = yield* start()
      const assignment = yield* flow.kafka.assign([partition(0, { high: 5 })])
      yield* assignment.started
      const ends = { high: 0, isUnreadable: true }
      yield* watch(flow, ends)
      yield* pass(295)
      assert.strictEqual(yield* Queue.size(flow.kafka.reopened), 0)
      yield* pass(10)
      assert.strictEqual(yield* Queue.size(flow.kafka.reopened), 1)
      ends.isUnreadable = false
      yield* pass(600)
      assert.strictEqual(yield* Queue.size(flow.kafka.reopened), 1, "the ends can be read again")
    })
  )

  it.effect("is healthy again as soon as something moves", () =>
    Effect.gen(function* () {
      const flow = yield* start()
      const assignment = yield* flow.kafka.assign([partition(0, { high: 5 })])
      yield* assignment.started
      yield* watch(flow, { high: 5 })
      yield* pass(700)
      assert.lengthOf((yield* health(flow)).live, 1)
      yield* assignment.deliver(records(0, 5))
      assert.deepStrictEqual((yield* health(flow)).live, [])
      yield* TestClock.adjust("5 seconds")
      yield* flow.landed(1)
      assert.deepStrictEqual(yield* health(flow), { live: [], ready: [] })
    })
  )
})

describe("a topic that is paused by request", () => {
  it.effect("is said and counts its lag, and the service stays ready and alive", () =>
    Effect.gen(function* () {
      const flow = yield* start()
      const assignment = yield* flow.kafka.assign([partition(0)])
      yield* assignment.started
      flow.progress.paused(["raw.orders.v1"])
      yield* watch(flow, { high: 500 })
      yield* TestClock.adjust("1 hour")
      const view = flow.progress.view()
      assert.deepStrictEqual([view.lag, view.stalled, view.pausedTopics], [500, null, ["raw.orders.v1"]])
      const settings = Context.get(flow.parts, Settings)
      const ready = Health.ready(view, settings, view.kafka.since)
      assert.include(ready.reasons, "topic raw.orders.v1 is paused by request")
      assert.deepStrictEqual((yield* health(flow)).live, [])
      flow.progress.paused([])
      assert.strictEqual(flow.progress.view().stalled?.work, "read")
    })
  )
})
