/**
 * What DLQ_TOPIC does not take stops nobody: letters go out in requests that fit, with less in them where one alone is
 * too large.
 */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type { DeadLetter } from "../../../src/domain/Outcome.ts"
import { DeadLetterTopic } from "../../../src/kafka/DeadLetterTopic.ts"
import { KafkaError } from "../../../src/kafka/KafkaError.ts"
import { type Message, Producer } from "../../../src/kafka/Producer.ts"
import * as Settings from "../../../src/settings/Settings.ts"
import { letter } from "../../support/warehouse/batches.ts"

/** As kafkajs throws it. */
const answer = (type: string) => Object.assign(new Error(`the broker says ${type}`), { type })

const size = ({ headers, key, value }: Message): number =>
  [key, value, ...Object.values(headers ?? {})].reduce((sum, part) => sum + (part?.length ?? 0), 0)

/** A topic that takes requests of up to `max` bytes, and refuses some records for another reason. */
const publish = (letters: ReadonlyArray<DeadLetter>, max: number, refusal?: (message: Message) => string | undefined) =>
  Effect.gen(function* () {
    const sent: Array<ReadonlyArray<Message>> = []
    const producer = Layer.succeed(
      Producer,
      Producer.of({
        send: (_, messages) =>
          Effect.suspend(() => {
            const type = messages.map((message) => refusal?.(message)).find((type) => type !== undefined)
            const tooLarge = messages.reduce((sum, message) => sum + size(message), 0) > max
            if (tooLarge || type !== undefined)
              return Effect.fail(KafkaError.from("send", answer(type ?? "MESSAGE_TOO_LARGE")))
            sent.push(messages)
            return Effect.succeed([])
          })
      })
    )
    const topic = DeadLetterTopic.layer.pipe(
      Layer.provide(producer),
      Layer.provide(Settings.layer),
      Layer.provide(Settings.environment({ SINK: "duckdb", DLQ_TOPIC: "dlq" }))
    )
    const exit = yield* Effect.exit(
      Effect.flatMap(DeadLetterTopic, ({ publish }) => publish(letters)).pipe(Effect.provide(topic))
    )
    return { exit, sent, messages: sent.flat() }
  })

const payload = (bytes: number) => Buffer.alloc(bytes, "x").toString("base64")
const offsets = (messages: ReadonlyArray<Message>) => messages.map(({ headers }) => headers?.["bronze.offset"])

describe("DLQ_TOPIC", () => {
  it.effect("gets many letters in requests below its limit, in order", () =>
    Effect.gen(function* () {
      const letters = Array.from({ length: 200 }, (_, offset) => letter({ offset, payload: payload(20_000) }))
      const { exit, messages, sent } = yield* publish(letters, 1_048_588)
      assert.strictEqual(exit._tag, "Success")
      assert.isAtMost(sent.length, 6)
      assert.deepStrictEqual(
        offsets(messages),
        letters.map(({ offset }) => String(offset))
      )
    })
  )

  it.effect("that takes less than the default gets halves", () =>
    Effect.gen(function* () {
      const letters = Array.from({ length: 64 }, (_, offset) => letter({ offset, payload: payload(10_000) }))
      const { messages } = yield* publish(letters, 50_000)
      assert.lengthOf(messages, 64)
      assert.isUndefined(messages.find(({ headers }) => headers?.["bronze.truncated"] !== undefined))
    })
  )

  it.effect("gets one that is too large alone with less in it, down to its coordinates", () =>
    Effect.gen(function* () {
      const headers = JSON.stringify({ a: "h".repeat(5000) })
      const whole = letter({ offset: 7, payload: payload(2_000_000), key: "k".repeat(3000), headers })
      const neighbours = [letter({ offset: 6 }), whole, letter({ offset: 8 })]
      const [, cut] = (yield* publish(neighbours, 1_000_000)).messages
      assert.strictEqual(cut?.value?.length, 499_998)
      assert.strictEqual(cut?.headers?.["bronze.truncated"], "true")
      const { exit, messages } = yield* publish(neighbours, 200)
      assert.strictEqual(exit._tag, "Success")
      assert.deepStrictEqual(offsets(messages), ["6", "7", "8"])
      assert.deepInclude(messages[1], { value: null, key: null })
    })
  )

  it.effect("that refuses one record for good gets the others", () =>
    Effect.gen(function* () {
      const letters = [0, 1, 2, 3].map((offset) => letter({ offset }))
      for (const type of ["INVALID_RECORD", "INVALID_TIMESTAMP", "MESSAGE_TOO_LARGE"]) {
        const { exit, messages } = yield* publish(letters, 1_000_000, ({ headers }) =>
          headers?.["bronze.offset"] === "2" ? type : undefined
        )
        assert.strictEqual(exit._tag, "Success")
        assert.deepStrictEqual(offsets(messages), ["0", "1", "3"])
      }
    })
  )

  it.effect("that is missing or forbidden is said to be that; a transient error is not swallowed", () =>
    Effect.gen(function* () {
      const failure = (type: string) =>
        Effect.map(
          publish([letter({})], 1_000_000, () => type),
          ({ exit }) => String(exit)
        )
      assert.match(yield* failure("UNKNOWN_TOPIC_OR_PARTITION"), /DLQ_TOPIC names dlq, which Kafka does not have/)
      assert.match(yield* failure("TOPIC_AUTHORIZATION_FAILED"), /allow the service to WRITE to dlq/)
      assert.match(yield* failure("NOT_ENOUGH_REPLICAS"), /NOT_ENOUGH_REPLICAS/)
    })
  )
})
