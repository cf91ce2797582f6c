/**
 * Sends dead letters to DLQ_TOPIC as well, the original bytes with cause and coordinates in the headers: at least once,
 * before their offsets pass. What the topic can never take stops nobody: a letter that is too large goes out with less
 * in it, one that is refused is counted and logged.
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { CompressionTypes } from "kafkajs"
import { smaller } from "../domain/DeadLetters.ts"
import { halves } from "../domain/Halves.ts"
import type { DeadLetter } from "../domain/Outcome.ts"
import * as Throttle from "../domain/Throttle.ts"
import { Settings } from "../settings/Settings.ts"
import * as DeadLetterMessage from "./DeadLetterMessage.ts"
import { KafkaError } from "./KafkaError.ts"
import { Producer } from "./Producer.ts"

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

/** Of one request before it is compressed; the default limit of a topic, 1,048,588 bytes, counts what is sent. */
const maxRequest = 900_000

const to = (topic: string) =>
  Layer.effect(
    DeadLetterTopic,
    Effect.gen(function* () {
      const { send } = yield* Producer
      const log = yield* Throttle.make(
        (_, count) => `DLQ_TOPIC ${topic} refused ${count} more dead letters within a minute; all are in DEAD_LETTERS`
      )

      /** Halves down to the letter at fault, and of that one less and less. */
      const deliver = (letters: ReadonlyArray<DeadLetter>): Effect.Effect<void, KafkaError> =>
        send(topic, letters.map(DeadLetterMessage.make), CompressionTypes.GZIP).pipe(
          Effect.asVoid,
          Effect.catchIf(isPermanent, (error) => {
            const [first] = letters
            if (letters.length > 1 || first === undefined) {
              const [one, other] = halves(letters)
              return Effect.andThen(deliver(one), deliver(other))
            }
            const less = error.reason === "too_large" ? smaller(first) : undefined
            if (less !== undefined) return deliver([less])
            const { offset, partition, topic: from } = first
            return log(
              "refused",
              `DLQ_TOPIC ${topic} refused a dead letter: topic=${from} partition=${partition} offset=${offset}: ${error.message}; it is in DEAD_LETTERS`
            )
          })
        )

      return DeadLetterTopic.of({
        publish: (letters) =>
          Effect.forEach(DeadLetterMessage.chunks(letters, maxRequest), deliver, { discard: true }).pipe(
            Effect.mapError((error) => withRemedy(topic, error))
          )
      })
    })
  )

/** Time does not change the answer. */
const isPermanent = ({ reason }: KafkaError): boolean => reason === "too_large" || reason === "refused"

/** Somebody has to do something: the error says what. */
const withRemedy = (topic: string, error: KafkaError): KafkaError => {
  const remedy =
    error.reason === "missing"
      ? `DLQ_TOPIC names ${topic}, which Kafka does not have: create the topic`
      : error.reason === "denied"
        ? `allow the service to WRITE to ${topic} (DLQ_TOPIC)`
        : undefined
  return remedy === undefined
    ? error
    : new KafkaError({ reason: error.reason, message: `${error.message}; ${remedy}`, cause: error.cause })
}
