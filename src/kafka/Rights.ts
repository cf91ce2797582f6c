/** What Kafka lets this user do, asked with requests that change nothing: each names a partition or a member that does not exist, so that only the right to it decides the answer. */
import * as Effect from "effect/Effect"
import { KafkaClient } from "./KafkaClient.ts"
import type { KafkaError } from "./KafkaError.ts"

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

/** What kafkajs keeps to itself; its public clients cannot ask without joining a group or sending a record. Pinned to kafkajs 2.2.4. */
interface Cluster {
  readonly connect: () => Promise<void>
  readonly disconnect: () => Promise<void>
  readonly brokerPool: { readonly findConnectedBroker: () => Promise<Broker> }
}

interface Broker {
  readonly fetch: (request: object) => Promise<unknown>
  readonly produce: (request: object) => Promise<unknown>
  readonly heartbeat: (request: object) => Promise<unknown>
}

/** Over a connection of its own, closed with the scope. */
export const make = Effect.gen(function* () {
  const { kafka, use } = yield* KafkaClient
  const symbol = Object.getOwnPropertySymbols(kafka).find(({ description }) => /createCluster$/.test(description ?? ""))
  if (symbol === undefined) return yield* Effect.die("kafkajs has no createCluster")
  const createCluster: (options: object) => Cluster = Reflect.get(kafka, symbol)
  const cluster = yield* Effect.acquireRelease(
    Effect.sync(() => createCluster({ allowAutoTopicCreation: false })),
    (cluster) => use("disconnect", () => cluster.disconnect()).pipe(Effect.timeoutOption("2 seconds"), Effect.ignore)
  )

  /** The request always fails; the question is with what. */
  const isAllowed = (request: (broker: Broker) => Promise<unknown>): Effect.Effect<boolean, KafkaError> =>
    use("ask for rights", async () => {
      await cluster.connect()
      return request(await cluster.brokerPool.findConnectedBroker())
    }).pipe(
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
