/**
 * Sends records: the samples of `produce`, and dead letters for those who want them on a topic as well; never creates a
 * topic.
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Semaphore from "effect/Semaphore"
import type { CompressionTypes } from "kafkajs"
import type { Position } from "../domain/KafkaRecord.ts"
import type { KafkaError } from "./KafkaError.ts"
import { KafkaClient } from "./kafkajs/Client.ts"
import * as Partitioner from "./kafkajs/Partitioner.ts"

export interface Message {
  readonly key: string | Uint8Array | null
  readonly value: string | Uint8Array | null
  readonly headers?: Readonly<Record<string, string>>
  readonly partition?: number
}

export class Producer extends Context.Service<
  Producer,
  {
    /**
     * Succeeds once all in-sync replicas have the messages, with the first offset that each partition gave to them; a
     * broker may keep it to itself.
     */
    readonly send: (
      topic: string,
      messages: ReadonlyArray<Message>,
      compression?: CompressionTypes
    ) => Effect.Effect<ReadonlyArray<Position>, KafkaError>
  }
>()("bronze/kafka/Producer") {}

/** Connects with the first message. */
export const layer: Layer.Layer<Producer, never, KafkaClient> = Layer.effect(
  Producer,
  Effect.gen(function* () {
    const { kafka, retry, use } = yield* KafkaClient
    const producer = yield* Effect.acquireRelease(
      Effect.sync(() =>
        kafka.producer({
          retry,
          allowAutoTopicCreation: false,
          createPartitioner: Partitioner.make
        })
      ),
      (producer) =>
        use("disconnect", () => producer.disconnect()).pipe(Effect.timeoutOption("2 seconds"), Effect.ignore)
    )
    const one = yield* Semaphore.make(1)
    let connected = false
    const connect = Effect.suspend(() =>
      connected
        ? Effect.void
        : use("connect to Kafka", async () => {
            await producer.connect()
            connected = true
          })
    ).pipe(one.withPermits(1))
    return Producer.of({
      send: Effect.fnUntraced(function* (topic, messages, compression) {
        yield* connect
        const written = yield* use(`send to ${topic}`, () =>
          producer.send({
            topic,
            acks: -1,
            ...(compression !== undefined && { compression }),
            messages: messages.map(({ headers, key, partition, value }) => ({
              key: bytesOf(key),
              value: bytesOf(value),
              ...(headers && { headers: { ...headers } }),
              ...(partition !== undefined && { partition })
            }))
          })
        )
        return written.flatMap(({ baseOffset, partition }) =>
          baseOffset === undefined ? [] : [{ topic, partition, offset: Number(baseOffset) }]
        )
      })
    })
  })
)

const bytesOf = (content: string | Uint8Array | null): string | Buffer | null =>
  content instanceof Uint8Array ? Buffer.from(content.buffer, content.byteOffset, content.byteLength) : content
