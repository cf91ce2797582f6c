/** Sends dead letters to DLQ_TOPIC as well, the original bytes with cause and coordinates in the headers: at least once, before their offsets pass. */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { bytesOf } from "../domain/Bytes.ts"
import type { DeadLetter } from "../domain/Outcome.ts"
import { Settings } from "../Settings.ts"
import type { KafkaError } from "./KafkaError.ts"
import { type Message, Producer } from "./Producer.ts"

export class DeadLetterTopic extends Context.Service<
  DeadLetterTopic,
  { readonly publish: (letters: ReadonlyArray<DeadLetter>) => Effect.Effect<void, KafkaError> }
>()("bronze/kafka/DeadLetterTopic") {
  /** For those who have no such topic. */
  static readonly none = Layer.succeed(DeadLetterTopic, DeadLetterTopic.of({ publish: () => Effect.void }))

  static readonly layer = Layer.unwrap(
    Effect.map(Settings, ({ dlqTopic }) => (dlqTopic === undefined ? DeadLetterTopic.none : to(dlqTopic)))
  )
}

const to = (topic: string) =>
  Layer.effect(
    DeadLetterTopic,
    Effect.map(Producer, ({ send }) =>
      DeadLetterTopic.of({
        publish: (letters) => (letters.length === 0 ? Effect.void : send(topic, letters.map(toMessage)))
      })
    )
  )

const toMessage = (letter: DeadLetter): Message => ({
  key: letter.key === null ? null : bytesOf(letter.key),
  value: letter.payload === null ? null : Buffer.from(letter.payload, "base64"),
  headers: {
    "bronze.cause": letter.cause,
    "bronze.message": letter.message,
    "bronze.topic": letter.topic,
    "bronze.partition": String(letter.partition),
    "bronze.offset": String(letter.offset),
    "bronze.timestamp": String(letter.timestamp),
    ...(letter.headers !== null && { "bronze.headers": letter.headers })
  }
})
