/** Which topics are read: each is judged by itself, named once, and the group is joined again when that changes. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as TestClock from "effect/testing/TestClock"
import { Admin } from "../../../src/kafka/Admin.ts"
import { HeldBack } from "../../../src/kafka/HeldBack.ts"
import * as KafkaClient from "../../../src/kafka/kafkajs/Client.ts"
import type { TopicProblem, TopicState } from "../../../src/kafka/kafkajs/TopicMetadata.ts"
import * as RoutedTopics from "../../../src/kafka/RoutedTopics.ts"
import * as Progress from "../../../src/observe/Progress.ts"
import * as Settings from "../../../src/settings/Settings.ts"

const gone: TopicProblem = { reason: "missing", message: "not there" }
const leaderless: TopicProblem = { reason: "unavailable", message: "no leader" }

/** `now` is what Kafka says, and may be changed. */
const watched = Effect.fnUntraced(function* (now: Record<string, { id?: string; problem?: TopicProblem }>) {
  const heldBack = new Map<string, string>()
  const admin = Layer.mock(Admin, {
    describe: (topics) =>
      Effect.sync(() =>
        topics.map((topic): TopicState => {
          const { id = "one", problem } = now[topic] ?? {}
          return { topic, id, partitions: [0], problem }
        })
      )
  })
  const settings = Settings.layer.pipe(
    Layer.provide(Settings.environment({ SINK: "duckdb", BRONZE_ROUTES: "a=A_RAW, b=B_RAW" }))
  )
  const parts = yield* Layer.build(
    Layer.mergeAll(admin, Progress.layer, KafkaClient.layer, Layer.succeed(HeldBack, heldBack)).pipe(
      Layer.provideMerge(settings)
    )
  )
  const topics = yield* Effect.provide(RoutedTopics.make, parts)
  const progress = yield* Effect.provide(Progress.Progress, parts)
  return { topics, heldBack, unread: () => progress.view().unreadTopics.map(({ topic }) => topic) }
})

const names = (states: ReadonlyArray<TopicState>) => states.map(({ topic }) => topic)

describe("routed topics", () => {
  it.effect("that can be read are read, the others named", () =>
    Effect.gen(function* () {
      const { topics, unread } = yield* watched({ a: { problem: leaderless } })
      assert.deepStrictEqual(names(yield* topics.readable), ["b"])
      assert.deepStrictEqual(unread(), ["a"])
    })
  )
  it.effect("that are held back are named with the reason, and read once they no longer are", () =>
    Effect.gen(function* () {
      const { heldBack, topics, unread } = yield* watched({})
      heldBack.set("b", "table B_RAW is missing")
      const states = yield* topics.readable
      assert.deepStrictEqual([names(states), unread()], [["a"], ["b"]])
      const changed = yield* Effect.forkChild(Effect.flip(topics.changed(states)))
      yield* TestClock.adjust("60 seconds")
      assert.isUndefined(changed.pollUnsafe())
      heldBack.clear()
      yield* TestClock.adjust("5 seconds")
      assert.strictEqual((yield* Fiber.join(changed)).message, "topic b can be read now")
    })
  )
  it.effect("are waited for while there is none", () =>
    Effect.gen(function* () {
      const now: Record<string, { problem?: TopicProblem }> = { a: { problem: gone }, b: { problem: gone } }
      const { topics, unread } = yield* watched(now)
      const waiting = yield* Effect.forkChild(topics.readable)
      yield* TestClock.adjust("60 seconds")
      assert.deepStrictEqual(unread(), ["a", "b"])
      now["b"] = {}
      yield* TestClock.adjust("5 seconds")
      assert.deepStrictEqual(names(yield* Fiber.join(waiting)), ["b"])
      assert.deepStrictEqual(unread(), ["a"])
    })
  )
  it.effect.each([
    ["comes", { a: { problem: gone } }, { a: {} }, 5, /topic a can be read now/],
    ["is recreated", {}, { a: { id: "two" } }, 5, /topic a was recreated/],
    ["is gone, twice in a row", {}, { a: { problem: gone } }, 10, /topic a can no longer be read: not there/]
  ] as const)("are joined again when one %s", ([_, before, after, seconds, said]) =>
    Effect.gen(function* () {
      const now: Record<string, { id?: string; problem?: TopicProblem }> = { ...before }
      const { topics } = yield* watched(now)
      const changed = yield* Effect.forkChild(Effect.flip(topics.changed(yield* topics.readable)))
      yield* TestClock.adjust("60 seconds")
      assert.isUndefined(changed.pollUnsafe())
      Object.assign(now, after)
      yield* TestClock.adjust(`${seconds} seconds`)
      assert.match((yield* Fiber.join(changed)).message, said)
    })
  )
  it.effect("are left alone while a leader is elected, or a broker has just started", () =>
    Effect.gen(function* () {
      const now: Record<string, { problem?: TopicProblem }> = {}
      const { topics } = yield* watched(now)
      const changed = yield* Effect.forkChild(Effect.flip(topics.changed(yield* topics.readable)))
      for (const problem of [leaderless, gone, undefined, gone, undefined]) {
        now["a"] = problem === undefined ? {} : { problem }
        yield* TestClock.adjust("5 seconds")
      }
      assert.isUndefined(changed.pollUnsafe())
    })
  )
})
