/** When the flow ends for a new topic, and what becomes of topics whose tables cannot be written. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as TestClock from "effect/testing/TestClock"
import * as Discovery from "../../../src/app/Discovery.ts"
import { Admin } from "../../../src/kafka/Admin.ts"
import { HeldBack } from "../../../src/kafka/HeldBack.ts"
import * as Progress from "../../../src/observe/Progress.ts"
import { withTopics } from "../../../src/settings/Discovery.ts"
import * as Settings from "../../../src/settings/Settings.ts"
import { type Problem, Warehouse } from "../../../src/warehouse/Warehouse.ts"

const isMissing: Problem = { what: "table A is missing", remedy: "init", table: "A" }

/** A service that reads topic `a`; what Kafka and the warehouse say may be changed. */
const running = Effect.fnUntraced(function* (env: Readonly<Record<string, string>> = {}) {
  const says = { topics: ["a"], problems: [] as ReadonlyArray<Problem>, created: 0 }
  const heldBack = new Map<string, string>()
  const settings = Settings.layer.pipe(
    Layer.provide(Settings.environment({ SINK: "duckdb", BRONZE_ROUTES: "{name}={NAME}", ...env }))
  )
  const read = yield* Effect.provide(Settings.Settings, settings)
  const discovery = yield* Effect.provideService(Discovery.make, Settings.Settings, read)
  const parts = yield* Layer.build(
    Layer.mergeAll(
      Progress.layer,
      Layer.mock(Admin, { topics: Effect.sync(() => says.topics) }),
      Layer.mock(Warehouse, {
        ...{ name: "DuckDB", target: "DuckDB", writers: 1, ddl: [] },
        preflight: Effect.sync(() => says.problems),
        init: Effect.sync(() => {
          says.created += 1
          return { created: [], added: [], present: [] }
        })
      }),
      Layer.succeed(HeldBack, heldBack)
    ).pipe(Layer.provideMerge(Layer.succeed(Settings.Settings, withTopics(read, ["a"]))))
  )
  const progress = yield* Effect.provide(Progress.Progress, parts)
  const grown = yield* Effect.forkChild(Effect.provide(discovery.grown, parts))
  yield* TestClock.adjust("1 second")
  return { says, heldBack, progress, grown }
})

describe("a topic that is found", () => {
  it.effect("ends the flow, but not while the warehouse leaves a write without an answer", () =>
    Effect.gen(function* () {
      const { grown, progress, says } = yield* running({ BATCH_TIMEOUT: "1" })
      const place = { topic: "a", partition: 0 }
      progress.assigned([{ ...place, offset: 0, stopped: false }])
      progress.fetched({ ...place, next: 1, records: [1] })
      says.topics = ["a", "b"]
      yield* TestClock.adjust("60 seconds")
      assert.isUndefined(grown.pollUnsafe())
      yield* TestClock.adjust("8 seconds")
      progress.failed("A", { reason: "unavailable", message: "no", isRetryable: true, isAnswer: true }, 1)
      yield* TestClock.adjust("1 second")
      assert.deepStrictEqual(yield* Fiber.join(grown), ["a", "b"])
    })
  )
  it.effect("ends it while events wait for their batch, however long that is", () =>
    Effect.gen(function* () {
      const { grown, progress, says } = yield* running({ BATCH_TIMEOUT: "60" })
      const place = { topic: "a", partition: 0 }
      progress.assigned([{ ...place, offset: 0, stopped: false }])
      progress.fetched({ ...place, next: 1, records: [1] })
      yield* TestClock.adjust("40 seconds")
      says.topics = ["a", "b"]
      yield* TestClock.adjust("10 seconds")
      assert.deepStrictEqual(yield* Fiber.join(grown), ["a", "b"])
    })
  )
  it.effect("does not end it when it can have no route, or was read before", () =>
    Effect.gen(function* () {
      const { grown, says } = yield* running()
      says.topics = ["__consumer_offsets", "dead-letters"]
      yield* TestClock.adjust("60 seconds")
      assert.isUndefined(grown.pollUnsafe())
    })
  )
})

describe("a topic that is held back", () => {
  it.effect("stays so while nothing is known of its table, and while it is missing", () =>
    Effect.gen(function* () {
      const { heldBack, says } = yield* running()
      heldBack.set("a", "missing")
      for (const problems of [[isMissing], [{ what: "the schema is missing", remedy: "init" }]]) {
        says.problems = problems
        yield* TestClock.adjust("20 seconds")
        assert.isTrue(heldBack.has("a"))
      }
      assert.strictEqual(says.created, 0)
      says.problems = []
      // The looks at its table become fewer: they may wake a virtual warehouse.
      yield* TestClock.adjust("28 seconds")
      assert.isTrue(heldBack.has("a"))
      yield* TestClock.adjust("2 seconds")
      assert.isFalse(heldBack.has("a"))
    })
  )
  it.effect("gets its table with AUTO_CREATE_TABLES as soon as it can be created", () =>
    Effect.gen(function* () {
      const { heldBack, says } = yield* running({ AUTO_CREATE_TABLES: "true" })
      heldBack.set("a", "missing")
      yield* TestClock.adjust("10 seconds")
      assert.deepStrictEqual([says.created, heldBack.size], [1, 0])
    })
  )
})
