/** What the commands show: aligned, readable, and never steered by what an event says. */
import { assert, describe, it } from "@effect/vitest"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Result from "effect/Result"
import * as TestClock from "effect/testing/TestClock"
import { render as renderDoctor } from "../../../src/cli/doctor/Doctor.ts"
import { bad } from "../../../src/cli/doctor/Finding.ts"
import { configuration } from "../../../src/cli/doctor/Settings.ts"
import { render as renderEvent } from "../../../src/cli/Monitor.ts"
import { ratesOf, remember } from "../../../src/cli/status/Rates.ts"
import { gather, type StatusReport } from "../../../src/cli/status/Report.ts"
import { frame, render as renderStatus } from "../../../src/cli/status/View.ts"
import { explain } from "../../../src/cli/support/Failure.ts"
import * as Layout from "../../../src/cli/support/Layout.ts"
import * as Screen from "../../../src/cli/support/Screen.ts"
import * as Instants from "../../../src/domain/Instants.ts"
import { Admin } from "../../../src/kafka/Admin.ts"
import { KafkaError } from "../../../src/kafka/KafkaError.ts"
import * as Settings from "../../../src/settings/Settings.ts"
import { Warehouse } from "../../../src/warehouse/Warehouse.ts"
import { WarehouseError } from "../../../src/warehouse/WarehouseError.ts"

const plain = { green: String, red: String, yellow: String, dim: String, columns: Number.POSITIVE_INFINITY }

describe("Screen", () => {
  it("aligns columns", () => {
    assert.strictEqual(
      Layout.table(
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
  it("formats ages", () => {
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
  it("shows a time that no date holds as the number it is", () => {
    const at = (timestamp: number) => renderEvent({ ...seen, timestamp, key: null, value: "x" }, 200)
    for (const timestamp of [
      1_770_460_200_000_000, 1_770_460_200_000_000_000, 253_402_300_800_000, -62_135_596_800_001
    ])
      assert.strictEqual(at(timestamp), `${timestamp} t/2@42 x`)
    assert.match(at(0), /^19(70|69)-\d\d-\d\d |^0 /)
    assert.strictEqual(Instants.text(1_770_460_200_000_000_000), "1770460200000000000")
    assert.strictEqual(Instants.text(1_770_460_200_000), "2026-02-07T10:30:00.000Z")
  })
  it("prints no control sequences, not in JSON either, which stays JSON", () => {
    const value = 'a\u001b[2J\u009b31m\u202e\u2066\u200f\u2028\u007f\n"é'
    const line = Screen.json({ ...seen, [value]: value })
    // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what this is about
    const obeyed = /[\u0000-\u001f\u007f-\u009f\u200e\u200f\u2028-\u202e\u2066-\u2069]/
    assert.notMatch(line, obeyed)
    assert.notMatch(renderEvent({ ...seen, key: value, value }, 500), obeyed)
    assert.deepStrictEqual(JSON.parse(line), { ...seen, [value]: value })
  })
  it("is one line within the width, whatever the event says", () => {
    const line = renderEvent({ ...seen, key: null, value: `\u001b[2J\r\n${"x".repeat(500)}` }, 60)
    assert.strictEqual(line.length, 60)
    assert.isTrue(line.endsWith("…"))
    // biome-ignore lint/suspicious/noControlCharactersInRegex: none may come through
    assert.notMatch(line, /[\u0000-\u001f]/)
  })
})

describe("a sparkline", () => {
  it("has a bar for each value, the highest full", () => {
    assert.strictEqual(Screen.sparkline([0, 5, 10]), "▁▅█")
    assert.strictEqual(Screen.sparkline([0, 0]), "▁▁")
    assert.strictEqual(Screen.sparkline([]), "")
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
          topics.flatMap((topic) =>
            [0, 1, 2].map((partition) => ({ topic, partition, low: 10, high: 1510, stable: 1510 }))
          )
        ),
      committed: (_, topics) => Effect.succeed(topics.map((topic) => ({ topic, partition: 1, offset: 1500 })))
    })
  const entry = { topic: "raw.orders.v1", epoch: 1, owner: "me" }
  const warehouse = (fails: boolean) =>
    Layer.mock(Warehouse, {
      name: "DuckDB",
      writers: 4,
      target: "DuckDB file x",
      ddl: [],
      durablePositions: undefined,
      ledger: fails
        ? Effect.fail(new WarehouseError({ reason: "denied", message: "held by process 1" }))
        : Effect.succeed([
            { ...entry, partition: 0, next: 510 },
            { ...entry, partition: 1, next: 2000 }
          ]),
      summary: Effect.succeed([
        { table: "ORDERS_RAW", rows: 1234, lastWriteAt: 1_000 },
        { table: "DEAD_LETTERS", rows: 2, lastWriteAt: null }
      ])
    })
  const report = (down: { kafka?: boolean; warehouse?: boolean } = {}) =>
    TestClock.setTime(6_000).pipe(
      Effect.andThen(gather(Duration.seconds(10))),
      Effect.provide([admin(down.kafka === true), warehouse(down.warehouse === true)]),
      Effect.provide(Settings.layer),
      // Any file that is there; the warehouse is a double.
      Effect.provide(Settings.environment({ SINK: "duckdb", DUCKDB_PATH: import.meta.filename, HTTP_PORT: "0" }))
    )

  it.effect("counts lag from the ledger, then from the commit, then from the start", () =>
    Effect.gen(function* () {
      const { lag, partitions, problems } = yield* report()
      assert.deepStrictEqual(
        partitions.map(({ lag, next, source }) => [source, next, lag]),
        [
          ["ledger", 510, 1000],
          ["ledger", 2000, 0],
          ["none", null, 1500]
        ]
      )
      assert.strictEqual(lag, 2500)
      assert.strictEqual(problems.length, 2)
      assert.include(problems[0], "no topic raw.clicks.v1")
      assert.strictEqual(
        problems[1],
        "raw.orders.v1: partition 1 was read up to 2000, but ends at 1510: the topic was recreated, or its log truncated (unclean leader election); the topic is stopped -> bronze-consumer reset raw.orders.v1 --to earliest"
      )
    })
  )
  it.effect("shows Kafka's side when the warehouse is unreachable", () =>
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
  it.effect("shows the warehouse's side when Kafka is unreachable", () =>
    Effect.gen(function* () {
      const { partitions, problems, tables } = yield* report({ kafka: true })
      assert.deepStrictEqual([partitions.length, tables.length], [0, 2])
      assert.deepStrictEqual(problems, ["Kafka: Could not list the topics: refused"])
    })
  )
  it.effect("says where the tokens of channels are, and counts no rows while no warehouse is set", () =>
    Effect.gen(function* () {
      const asleep = new WarehouseError({ reason: "denied", code: "000606", message: "No active warehouse" })
      const streaming = Layer.mock(Warehouse, {
        ...{ name: "Snowflake", writers: 4, target: "Snowflake", ddl: [] },
        durablePositions: (places) =>
          Effect.succeed(places.slice(0, 2).map((place, index) => ({ ...place, offset: [1510, 1000][index] ?? 0 }))),
        ledger: Effect.succeed([]),
        summary: Effect.fail(asleep)
      })
      const given = yield* gather(Duration.seconds(10)).pipe(
        Effect.provide([admin(false), streaming]),
        Effect.provide(Settings.layer),
        Effect.provide(
          Settings.environment({
            ...{ SNOWFLAKE_ACCOUNT: "a", SNOWFLAKE_USER: "u", SNOWFLAKE_TOKEN: "t", SNOWFLAKE_DATABASE: "d" },
            SNOWFLAKE_WRITER: "streaming"
          })
        )
      )
      assert.deepStrictEqual(
        given.partitions.slice(0, 3).map(({ next, source }) => [next, source]),
        [
          [1510, "channel"],
          [1500, "committed"],
          [null, "none"]
        ]
      )
      assert.deepInclude(given, { tables: [], notes: ["To count the rows of the tables, set SNOWFLAKE_WAREHOUSE"] })
      assert.deepStrictEqual(
        given.problems.filter((problem) => !problem.startsWith("Kafka has no topic")),
        []
      )
      assert.include(renderStatus(given, plain), "set SNOWFLAKE_WAREHOUSE")
    })
  )

  it.effect("is readable", () =>
    Effect.gen(function* () {
      const text = renderStatus(yield* report(), plain)
      assert.include(text, "Group bronze-consumer-group, exactly-once, into DuckDB file x")
      assert.match(text, /^raw\.orders\.v1 +0 +10 +1,510 +510 +1,000 {2}ledger$/m)
      assert.notInclude(text, "LAG/S")
      assert.match(text, /^ORDERS_RAW +1,234 {2}5 s ago$/m)
      assert.include(text, "Total lag: 2,500")
      assert.include(text, "2 dead letters")
    })
  )
})

describe("status --watch", () => {
  const partition = {
    ...{ topic: "raw.orders.v1", low: 0, high: 10_000, stable: 10_000 },
    ...{ source: "ledger" as const, waiting: 0, problem: null }
  }
  const look = (at: number, lags: ReadonlyArray<number>, rows: number): StatusReport => ({
    at,
    ...{ group: "g", delivery: "exactly-once", target: "DuckDB file x", service: null, problems: [], notes: [] },
    partitions: lags.map((lag, index) => ({ ...partition, partition: index, next: 10_000 - lag, lag })),
    lag: lags.reduce((sum, lag) => sum + lag, 0),
    tables: [{ table: "ORDERS_RAW", rows, lastWriteAt: at }]
  })
  const looks = [look(0, [900, 5], 1000), look(2000, [700, 5], 1200), look(4000, [500, 25], 1400)]
  const terminal = { columns: 100, rows: 30 }
  const shown = (from: ReadonlyArray<StatusReport>, size = terminal) => frame(from, size, plain).join("\n")

  it("shows rows a second, lag up or down by partition, and when the backlog will be done", () => {
    const text = shown(looks)
    assert.match(text, /^raw\.orders\.v1 +0 .* 500 +-100 {2}ledger$/m)
    assert.match(text, /^raw\.orders\.v1 +1 .* 25 +\+5\.0 {2}ledger$/m)
    assert.include(text, "Total lag: 525, down 95/s; done in about 6 s")
    assert.match(text, /^Lag [▁-█]+ {3}Rows\/s [▁-█]+$/m)
    assert.match(text, /^ORDERS_RAW +1,400 +100 {2}0 s ago$/m)
  })
  it("knows no rate after one look, nor from a side that was unreachable", () => {
    assert.match(shown(looks.slice(0, 1)), /^raw\.orders\.v1 +0 .* 900 +- {2}ledger$/m)
    const away = { ...look(6000, [], 1400), tables: [], problems: ["Warehouse: away", "Kafka: away"] }
    assert.include(shown([...looks, away]), "✗ Warehouse: away\n✗ Kafka: away")
    assert.notInclude(shown([...looks, away]), "Total lag")
  })
  it("forgets looks that are old, and those at another counter of rows", () => {
    const later = remember(looks, look(13_000, [0, 0], 2000))
    assert.closeTo(ratesOf(later).rows("ORDERS_RAW") ?? 0, 600 / 9, 0.01, "since 4000, not since 0")
    const many = Array.from({ length: 100 }, (_, index) => look(index * 2000, [0], index))
    assert.isBelow(remember(many, look(200_000, [0], 100)).length, 40)
    const service = { url: "http://127.0.0.1:9464", startedAt: 1 }
    assert.lengthOf(remember(looks, { ...look(5000, [0, 0], 10), service }), 1)
  })
  it("is never wider or higher than the terminal, and keeps the lag of those behind most", () => {
    const many = [
      look(
        0,
        Array.from({ length: 40 }, (_, index) => index * 10),
        5
      )
    ]
    const lines = frame(many, { columns: 60, rows: 14 }, plain)
    assert.isAtMost(lines.length, 14)
    assert.isAtMost(Math.max(...lines.map((line) => line.length)), 60)
    const text = lines.join("\n")
    assert.match(text, /^raw\.orders\.v1 +39 .* 390 /m)
    assert.match(text, /^… and 3\d others, with a total lag of [\d,]+$/m)
    assert.include(text, "ORDERS_RAW")
  })
})

describe("doctor", () => {
  it("lists findings with their remedies and counts what is bad", () => {
    const text = renderDoctor(
      [
        { check: "broker", state: "good", detail: "there" },
        { check: "warehouse", state: "bad", detail: "no table T", remedy: "bronze-consumer init" },
        { check: "clock", state: "skipped", detail: "-" }
      ],
      plain
    )
    assert.strictEqual(
      text,
      "✓ broker     there\n✗ warehouse  no table T\n             -> bronze-consumer init\n- clock      -\n\n1 problem to fix."
    )
  })
  it("sets several lines and several remedies below each other, and obeys none of what they say", () => {
    const [finding] = [bad("warehouse", "no table A\nno table \u001b[2JB", "init", "grant it")]
    assert.strictEqual(
      renderDoctor([finding], plain).split("\n\n")[0],
      "✗ warehouse  no table A\n             no table \\u001b[2JB\n             -> init\n             or grant it"
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
  it.effect("says what BATCH_TIMEOUT costs on Snowflake, and that a password is for trials", () =>
    Effect.gen(function* () {
      const login = { SNOWFLAKE_ACCOUNT: "a", SNOWFLAKE_USER: "u", SNOWFLAKE_DATABASE: "d" }
      const said = (env: Record<string, string>) =>
        Effect.result(Settings.load).pipe(
          Effect.map((read) => configuration(read, []).filter(({ check }) => /: (cost|login)$/.test(check))),
          Effect.map((findings) => findings.map(({ detail }) => detail).join("; ")),
          Effect.provide(Settings.environment({ ...login, ...env }))
        )
      const password = yield* said({ SNOWFLAKE_PASSWORD: "p" })
      assert.match(
        password,
        /BATCH_TIMEOUT 5 is shorter than AUTO_SUSPEND .* 24 credits a day .* about 5; SNOWFLAKE_PASSWORD is for trials/
      )
      const token = yield* said({ SNOWFLAKE_TOKEN: "t", SNOWFLAKE_AUTHENTICATOR: "OAUTH", BATCH_TIMEOUT: "300" })
      assert.strictEqual(
        token,
        "BATCH_TIMEOUT 300: a trickle of events costs up to 5.0 credits a day for XS, twice that for each size more"
      )
      assert.strictEqual(yield* said({ SINK: "duckdb" }), "")
    })
  )
  it.effect("warns of settings that are slow, dear or too large, and not of the defaults", () =>
    Effect.gen(function* () {
      const login = { SNOWFLAKE_ACCOUNT: "a", SNOWFLAKE_USER: "u", SNOWFLAKE_PASSWORD: "p", SNOWFLAKE_DATABASE: "d" }
      const warnings = (env: Record<string, string>) =>
        Effect.result(Settings.load).pipe(
          Effect.map((read) => configuration(read, []).filter(({ state }) => state === "warning")),
          Effect.map((findings) => findings.map(({ detail }) => detail.split(" ")[0])),
          Effect.provide(Settings.environment({ ...login, ...env }))
        )
      assert.deepStrictEqual(yield* warnings({}), [])
      assert.deepStrictEqual(
        yield* warnings({
          ...{ BATCH_TIMEOUT: "0.2", BATCH_SIZE: "5", WRITE_MAX_BYTES: "64KiB", WRITE_CONCURRENCY: "16" },
          ...{ DELIVERY: "at-least-once" }
        }),
        ["BATCH_TIMEOUT", "BATCH_SIZE", "WRITE_MAX_BYTES", "WRITE_CONCURRENCY", "DELIVERY"]
      )
    })
  )
})

describe("failures", () => {
  it("are reported with what to do", () => {
    assert.deepStrictEqual(explain(new Settings.SettingsError({ problems: ["A: no"] })).slice(0, 2), [
      "The configuration cannot be used:",
      "  A: no"
    ])
    assert.include(explain(new KafkaError({ reason: "unavailable", message: "x" })).join(), "KAFKA_BOOTSTRAP_SERVERS")
  })
})
