/** The consumer keeps no connection over which the group is not joined. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as TestClock from "effect/testing/TestClock"
import { Admin } from "../../../../src/kafka/Admin.ts"
import { ConsumerGroup } from "../../../../src/kafka/ConsumerGroup.ts"
import * as HeldBack from "../../../../src/kafka/HeldBack.ts"
import { layer as clientLayer, KafkaClient } from "../../../../src/kafka/kafkajs/Client.ts"
import * as KafkaJs from "../../../../src/kafka/kafkajs/ConsumerGroup.ts"
import * as Progress from "../../../../src/observe/Progress.ts"
import * as Settings from "../../../../src/settings/Settings.ts"

const settings = Settings.layer.pipe(Layer.provide(Settings.environment({ SINK: "duckdb", BRONZE_ROUTES: "a=A_RAW" })))
const admin = Layer.mock(Admin, {
  describe: (topics) =>
    Effect.succeed(topics.map((topic) => ({ topic, id: "one", partitions: [0], problem: undefined })))
})

describe("the consumer group", () => {
  it.effect("is joined over another connection when nothing comes of it for 90 seconds", () =>
    Effect.gen(function* () {
      let [opened, closed] = [0, 0]
      // What kafkajs is after its coordinator was lost: it runs, and neither joins nor crashes.
      const stuck = Layer.effect(
        KafkaClient,
        Effect.map(KafkaClient, (client) => {
          const make = client.kafka.consumer.bind(client.kafka)
          client.kafka.consumer = (options) => {
            opened += 1
            return Object.assign(make(options), {
              connect: () => Promise.resolve(),
              subscribe: () => Promise.resolve(),
              run: () => Promise.resolve(),
              disconnect: async () => {
                closed += 1
              }
            })
          }
          return client
        })
      ).pipe(Layer.provide(clientLayer))
      const parts = yield* Layer.build(
        KafkaJs.layer.pipe(
          Layer.provideMerge(Layer.mergeAll(admin, Progress.layer, stuck, HeldBack.layer)),
          Layer.provideMerge(settings)
        )
      )
      const { consume } = yield* Effect.provide(ConsumerGroup, parts)
      yield* Effect.forkScoped(consume(() => Effect.void))
      yield* TestClock.adjust("89 seconds")
      assert.deepStrictEqual([opened, closed], [1, 0])
      yield* TestClock.adjust("3 seconds")
      assert.deepStrictEqual([opened, closed], [2, 1])
      yield* TestClock.adjust("92 seconds")
      assert.deepStrictEqual([opened, closed], [3, 2])
    })
  )
})
