/**
 * `dlq` on every warehouse: what it lists and shows, and that a dead letter becomes a row once, whoever asks and
 * however often.
 */
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import * as NodeServices from "@effect/platform-node/NodeServices"
import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as TestConsole from "effect/testing/TestConsole"
import { type Emulator, startEmulator } from "../../../scripts/emulator/emulator.ts"
import * as Layers from "../../../src/app/Layers.ts"
import * as Dlq from "../../../src/cli/dlq/Dlq.ts"
import { timeOf } from "../../../src/cli/dlq/Filter.ts"
import * as Batch from "../../../src/domain/Batch.ts"
import * as Schemas from "../../../src/schema/Schemas.ts"
import * as Settings from "../../../src/settings/Settings.ts"
import { Warehouse } from "../../../src/warehouse/Warehouse.ts"
import * as MemoryWarehouse from "../../support/MemoryWarehouse.ts"
import { route, row } from "../../support/Outcomes.ts"
import { letter } from "../../support/warehouse/batches.ts"

const home = mkdtempSync(join(tmpdir(), "bronze-dlq-"))
let emulator: Emulator | undefined
beforeAll(async () => {
  emulator = await startEmulator()
})
afterAll(async () => {
  await emulator?.stop()
  rmSync(home, { recursive: true, force: true })
})

const routeText = "raw.orders.v1=ORDERS_RAW(ORDER_ID=order_id,USER_ID=user_id:NUMBER)"
const orders = route(routeText)
const topic = orders.topic
const base64 = (text: string) => Buffer.from(text).toString("base64")

let count = 0
const subjects: Readonly<
  Record<string, () => { env: Record<string, string>; warehouse: Layer.Layer<Warehouse, never, Settings.Settings> }>
> = {
  Memory: () => ({
    env: { SINK: "duckdb" },
    warehouse: Layer.unwrap(Effect.map(MemoryWarehouse.make({ routes: [orders] }), ({ layer }) => layer))
  }),
  DuckDB: () => ({
    env: { SINK: "duckdb", DUCKDB_PATH: join(home, `${++count}.db`) },
    warehouse: Layer.fresh(Layers.warehouse)
  }),
  Snowflake: () => ({
    env: {
      ...{ SNOWFLAKE_HOST: emulator?.url ?? "", SNOWFLAKE_ACCOUNT: "a", SNOWFLAKE_USER: "u", SNOWFLAKE_PASSWORD: "p" },
      ...{ SNOWFLAKE_DATABASE: `DLQ${++count}`, SNOWFLAKE_WAREHOUSE: "WH" }
    },
    warehouse: Layer.fresh(Layers.warehouse)
  })
}

/** Offset 0 is a row; 1 decodes by now, 2 is not JSON, 3 not even text, 4 is cut. */
const seed = Effect.gen(function* () {
  const { claim, init, write } = yield* Warehouse
  yield* init
  const [entry] = yield* claim([{ topic, partition: 0, offset: 0 }], "member")
  const letters = [
    letter({
      offset: 1,
      cause: "refused",
      payload: base64('{"order_id":"o-1","user_id":9007199254740993}'),
      key: "base64:x",
      headers: '{"h":"1"}'
    }),
    letter({ offset: 2, payload: base64('{"order_id":') }),
    letter({ offset: 3, cause: "not_utf8", payload: Buffer.from([0xff, 0x00, 0x41]).toString("base64") }),
    letter({ offset: 4, cause: "too_large", payload: base64('{"a":1}'), truncated: true, message: "too large" })
  ]
  yield* write(
    Batch.make({
      table: orders.table,
      outcomes: [row({ event: '{"order_id":"o-0"}' }), ...letters],
      trigger: "time",
      claimed: () => entry ?? { epoch: 0, next: 0 }
    })
  )
})

const nothing = {
  topic: Option.none(),
  cause: Option.none(),
  since: Option.none(),
  until: Option.none(),
  limit: 100,
  json: false
}
const replay = (given: Partial<Dlq.ReplayFlags>) =>
  Effect.exit(Dlq.replay({ ...nothing, at: undefined, all: true, dryRun: false, payload: undefined, ...given })).pipe(
    Effect.map(({ _tag }) => _tag)
  )
const at = (offset: number) => ({ topic, partition: 0, offset })
const said = Effect.map(TestConsole.logLines, (lines) => lines.map(String))
const lastSaid = Effect.map(said, (lines) => lines.at(-1) ?? "")

/** Rows, waiting letters and duplicates of the partition. */
const standing = Effect.gen(function* () {
  const [zero] = yield* (yield* Warehouse).coverage
  return [zero?.rows, zero?.waiting, zero?.duplicates, zero?.missing]
})

for (const [name, open] of Object.entries(subjects)) {
  const test = <E>(
    title: string,
    program: Effect.Effect<
      void,
      E,
      Warehouse | Schemas.Schemas | Settings.Settings | Layer.Success<typeof NodeServices.layer>
    >
  ) =>
    it.live(title, () =>
      Effect.suspend(() => {
        const { env, warehouse } = open()
        return Effect.andThen(seed, program).pipe(
          Effect.provide([warehouse, NodeServices.layer, TestConsole.layer, Schemas.layerBrief]),
          Effect.provide(Settings.layer),
          Effect.provide(
            Settings.environment({
              BRONZE_ROUTES: routeText,
              ...env
            })
          )
        )
      })
    )

  describe(`dlq on ${name}`, () => {
    test(
      "replays what decodes, leaves what does not with its reason, and does nothing the second time",
      Effect.gen(function* () {
        assert.strictEqual(yield* replay({}), "Failure")
        const lines = yield* said
        assert.include(lines.join("\n"), `✓ ${topic}/0@1 -> ORDERS_RAW`)
        assert.match(lines.join("\n"), /✗ raw\.orders\.v1\/0@2 stays a dead letter: not_json: .*\n/)
        assert.match(lines.join("\n"), /0@3 stays a dead letter: not_utf8/)
        assert.match(lines.join("\n"), /0@4 stays a dead letter: only the beginning .* --payload FILE/)
        assert.strictEqual(lines.at(-1), "1 dead letter replayed, 3 failed")
        assert.deepStrictEqual(yield* standing, [2, 3, 0, 0])
        // By choice it is not found any more; by its place it was replayed before, and that is as good.
        assert.strictEqual(yield* replay({ cause: Option.some("refused") }), "Success")
        assert.strictEqual(yield* lastSaid, "0 dead letters replayed")
        assert.strictEqual(yield* replay({ at: [at(1)] }), "Success")
        assert.strictEqual(yield* lastSaid, "0 dead letters replayed, 1 replayed before")
        assert.deepStrictEqual(yield* standing, [2, 3, 0, 0])
      })
    )

    test(
      "replays the records that are named, and names those that are none",
      Effect.gen(function* () {
        assert.strictEqual(yield* replay({ at: [at(1), at(1), at(3)], dryRun: true }), "Failure")
        assert.strictEqual(yield* lastSaid, "1 dead letter would become rows, 1 failed; nothing was changed")
        assert.strictEqual(yield* replay({ at: [at(1), at(77)] }), "Failure")
        assert.strictEqual(yield* lastSaid, "1 dead letter replayed")
        assert.deepStrictEqual(yield* TestConsole.errorLines, [`There is no dead letter at ${topic}/0@77`])
        assert.deepStrictEqual(yield* standing, [2, 3, 0, 0])
      })
    )

    test(
      "what several operators replay at the same time lands once",
      Effect.gen(function* () {
        const results = yield* Effect.all(
          Array.from({ length: 4 }, () => replay({ cause: Option.some("refused") })),
          { concurrency: "unbounded" }
        )
        assert.deepStrictEqual(results, ["Success", "Success", "Success", "Success"])
        assert.deepStrictEqual(yield* standing, [2, 3, 0, 0])
      })
    )

    test(
      "a repaired event takes the place of a broken one; one that is still broken does not",
      Effect.gen(function* () {
        assert.strictEqual(yield* replay({ at: [at(2)], payload: Buffer.from("{still broken") }), "Failure")
        assert.deepStrictEqual(yield* standing, [1, 4, 0, 0])
        for (const offset of [2, 3, 4])
          assert.strictEqual(
            yield* replay({ at: [at(offset)], payload: Buffer.from('{"order_id":"fixed"}') }),
            "Success"
          )
        assert.deepStrictEqual(yield* standing, [4, 1, 0, 0])
      })
    )

    test(
      "a dry run says what would become of them and changes nothing",
      Effect.gen(function* () {
        assert.strictEqual(yield* replay({ dryRun: true }), "Failure")
        assert.strictEqual(yield* lastSaid, "1 dead letter would become rows, 3 failed; nothing was changed")
        assert.deepStrictEqual(yield* standing, [1, 4, 0, 0])
      })
    )

    test(
      "are listed, and shown with their payload",
      Effect.gen(function* () {
        yield* Dlq.list({ ...nothing, cause: Option.some("not_json"), replayed: false })
        assert.match(yield* lastSaid, /^RECORD .*\nraw\.orders\.v1\/0@2 {2}not_json .* 12 /)
        yield* Dlq.show(at(1), { json: false, raw: false })
        const shown = yield* lastSaid
        assert.match(shown, /^key +base64:x$/m)
        assert.match(shown, /^timestamp +2026-02-07T10:30:00\.000Z$/m)
        assert.include(shown, '\n\n{"order_id":"o-1","user_id":9007199254740993}')
        yield* Dlq.show(at(3), { json: false, raw: false })
        assert.match(yield* lastSaid, /\n\n0000 {2}ff 00 41 +\.\.A$/)
        yield* replay({ at: [at(1)] })
        yield* Dlq.list({ ...nothing, replayed: true, json: true })
        const all: ReadonlyArray<Record<string, unknown>> = JSON.parse(yield* lastSaid)
        assert.deepStrictEqual(
          all.map(({ offset, replayedAt }) => [offset, typeof replayedAt]),
          [
            [1, "string"],
            [2, "object"],
            [3, "object"],
            [4, "object"]
          ]
        )
        assert.strictEqual(all[0]?.["timestamp"], "2026-02-07T10:30:00.000Z")
        assert.match(String(all[0]?.["ingestedAt"]), /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/)
        assert.strictEqual((yield* Effect.exit(Dlq.show(at(77), { json: false, raw: false })))._tag, "Failure")
      })
    )
  })
}

describe("a replayed row", () => {
  it.effect("has the coordinates, time, key and headers of its record, and its columns decoded again", () =>
    Effect.gen(function* () {
      const memory = yield* MemoryWarehouse.make({ routes: [orders] })
      yield* Effect.andThen(seed, replay({ at: [at(1)] })).pipe(
        Effect.provide([memory.layer, NodeServices.layer, Schemas.layerBrief]),
        Effect.provide(Settings.layer),
        Effect.provide(Settings.environment({ SINK: "duckdb", BRONZE_ROUTES: routeText }))
      )
      assert.deepInclude(memory.rows("ORDERS_RAW")[1], {
        ...{ topic, partition: 0, offset: 1, timestamp: Date.UTC(2026, 1, 7, 10, 30) },
        ...{ key: "base64:x", headers: '{"h":"1"}' },
        ...{ event: Buffer.from('{"order_id":"o-1","user_id":9007199254740993}'), columns: ["o-1", "9007199254740993"] }
      })
    })
  )
})

describe("times", () => {
  it("are ages or ISO 8601, in UTC by default", () => {
    const now = Date.UTC(2026, 1, 7, 12)
    assert.deepStrictEqual(
      ["30m", "2h", "7d", "2026-02-07", "2026-02-07T10:30", "2026-02-07 10:30:00", "2026-02-07T10:30:00+02:00"].map(
        (text) => {
          const time = timeOf(text, now)
          return time === undefined ? undefined : (now - time) / 60_000
        }
      ),
      [30, 120, 7 * 24 * 60, 12 * 60, 90, 90, 210]
    )
    for (const text of ["", "2", "2w", "yesterday", "2026-13-45"]) assert.isUndefined(timeOf(text, now), text)
  })
})
