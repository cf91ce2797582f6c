/**
 * What Kafka lets this user do, asked with requests that change nothing: each names a partition or a member that does
 * not exist, so that only the right to it decides the answer.
 */
import * as Effect from "effect/Effect"
import type { KafkaError } from "./KafkaError.ts"
import * as RawCluster from "./kafkajs/RawCluster.ts"

export interface Rights {
  /** READ on a topic. */
  readonly mayRead: (topic: string) => Effect.Effect<boolean, KafkaError>
  /** WRITE on a topic. */
  readonly mayWrite: (topic: string) => Effect.Effect<boolean, KafkaError>
  /** READ on a consumer group: to join it, and to commit. */
  readonly mayJoin: (group: string) => Effect.Effect<boolean, KafkaError>
}

/** No topic has so many partitions. */
const nowhere = 2_147_483_647

/** Over a connection of its own, closed with the scope. */
export const make = Effect.gen(function* () {
  const { ask } = yield* RawCluster.make

  /** The request always fails; the question is with what. */
  const isAllowed = (request: (broker: RawCluster.RawBroker) => Promise<unknown>): Effect.Effect<boolean, KafkaError> =>
    ask("ask for rights", async (cluster) => request(await cluster.brokerPool.findConnectedBroker())).pipe(
      Effect.as(true),
      Effect.catchIf(
        ({ cause }) => answerOf(cause) !== undefined,
        ({ cause }) => Effect.succeed(!/AUTHORIZATION_FAILED$/.test(answerOf(cause) ?? ""))
      )
    )

  return {
    mayRead: (topic) =>
      isAllowed((broker) =>
        broker.fetch({
          maxWaitTime: 0,
          minBytes: 0,
          maxBytes: 1,
          topics: [{ topic, partitions: [{ partition: nowhere, fetchOffset: 0, maxBytes: 1 }] }]
        })
      ),
    mayWrite: (topic) =>
      isAllowed((broker) =>
        broker.produce({
          topicData: [{ topic, partitions: [{ partition: nowhere, firstSequence: -1, messages: [] }] }]
        })
      ),
    mayJoin: (group) =>
      isAllowed((broker) => broker.heartbeat({ groupId: group, groupGenerationId: 0, memberId: "nobody" }))
  } satisfies Rights
})

/** The name of the protocol's error, when it was Kafka that answered. */
const answerOf = (cause: unknown): string | undefined => {
  const isAnswer = cause instanceof Error && cause.name === "KafkaJSProtocolError"
  const type: unknown = isAnswer ? Reflect.get(cause, "type") : undefined
  return typeof type === "string" ? type : undefined
}
