/** The contract of a warehouse, as tests that every implementation has to pass. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Decode from "../../../src/pipeline/Decode.ts"
import { Warehouse } from "../../../src/warehouse/Warehouse.ts"
import { record, route } from "../Outcomes.ts"
import { batchOf, claimAll, letter } from "./batches.ts"
import { columnsSuite } from "./ColumnsSuite.ts"
import { coverageSuite } from "./CoverageSuite.ts"
import { jsonSuite } from "./JsonSuite.ts"
import { ledgerSuite } from "./LedgerSuite.ts"
import { replaySuite } from "./ReplaySuite.ts"
import { type Given, Inspector, type Subject, testRoutes } from "./Subject.ts"
import { upgradeSuite } from "./UpgradeSuite.ts"

/** The program, on a warehouse whose tables have been made. */
export const initialized = <E, R>(program: Effect.Effect<void, E, R>) =>
  Effect.andThen(
    Effect.flatMap(Warehouse, ({ init }) => init),
    program
  )

export const suite = (subject: Subject): void => {
  const test = <E>(name: string, program: Effect.Effect<void, E, Warehouse | Inspector>, given?: Given) =>
    it.live(name, () => Effect.provide(initialized(program), subject.open(given)))

  describe(`${subject.name} keeps the contract`, () => {
    test(
      "init may be run again and takes nothing away",
      Effect.gen(function* () {
        const warehouse = yield* Warehouse
        yield* warehouse.write(batchOf("ORDERS_RAW", yield* claimAll(), [{ offset: 0 }]))
        yield* warehouse.init
        assert.strictEqual((yield* (yield* Inspector).rows("ORDERS_RAW")).length, 1)
        assert.deepStrictEqual(yield* warehouse.preflight, [])
      })
    )

    test(
      "a row lands with its coordinates, key, headers and typed columns",
      Effect.gen(function* () {
        const { write } = yield* Warehouse
        const given = {
          partition: 1,
          offset: 0,
          timestamp: Date.UTC(2026, 1, 7, 10, 30, 0, 123),
          key: `it's "k" \\ 🎉 Zoë`,
          headers: `{"trace":"a'b\\"c","é":"🎉"}`,
          event: `{"s":"it's \\"q\\" \\\\ 🎉 Zoë"}`,
          columns: ["o'1", subject.widest, "1.5", "true", "2026-02-07 10:30:00.123456", "x"]
        }
        yield* write(batchOf("ORDERS_RAW", yield* claimAll(), [given]))
        const [row, ...others] = yield* (yield* Inspector).rows("ORDERS_RAW")
        assert.deepStrictEqual(others, [])
        const { event, headers, ...rest } = given
        assert.deepInclude(row, { ...rest, topic: "raw.orders.v1", timestamp: "2026-02-07 10:30:00.123" })
        assert.deepStrictEqual(JSON.parse(row?.event ?? ""), JSON.parse(event))
        assert.deepStrictEqual(JSON.parse(row?.headers ?? ""), JSON.parse(headers))
      })
    )

    test(
      "an event that names a key twice lands, as whoever parses it reads it",
      Effect.gen(function* () {
        const { write } = yield* Warehouse
        const decode = Decode.make(route(testRoutes), {
          tombstones: "insert",
          uniqueKeys: subject.keepsLedger === false
        })
        const outcome = decode(record({ value: '{"a":1,"b":0,"a":2}' }))
        if (outcome._tag === "Skip") return yield* Effect.die("no outcome")
        yield* write(batchOf("ORDERS_RAW", yield* claimAll(), [outcome]))
        const [row] = yield* (yield* Inspector).rows("ORDERS_RAW")
        assert.deepStrictEqual(JSON.parse(row?.event ?? ""), { a: 2, b: 0 })
      })
    )

    test(
      `the payload is kept ${subject.keepsText ? "byte for byte" : "as the same value"}`,
      Effect.gen(function* () {
        const { write } = yield* Warehouse
        const event = '{"z": 9007199254740993, "a":1.10,  "m":{"b":[1, 2]},"e":"\\u00e9"}'
        yield* write(batchOf("ORDERS_RAW", yield* claimAll(), [{ offset: 0, event }]))
        const [row] = yield* (yield* Inspector).rows("ORDERS_RAW")
        if (subject.keepsText) assert.strictEqual(row?.event, event)
        assert.include(row?.event, "9007199254740993")
        assert.deepStrictEqual(JSON.parse(row?.event ?? ""), JSON.parse(event))
      })
    )

    test(
      "a tombstone is SQL NULL, the payload null is JSON null",
      Effect.gen(function* () {
        const { write } = yield* Warehouse
        yield* write(
          batchOf("ORDERS_RAW", yield* claimAll(), [
            { offset: 0, event: null },
            { offset: 1, event: "null" }
          ])
        )
        const rows = yield* (yield* Inspector).rows("ORDERS_RAW")
        assert.deepStrictEqual(
          rows.map(({ event }) => event),
          [null, "null"]
        )
      })
    )

    test(
      "events of every JSON type land, and none disturbs its neighbours",
      Effect.gen(function* () {
        const { write } = yield* Warehouse
        const events = ["{}", "[]", '"text"', "1", "true", "[1,{}]", '{"a":{"b":[null]}}']
        yield* write(
          batchOf(
            "ORDERS_RAW",
            yield* claimAll(),
            events.map((event, offset) => ({ offset, event }))
          )
        )
        const rows = yield* (yield* Inspector).rows("ORDERS_RAW")
        assert.deepStrictEqual(
          rows.map(({ event }) => JSON.parse(event ?? "")),
          events.map((event) => JSON.parse(event))
        )
      })
    )

    test(
      "dead letters land with all they carry, beside the rows",
      Effect.gen(function* () {
        const { write } = yield* Warehouse
        const bad = letter({ offset: 1, key: "k'1", headers: '{"h":"1"}', message: `it's "bad" 🎉` })
        const empty = letter({ offset: 2, payload: null, cause: "too_large", message: "" })
        yield* write(batchOf("ORDERS_RAW", yield* claimAll(), [{ offset: 0 }, bad, empty]))
        const inspect = yield* Inspector
        assert.strictEqual((yield* inspect.rows("ORDERS_RAW")).length, 1)
        const letters = yield* inspect.deadLetters
        const place = {
          table: "ORDERS_RAW",
          topic: "raw.orders.v1",
          partition: 0,
          timestamp: "2026-02-07 10:30:00.000"
        }
        assert.deepStrictEqual(
          letters.map(({ headers, ...rest }) => ({ ...rest, headers: headers === null ? null : JSON.parse(headers) })),
          [
            {
              ...place,
              offset: 1,
              key: "k'1",
              headers: { h: "1" },
              payload: "eyJh",
              cause: "not_json",
              message: `it's "bad" 🎉`
            },
            { ...place, offset: 2, key: null, headers: null, payload: null, cause: "too_large", message: "" }
          ]
        )
      })
    )

    test(
      "a batch of thousands lands whole",
      Effect.gen(function* () {
        const { summary, write } = yield* Warehouse
        const count = 5000
        const outcomes = Array.from({ length: count }, (_, offset) => ({ offset, event: `{"n":${offset}}` }))
        yield* write(batchOf("ORDERS_RAW", yield* claimAll(), outcomes))
        assert.strictEqual((yield* summary).find(({ table }) => table === "ORDERS_RAW")?.rows, count)
      })
    )

    test(
      "summary counts rows and dead letters and knows the last write",
      Effect.gen(function* () {
        const { summary, write } = yield* Warehouse
        const before = Date.now()
        yield* write(batchOf("ORDERS_RAW", yield* claimAll(), [{ offset: 0 }, { offset: 1 }, letter({ offset: 2 })]))
        const tables = yield* summary
        assert.deepStrictEqual(
          tables.map(({ rows, table }) => [table, rows]),
          [
            ["ORDERS_RAW", 2],
            ["CLICKS_RAW", 0],
            ["DEAD_LETTERS", 1]
          ]
        )
        const [orders, clicks] = tables
        assert.isAtLeast(orders?.lastWriteAt ?? 0, before - 1000)
        assert.isAtMost(orders?.lastWriteAt ?? 0, Date.now() + 1000)
        assert.strictEqual(clicks?.lastWriteAt, null)
      })
    )

    if (subject.hasTables) {
      test(
        "typed columns that do not fit are NULL, and the row lands",
        Effect.gen(function* () {
          const { write } = yield* Warehouse
          const columns = ["", "abc", "much", "perhaps", "yesterday", null]
          yield* write(batchOf("ORDERS_RAW", yield* claimAll(), [{ offset: 0, columns, timestamp: -1 }]))
          const [row] = yield* (yield* Inspector).rows("ORDERS_RAW")
          assert.deepStrictEqual(row?.columns, ["", null, null, null, null, null])
          assert.strictEqual(row?.timestamp, null)
        })
      )

      if (subject.isLeastRole !== true)
        it.live("preflight on an empty warehouse leads to init; a write before it is denied", () =>
          Effect.gen(function* () {
            const warehouse = yield* Warehouse
            const problems = yield* warehouse.preflight
            assert.isAbove(problems.length, 0)
            assert.include(problems[0]?.remedy, "bronze-consumer init")
            const error = yield* Effect.flip(
              subject.keepsLedger === false
                ? Effect.asVoid(claimAll())
                : warehouse.write(batchOf("ORDERS_RAW", [], [{ offset: 0 }]))
            )
            assert.strictEqual(error.reason, "denied")
            assert.include(error.message, "bronze-consumer init")
          }).pipe(Effect.provide(subject.open()))
        )

      if (subject.keepsLedger !== false)
        test(
          "at-least-once needs no ledger",
          Effect.gen(function* () {
            const { preflight } = yield* Warehouse
            yield* (yield* Inspector).run("DROP TABLE {T}CONSUMER_OFFSETS")
            assert.deepStrictEqual(yield* preflight, [])
          }),
          { delivery: "at-least-once" }
        )
    }

    const { refusedEvent } = subject
    if (refusedEvent !== undefined)
      test(
        "data that the warehouse refuses is told apart, and nothing of its batch lands",
        Effect.gen(function* () {
          const { ledger, write } = yield* Warehouse
          const claimed = yield* claimAll()
          const error = yield* Effect.flip(
            write(batchOf("ORDERS_RAW", claimed, [{ offset: 0 }, { offset: 1, event: refusedEvent }]))
          )
          assert.strictEqual(error.reason, "refused")
          assert.notInclude(error.message, refusedEvent)
          assert.deepStrictEqual(yield* (yield* Inspector).rows("ORDERS_RAW"), [])
          assert.strictEqual((yield* ledger)[0]?.next, 0)
          // The session it failed on is fit for the next.
          yield* write(batchOf("ORDERS_RAW", claimed, [{ offset: 0 }]))
          assert.strictEqual((yield* (yield* Inspector).rows("ORDERS_RAW")).length, 1)
        })
      )

    if (subject.keepsLedger !== false) {
      ledgerSuite(test)
      coverageSuite(test)
      if (subject.hasTables && subject.isLeastRole !== true) upgradeSuite(test)
    }
    replaySuite(test, subject.keepsLedger !== false)
    if (subject.hasTables) columnsSuite(test, subject)
    if (subject.hasTables) jsonSuite(test, subject)
  })
}
