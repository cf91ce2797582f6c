/** What `doctor` checks in a topic: existence, access, lost offsets, and timestamps of its records. */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import { partitionKey } from "../../domain/KafkaRecord.ts"
import { Admin } from "../../kafka/Admin.ts"
import type * as Rights from "../../kafka/Rights.ts"
import type { Stand } from "../../pipeline/Losses.ts"
import { Settings } from "../../settings/Settings.ts"
import { lossOf, standOf } from "../status/Report.ts"
import { heldBack } from "../status/View.ts"
import * as Screen from "../support/Screen.ts"
import { bad, good, warning } from "./Finding.ts"
import { allow, createTopic } from "./Remedies.ts"

/** Records ahead of our clock by more than this make freshness wrong, in milliseconds. */
const tolerated = 5000

/**
 * Where the ledger is, by partition: read before the ends of the log, so that nothing written meanwhile lies beyond
 * them.
 */
export type Positions = Effect.Effect<ReadonlyMap<string, Stand>, never, Settings>

/** A topic that is hidden from us looks like one that does not exist. */
const partitionsOf = Effect.fnUntraced(function* (topic: string, brokers: number, right: "READ" | "WRITE") {
  const { kafka } = yield* Settings
  const partitions = yield* (yield* Admin).partitions([topic])
  if (partitions.length > 0) return Result.succeed(partitions.length)
  return Result.fail(
    bad(
      `topic ${topic}`,
      "does not exist, or this user may not see it",
      createTopic(kafka, topic, brokers),
      yield* allow(right, "topic", topic)
    )
  )
})

export const consumedTopic = Effect.fnUntraced(function* (
  rights: Rights.Rights,
  topic: string,
  brokers: number,
  positions: Positions
) {
  const settings = yield* Settings
  const { group, offsetsLost } = settings.kafka
  const admin = yield* Admin
  const check = `topic ${topic}`
  const partitions = yield* partitionsOf(topic, brokers, "READ")
  if (Result.isFailure(partitions)) return [partitions.failure]
  if (!(yield* rights.mayRead(topic)))
    return [bad(check, "this user may see it, but not read it", yield* allow("READ", "topic", topic))]
  const written = yield* positions
  const committed = yield* Effect.orElseSucceed(admin.committed(group, [topic]), () => [])
  const ranges = yield* admin.ranges([topic])
  const lost = ranges.flatMap((range) => {
    const commit = committed.find(({ partition }) => partition === range.partition)
    const loss = lossOf(range, written.get(partitionKey(range)) ?? standOf(commit), settings)
    return loss === undefined ? [] : [loss]
  })
  const waiting = ranges.reduce((sum, range) => {
    const next = written.get(partitionKey(range))?.next ?? range.low
    return sum + Math.max(0, range.high - Math.max(range.stable, next))
  }, 0)
  const records = ranges.reduce((sum, { high, low }) => sum + high - low, 0)
  return [
    ...(lost.length > 0
      ? lost.map(({ remedy, what }) =>
          offsetsLost === "stop" ? bad(check, what, remedy) : warning(check, what, remedy)
        )
      : [good(check, `${Screen.plural(partitions.success, "partition")}, ${Screen.plural(records, "record")}`)]),
    ...(waiting > 0
      ? [
          warning(
            check,
            heldBack(waiting),
            "Find its producer (kafka-transactions.sh list, describe); it ends by itself after the producer's transaction.timeout.ms"
          )
        ]
      : []),
    ...(yield* ahead(topic))
  ]
})

/**
 * What producers stamp with a time that is not yet here; freshness, the age of a record when it is written, comes out
 * too small or below zero.
 */
const ahead = Effect.fnUntraced(function* (topic: string) {
  const [first, ...more] = yield* (yield* Admin).since(topic, (yield* Clock.currentTimeMillis) + tolerated)
  if (first === undefined) return []
  return [
    warning(
      `topic ${topic}`,
      `partition ${first.partition} from offset ${first.offset} on${more.length > 0 ? `, and ${Screen.plural(more.length, "other partition")},` : ""} has timestamps more than ${tolerated / 1000} s ahead of this machine's clock`,
      "Set the clocks (NTP) here and where events are produced; freshness of such records is wrong"
    )
  ]
})

export const deadLetterTopic = Effect.fnUntraced(function* (rights: Rights.Rights, topic: string, brokers: number) {
  const check = `topic ${topic}`
  const partitions = yield* partitionsOf(topic, brokers, "WRITE")
  if (Result.isFailure(partitions)) return [partitions.failure]
  return (yield* rights.mayWrite(topic))
    ? [good(check, `${Screen.plural(partitions.success, "partition")}, for dead letters`)]
    : [bad(check, "this user may not write to it (DLQ_TOPIC)", yield* allow("WRITE", "topic", topic))]
})
