/** What ends a start: the topics that are not there, and a Kafka that refuses to say. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { firstTopics, missingTopics } from "../../../src/app/Startup.ts"
import { Admin } from "../../../src/kafka/Admin.ts"
import { KafkaError } from "../../../src/kafka/KafkaError.ts"
import * as Progress from "../../../src/observe/Progress.ts"
import * as Settings from "../../../src/settings/Settings.ts"

const refused = new KafkaError({ reason: "denied", message: "the password is wrong" })

/** A cluster without any topic. */
const empty = Layer.mock(Admin, {
  topics: refused,
  describe: (topics) =>
    Effect.succeed(
      topics.map((topic) => ({
        topic,
        id: undefined,
        partitions: [],
        problem: { reason: "missing", message: "not there" }
      }))
    )
})

const atStart = (routes: string) =>
  Effect.provide(
    Layer.mergeAll(empty, Progress.layer).pipe(
      Layer.provideMerge(Settings.layer),
      Layer.provide(Settings.environment({ SINK: "duckdb", BRONZE_ROUTES: routes }))
    )
  )

describe("at the start", () => {
  it.effect.each([
    ["a=A, b=B", ["a", "b"]],
    ["a=A, raw.{name}={NAME}", []],
    ["raw.{name}={NAME}", []]
  ] as const)("without a topic of %s, %j have to be created first", ([routes, missing]) =>
    Effect.gen(function* () {
      const problems = yield* missingTopics
      assert.deepStrictEqual(
        problems.map(({ what }) => what),
        missing.map((topic) => `Kafka has no topic ${topic} that this user may see`)
      )
    }).pipe(atStart(routes))
  )
  it.effect("a refusal of Kafka is said where only templates ask it", () =>
    Effect.gen(function* () {
      const { problems } = yield* Effect.flip(firstTopics)
      assert.match(problems[0] ?? "", /the password is wrong: check KAFKA_SECURITY_PROTOCOL/)
    }).pipe(atStart("raw.{name}={NAME}"))
  )
  it.effect("no topic is asked for where there is no template", () =>
    Effect.gen(function* () {
      assert.deepStrictEqual(yield* firstTopics, [])
    }).pipe(atStart("a=A"))
  )
})
