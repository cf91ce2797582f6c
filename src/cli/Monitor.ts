/** `monitor`: follows the events on the topics, one line each; it uses its own group and commits nothing. */
import { randomUUID } from "node:crypto"
import * as Cause from "effect/Cause"
import * as Console from "effect/Console"
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Queue from "effect/Queue"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import * as Layers from "../app/Layers.ts"
import * as Bytes from "../domain/Bytes.ts"
import * as Coordinates from "../domain/Coordinates.ts"
import * as Format from "../domain/Format.ts"
import type { KafkaRecord } from "../domain/KafkaRecord.ts"
import { requireTopics } from "../kafka/Admin.ts"
import { KafkaError } from "../kafka/KafkaError.ts"
import { KafkaClient } from "../kafka/kafkajs/Client.ts"
import * as Key from "../pipeline/Key.ts"
import * as NamedSchemas from "../pipeline/NamedSchemas.ts"
import * as Payload from "../pipeline/Payload.ts"
import { layerBrief, Schemas } from "../schema/Schemas.ts"
import { Settings } from "../settings/Settings.ts"
import { quietly } from "./support/CommandLayer.ts"
import * as Screen from "./support/Screen.ts"

interface Flags {
  readonly topic: ReadonlyArray<string>
  readonly count: Option.Option<number>
  readonly fromBeginning: boolean
  readonly json: boolean
}

/** A message as the client hands it over. */
interface Delivered {
  readonly topic: string
  readonly partition: number
  readonly message: {
    readonly offset: string
    readonly timestamp: string
    readonly key: Buffer | null
    readonly value: Buffer | null
    readonly headers?: KafkaRecord["headers"]
  }
}

interface Seen {
  readonly topic: string
  readonly partition: number
  readonly offset: string
  readonly timestamp: number
  readonly key: string | null
  readonly value: string | null
}

/** `2026-02-07 10:30:00 raw.orders.v1/0@42 key=7 {…}`, cut to the width of the terminal. */
export const render = (seen: Seen, columns: number): string => {
  const head = `${Screen.time(seen.timestamp)} ${Coordinates.format({ ...seen, offset: Number(seen.offset) })}`
  const key = seen.key === null ? "" : ` key=${Screen.harmless(seen.key)}`
  const line = `${head}${key} ${seen.value === null ? "(tombstone)" : Screen.harmless(seen.value)}`
  return line.length > columns ? `${line.slice(0, Math.max(1, columns - 1))}…` : line
}

/** Values and keys as they would be in the table; what would be a dead letter is shown as it came. */
const viewer = Effect.gen(function* () {
  const { formats, registry } = yield* Settings
  const find = NamedSchemas.finder(yield* Schemas)
  const byDefault = registry === undefined ? Format.withoutRegistry : Format.withRegistry
  return Effect.fnUntraced(function* ({ message, partition, topic }: Delivered) {
    const { headers = {}, key, value } = message
    const format = formats.get(topic) ?? byDefault
    const [offset, timestamp] = [Number(message.offset), Number(message.timestamp)]
    const record = { topic, partition, offset, timestamp, key, value, headers }
    const schemas = yield* find(NamedSchemas.idsIn([record], format))
    const payload = value === null ? undefined : Payload.make(format.value)(value, headers, schemas)
    const text = payload !== undefined && Result.isSuccess(payload) ? payload.success.text : undefined
    const seen: Seen = {
      ...{ topic, partition, timestamp, offset: message.offset },
      key: key === null ? null : Key.make(format.key)(key, headers, schemas),
      value: value === null ? null : (text ?? Bytes.textOf(value))
    }
    return seen
  })
})

/** All events of these topics from now on (or from their beginning); fails when Kafka stays unreachable. */
const follow = Effect.fnUntraced(function* (topics: ReadonlyArray<string>, fromBeginning: boolean) {
  const { kafka: settings } = yield* Settings
  const { kafka, use } = yield* KafkaClient
  const view = yield* viewer
  const queue = yield* Queue.bounded<Seen, KafkaError | Cause.Done>(1000)
  const push = Effect.runPromiseWith(yield* Effect.context<never>())
  const consumer = yield* Effect.acquireRelease(
    Effect.sync(() =>
      kafka.consumer({ groupId: `${settings.group}-monitor-${randomUUID().slice(0, 8)}`, maxWaitTimeInMs: 250 })
    ),
    (consumer) =>
      // What waits for room in the queue must not wait forever, or the consumer never stops.
      Queue.end(queue).pipe(
        Effect.andThen(use("leave", () => consumer.disconnect())),
        Effect.timeoutOption("3 seconds"),
        Effect.ignore
      )
  )
  consumer.on(consumer.events.CRASH, ({ payload }) => {
    if (!payload.restart) Queue.failCauseUnsafe(queue, Cause.fail(KafkaError.from("read from Kafka", payload.error)))
  })
  yield* use("follow the topics", async () => {
    await consumer.connect()
    await consumer.subscribe({ topics: [...topics], fromBeginning })
    await consumer.run({
      autoCommit: false,
      eachMessage: async (payload) => {
        await push(Effect.flatMap(view(payload), (seen) => Queue.offer(queue, seen)))
      }
    })
  })
  return queue
})

export const monitor = Effect.fnUntraced(function* ({ count, fromBeginning, json, topic }: Flags) {
  const { routes } = yield* Settings
  const screen = yield* Screen.screen
  const topics = topic.length > 0 ? topic : [...new Set(routes.map((route) => route.topic))]
  yield* requireTopics(topics)
  const events = yield* follow(topics, fromBeginning)
  yield* Console.error(`Following ${topics.join(", ")}; press Ctrl-C to stop`)
  const limit = Option.getOrElse(count, () => Number.POSITIVE_INFINITY)
  for (let shown = 0; shown < limit; shown++) {
    const seen = yield* Queue.take(events)
    yield* Console.log(json ? Screen.report(seen) : render(seen, screen.columns))
  }
})

export const command = Command.make(
  "monitor",
  {
    topic: Flag.String("topic").pipe(
      Flag.withDescription("Follow only this topic (repeatable; default: all of BRONZE_ROUTES)"),
      Flag.atLeast(0)
    ),
    count: Flag.Int("count").pipe(
      Flag.withAlias("n"),
      Flag.withDescription("Stop after this many events"),
      Flag.withSchema(Schema.Int.check(Schema.isGreaterThan(0))),
      Flag.optional
    ),
    fromBeginning: Flag.Boolean("from-beginning").pipe(
      Flag.withDescription("Start from the oldest event in Kafka"),
      Flag.withDefault(false)
    ),
    json: Flag.Boolean("json").pipe(
      Flag.withDescription("Print one JSON object per line, untruncated"),
      Flag.withDefault(false)
    )
  },
  (flags) =>
    quietly(
      Screen.whileRead(Screen.untilStopped(Effect.scoped(monitor(flags)))).pipe(
        Effect.provide(Layers.kafka),
        Effect.provide(layerBrief)
      ),
      Layers.kafkaSettings
    )
).pipe(
  Command.withShortDescription("Follow the events on the topics"),
  Command.withDescription(
    "Shows each event as it arrives: time, topic/partition@offset, key, value; with a schema registry as the JSON that they become. It uses its own consumer group, named after CONSUMER_GROUP_ID, and commits nothing, so the service is not disturbed."
  ),
  Command.withExamples([
    { command: "bronze-consumer monitor", description: "All routed topics, until Ctrl-C" },
    { command: "bronze-consumer monitor --from-beginning --count 10", description: "The ten oldest events" },
    { command: "bronze-consumer monitor --topic raw.orders.v1 --json | jq -r .value", description: "Payloads only" }
  ])
)
