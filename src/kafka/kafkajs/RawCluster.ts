/**
 * kafkajs's own connection to a cluster, for requests that its public clients cannot send. Pinned to kafkajs 2.2.4.
 * Never creates a topic.
 */
import { createRequire } from "node:module"
import * as Effect from "effect/Effect"
import { KafkaError } from "../KafkaError.ts"
import { KafkaClient } from "./Client.ts"
import * as Patches from "./patches.ts"
import type { Message } from "./RecordBatch.ts"

export interface RawCluster {
  readonly connect: () => Promise<void>
  readonly disconnect: () => Promise<void>
  readonly brokerPool: { readonly findConnectedBroker: () => Promise<RawBroker> }
  /** The partitions by the number of the broker that leads them. */
  readonly findLeaderForPartitions: (
    topic: string,
    partitions: ReadonlyArray<number>
  ) => Readonly<Record<string, ReadonlyArray<number>>>
  readonly findBroker: (broker: { readonly nodeId: string }) => Promise<RawBroker>
  /** The topics whose metadata it keeps; one of them that is deleted fails every refresh. */
  targetTopics: ReadonlySet<string>
  readonly refreshMetadata: () => Promise<void>
  readonly findGroupCoordinator: (group: { readonly groupId: string }) => Promise<RawBroker>
  readonly fetchTopicsOffset: (topics: ReadonlyArray<OffsetQuestion>) => Promise<ReadonlyArray<TopicOffsets>>
  /** Which end of a log it asks for: with 0 the last record's, with 1 that of the last record that is committed. */
  isolationLevel: number
}

export interface OffsetQuestion {
  readonly topic: string
  readonly partitions: ReadonlyArray<{ readonly partition: number }>
  readonly fromBeginning?: boolean
  readonly fromTimestamp?: number
}

export interface TopicOffsets {
  readonly topic: string
  readonly partitions: ReadonlyArray<{ readonly partition: number; readonly offset: string }>
}

export interface RawBroker {
  readonly fetch: (request: object) => Promise<RawFetch>
  readonly produce: (request: object) => Promise<unknown>
  readonly heartbeat: (request: object) => Promise<unknown>
  readonly metadata: (topics: ReadonlyArray<string>) => Promise<{ readonly topicMetadata: ReadonlyArray<RawTopic> }>
  readonly offsetCommit: (request: object) => Promise<unknown>
  readonly offsetFetch: (request: object) => Promise<{ readonly responses: ReadonlyArray<RawCommits> }>
  readonly connectionPool: { readonly send: <A>(exchange: Exchange<A>) => Promise<A> }
  /** What the broker speaks, by the number of the request. */
  readonly versions: Readonly<Record<number, { readonly minVersion: number; readonly maxVersion: number }>>
}

/** As FetchResponse decodes it. */
interface RawFetch {
  readonly responses: ReadonlyArray<{
    readonly partitions: ReadonlyArray<{ readonly messages: ReadonlyArray<Message> }>
  }>
}

interface RawTopic {
  readonly topic: string
  readonly partitionMetadata: ReadonlyArray<{ readonly partitionId: number }>
}

interface RawCommits {
  readonly topic: string
  readonly partitions: ReadonlyArray<{
    readonly partition: number
    readonly offset: string
    readonly metadata: string | null
  }>
}

/** A request with its answer, as kafkajs sends one. */
export interface Exchange<A> {
  readonly request: {
    readonly apiKey: number
    readonly apiVersion: number
    readonly apiName: string
    readonly encode: () => Promise<Encoded>
  }
  readonly response: {
    readonly decode: (raw: Buffer) => Promise<A>
    readonly parse: (decoded: A) => Promise<A>
  }
}

/** kafkajs's Encoder. */
export interface Encoded {
  readonly writeBuffer: (bytes: Buffer) => Encoded
}

const require = createRequire(import.meta.url)
const Encoder: new () => Encoded = require("kafkajs/src/protocol/encoder")

export const encoded = (bytes: Buffer): Encoded => new Encoder().writeBuffer(bytes)

/** How long a question may take, with kafkajs's own retries in it. */
const patience = "20 seconds"

export interface Connection {
  /**
   * Asks over the connection; `doing` completes the sentence "Could not …". What it has is given up when it does not
   * answer in time or cannot be reached: kafkajs may wait for ever on metadata from before a broker was lost.
   */
  readonly ask: <A>(doing: string, f: (cluster: RawCluster) => Promise<A>) => Effect.Effect<A, KafkaError>
}

/** Closed with the scope; connects with the first question. */
export const make = Effect.gen(function* () {
  const { kafka, use } = yield* KafkaClient
  const create = (): RawCluster =>
    Patches.createCluster<RawCluster>(kafka, {
      allowAutoTopicCreation: false,
      metadataMaxAge: 300_000,
      isolationLevel: 0
    })
  let current = create()
  const close = (cluster: RawCluster) =>
    use("disconnect", () => cluster.disconnect()).pipe(Effect.timeoutOption("2 seconds"), Effect.ignore)
  yield* Effect.addFinalizer(() => Effect.suspend(() => close(current)))

  const renew = (broken: RawCluster) =>
    Effect.suspend(() => {
      if (broken !== current) return Effect.void
      current = create()
      return Effect.asVoid(Effect.forkDetach(close(broken)))
    })

  return {
    ask: (doing, f) =>
      Effect.suspend(() => {
        const cluster = current
        return use(doing, async () => {
          // Returns at once when it is connected.
          await cluster.connect()
          return f(cluster)
        }).pipe(
          Effect.timeoutOrElse({
            duration: patience,
            orElse: () =>
              new KafkaError({ reason: "unavailable", message: `Could not ${doing}: no answer within ${patience}` })
          }),
          Effect.tapError((error) =>
            error.reason === "unavailable" && !isAnswer(error) ? renew(cluster) : Effect.void
          )
        )
      })
  } satisfies Connection
})

/** Whether a broker has said so: then the connection is good. */
const isAnswer = ({ cause }: KafkaError): boolean => cause instanceof Error && cause.name === "KafkaJSProtocolError"
