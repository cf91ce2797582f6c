/** What the commands show: aligned, readable, and never steered by what an event says. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Result from "effect/Result"
import * as TestClock from "effect/testing/TestClock"
import { render as renderDoctor } from "../../src/cli/Doctor.ts"
import { configuration } from "../../src/cli/DoctorChecks.ts"
import { render as renderEvent } from "../../src/cli/Monitor.ts"
import { explain } from "../../src/cli/Report.ts"
import * as Screen from "../../src/cli/Screen.ts"
import { render as renderStatus } from "../../src/cli/Status.ts"
import { gather } from "../../src/cli/StatusReport.ts"
import { Admin } from "../../src/kafka/Admin.ts"
import { KafkaError } from "../../src/kafka/KafkaError.ts"
import * as Settings from "../../src/Settings.ts"
import { Warehouse } from "../../src/warehouse/Warehouse.ts"
import { WarehouseError } from "../../src/warehouse/WarehouseError.ts"

const plain = { green: String, red: String, yellow: String, dim: String }

describe("Screen", () => {
  it("aligns columns", () => {
    assert.strictEqual(
      Screen.table(
        [
          ["A", "N"],
          ["long", "1"],
          ["b", "1,000"]
        ],
        [1]
      ),
      "A         N\nlong      1\nb     1,000"
    )
  })
  it("tells ages", () => {
    const ages = [0, 119_000, 600_000, 7_200_000, 400_000_000].map((age) => Screen.ago(1e12 - age, 1e12))
    assert.deepStrictEqual(ages, ["0 s ago", "119 s ago", "10 min ago", "2 h ago", "5 days ago"])
    assert.strictEqual(Screen.ago(null, 0), "never")
  })
  it("draws a bar", () => {
    assert.strictEqual(Screen.bar(500, 1000), `[${"#".repeat(15)}${"-".repeat(15)}]  50 %  500/1,000`)
  })
})

describe("monitor", () => {
  const seen = { topic: "t", partition: 2, offset: "42", timestamp: new Date(2026, 1, 7, 10, 30, 0).getTime() }
  it("shows time, place, key and value", () => {
    assert.strictEqual(
      renderEvent({ ...seen, key: "7", value: '{"a":1}' }, 200),
      '2026-02-07 10:30:00 t/2@42 key=7 {"a":1}'
    )
    assert.strictEqual(renderEvent({ ...seen, key: null, value: null }, 200), "2026-02-07 10:30:00 t/2@42 (tombstone)")
  })
  it("is one line within the width, whatever the event says", () => {
    const line = renderEvent({ ...seen, key: null, value: `\u001b[2J\r\n${"x".repeat(500)}` }, 60)
    assert.strictEqual(line.length, 60)
    assert.isTrue(line.endsWith("…"))
    // biome-ignore lint/suspicious/noControlCharactersInRegex: none may come through
    assert.notMatch(line, /[\u0000-\u001f]/)
  })
})

describe("status", () => {
  const admin = (fails: boolean) =>
    Layer.mock(Admin, {
      partitions: (topics) =>
        fails
          ? Effect.fail(new KafkaError({ reason: "unavailable", message: "Could not list the topics: refused" }))
          : Effect.succeed(topics.slice(0, 1).flatMap((topic) => [0, 1, 2].map((partition) => ({ topic, partition })))),
      ranges: (topics) =>
        Effect.succeed(
          topics.flatMap((topic) => [0, 1, 2].map((partition) => ({ topic, partition, low: 10, high: 1510 })))
        ),
      committed: (_, topics) => Effect.succeed(topics.map((topic) => ({ topic, partition: 1, offset: 1500 })))
    })
  const entry = { topic: "raw.orders.v1", epoch: 1, owner: "me" }
  const warehouse = (fails: boolean) =>
    Layer.mock(Warehouse, {
      name: "DuckDB",
      target: "DuckDB file x",
      ddl: [],
      ledger: fails
        ? Effect.fail(new WarehouseError({ reason: "denied", message: "held by process 1" }))
        : Effect.succeed([
            { ...entry, partition: 0, next: 510 },
            { ...entry, partition: 1, next: 2000 }
          ]),
      summary: Effect.succeed([
        { table: "ORDERS_RAW", rows: 1234, lastWrite: 1_000 },
        { table: "DEAD_LETTERS", rows: 2, lastWrite: null }
      ])
    })
  const report = (down: { kafka?: boolean; warehouse?: boolean } = {}) =>
    TestClock.setTime(6_000).pipe(
      Effect.andThen(gather),
      Effect.provide([admin(down.kafka === true), warehouse(down.warehouse === true)]),
      Effect.provide(Settings.layer),
      Effect.provide(Settings.environment({ SINK: "duckdb" }))
    )

  it.effect("counts lag from the ledger, then from the commit, then from the start", () =>
    Effect.gen(function* () {
      const { lag, partitions, problems } = yield* report()
      assert.deepStrictEqual(
        partitions.map(({ lag, next, source }) => [source, next, lag]),
        [
          ["ledger", 510, 1000],
          ["ledger", 2000, -490],
          ["none", null, 1500]
        ]
      )
      assert.strictEqual(lag, 2500)
      assert.strictEqual(problems.length, 2)
      assert.include(problems[0], "no topic raw.clicks.v1")
      assert.include(problems[1], "raw.orders.v1/1: the next offset 2000 is beyond the end 1510")
    })
  )
  it.effect("shows Kafka's side when the warehouse is away", () =>
    Effect.gen(function* () {
      const { partitions, problems, tables } = yield* report({ warehouse: true })
      assert.deepStrictEqual(
        partitions.map(({ lag, source }) => [source, lag]),
        [
          ["none", 1500],
          ["committed", 10],
          ["none", 1500]
        ]
      )
      assert.deepStrictEqual(tables, [])
      assert.include(problems, "Warehouse: held by process 1")
    })
  )
  it.effect("shows the warehouse's side when Kafka is away", () =>
    Effect.gen(function* () {
      const { partitions, problems, tables } = yield* report({ kafka: true })
      assert.deepStrictEqual([partitions.length, tables.length], [0, 2])
      assert.deepStrictEqual(problems, ["Kafka: Could not list the topics: refused"])
    })
  )
  it.effect("is readable", () =>
    Effect.gen(function* () {
      const text = renderStatus(yield* report(), plain)
      assert.include(text, "Group bronze-consumer-group, exactly-once, into DuckDB file x")
      assert.match(text, /^raw\.orders\.v1 +0 +10 +1,510 +510 +1,000 {2}ledger$/m)
      assert.match(text, /^ORDERS_RAW +1,234 {2}5 s ago$/m)
      assert.include(text, "Lag in all: 2,500")
      assert.include(text, "2 dead letters")
    })
  )
})

describe("doctor", () => {
  it("lists findings with their remedies and counts what is bad", () => {
    const text = renderDoctor(
      [
        { check: "broker", state: "good", detail: "there" },
        { check: "warehouse", state: "bad", detail: "no table T", remedy: "node dist/main.js init" },
        { check: "clock", state: "skipped", detail: "-" }
      ],
      plain
    )
    assert.strictEqual(
      text,
      "✓ broker     there\n✗ warehouse  no table T\n             -> node dist/main.js init\n- clock      -\n\n1 thing to mend."
    )
  })
  it("names each problem and hint of the configuration", () => {
    const error = new Settings.SettingsError({ problems: ["A: no", "B: no"] })
    assert.deepStrictEqual(
      configuration(Result.fail(error), ["C is set"]).map(({ detail, state }) => [state, detail]),
      [
        ["bad", "A: no"],
        ["bad", "B: no"],
        ["warning", "C is set"]
      ]
    )
  })
})

describe("failures", () => {
  it("are told with what to do", () => {
    assert.deepStrictEqual(explain(new Settings.SettingsError({ problems: ["A: no"] })).slice(0, 2), [
      "The configuration cannot be used:",
      "  A: no"
    ])
    assert.include(explain(new KafkaError({ reason: "unavailable", message: "x" })).join(), "KAFKA_BOOTSTRAP_SERVERS")
  })
})
