/** What this member holds of one assignment: where each partition stands, under which epoch, and how far it has been written. */
import * as Effect from "effect/Effect"
import type { Batch, Claimed } from "./domain/Batch.ts"
import { type Position, partitionKey, type TopicPartition } from "./domain/KafkaRecord.ts"
import type { AssignedPartition, Assignment } from "./kafka/Kafka.ts"
import { Progress } from "./Progress.ts"
import * as Retry from "./Retry.ts"
import { Settings } from "./Settings.ts"
import type { Standing } from "./Standings.ts"
import { Warehouse } from "./warehouse/Warehouse.ts"
import { silent, type WarehouseError } from "./warehouse/WarehouseError.ts"

export interface Ledger {
  /** Where fetching starts; a topic that is stopped is left out. */
  readonly positions: ReadonlyArray<Position>
  /** Topics that are left alone until somebody resets them, or OFFSETS_LOST says to go on. */
  readonly stopped: ReadonlyArray<string>
  /** Where a partition stands by what this member wrote last. */
  readonly claimed: (partition: TopicPartition) => Claimed
  /** Moves the partitions of a batch that is durable. */
  readonly advance: (batch: Batch) => void
}

/**
 * Claims the assigned partitions, for as long as it takes. The warehouse's ledger wins over Kafka's committed offset; a partition that has
 * neither starts at AUTO_OFFSET_RESET. Kafka is told at once where we stand, so that its lag is right even when nothing is left to read.
 */
export const open = Effect.fn("Ledger.open")(function* (assignment: Assignment) {
  const settings = yield* Settings
  const warehouse = yield* Warehouse
  const progress = yield* Progress
  progress.claiming(assignment.memberId)
  const asked = <A>(doing: string, ask: Effect.Effect<A, WarehouseError>): Effect.Effect<A> =>
    ask.pipe(
      Effect.timeoutOrElse({ duration: settings.progressTimeout, orElse: () => Effect.fail(silent) }),
      Effect.tapError((error) => Effect.sync(() => progress.away("warehouse", error.message))),
      Effect.tap(() => Effect.sync(() => progress.up("warehouse"))),
      Effect.retry(Retry.forever(`${doing} in ${warehouse.name} failed`)),
      Effect.orDie
    )
  const assigned = yield* assignment.partitions.pipe(
    Effect.retry(Retry.forever("Asking Kafka for its offsets failed")),
    Effect.orDie
  )
  const starts = assigned.map((partition) => startOf(partition, settings.kafka.autoOffsetReset))
  const claim =
    settings.delivery === "exactly-once" && starts.length > 0
      ? asked("Claiming partitions", warehouse.claim(starts, assignment.memberId))
      : Effect.succeed(starts.map(({ offset, ...partition }) => ({ ...partition, epoch: 0, next: offset })))

  let claims = new Map<string, Claimed>((yield* claim).map((entry) => [partitionKey(entry), entry]))
  const places = assigned.map(
    (partition): Place => ({ ...partition, next: claims.get(partitionKey(partition))?.next ?? 0 })
  )
  const lost = places.filter(isLost)
  const goesOn = settings.kafka.offsetsLost === "continue"
  for (const place of lost) yield* Effect.logError(`${describeLoss(place)}. ${remedy(place, goesOn, settings)}`)
  if (goesOn && lost.length > 0 && settings.delivery === "exactly-once") {
    const beginnings = lost.map(({ low, partition, topic }) => ({ topic, partition, offset: low }))
    yield* asked("Resetting the ledger", warehouse.reset(beginnings, assignment.memberId))
    claims = new Map((yield* claim).map((entry) => [partitionKey(entry), entry]))
  }

  const stopped = [...new Set(goesOn ? [] : lost.map(({ topic }) => topic))]
  const positions = places
    .filter(({ topic }) => !stopped.includes(topic))
    .map((place) => ({
      topic: place.topic,
      partition: place.partition,
      offset: isLost(place) ? place.low : place.next
    }))
  const committed = new Map(assigned.map((partition) => [partitionKey(partition), partition.committed]))
  yield* assignment.commit(positions.filter((position) => committed.get(partitionKey(position)) !== position.offset))

  const standings = places.map((place): Standing => {
    const { next, partition, topic } = place
    const stands = { topic, partition, offset: isLost(place) && goesOn ? place.low : next }
    return { ...stands, stopped: stopped.includes(topic) }
  })
  progress.assigned(standings)

  return {
    positions,
    stopped,
    claimed: (partition) => claims.get(partitionKey(partition)) ?? { epoch: 0, next: 0 },
    advance: (batch) => {
      for (const range of batch.ranges) claims.set(partitionKey(range), range)
    }
  } satisfies Ledger
})

const startOf = (
  { committed, high, low, partition, topic }: AssignedPartition,
  reset: "earliest" | "latest"
): Position => ({
  topic,
  partition,
  offset: committed ?? (reset === "earliest" ? low : high)
})

/** A partition of Kafka's and where we stand in it. */
interface Place extends AssignedPartition {
  readonly next: number
}

/** Kafka no longer has what comes next: retention passed us by, or the topic was made anew. Never passed over in silence. */
const isLost = ({ high, low, next }: Place): boolean => next < low || next > high

const describeLoss = ({ high, low, next, partition, topic }: Place): string => {
  const where = `topic=${topic} partition=${partition}`
  return next < low
    ? `Records lost: ${where} offsets ${next} to ${low - 1} are no longer in Kafka (retention)`
    : `Topic made anew: ${where} ends at ${high}, but was read up to ${next}`
}

const remedy = ({ topic }: Place, goesOn: boolean, { delivery, kafka }: Settings["Service"]): string => {
  if (goesOn) return "Going on with what is there (OFFSETS_LOST=continue)"
  const command =
    delivery === "exactly-once"
      ? `node dist/main.js reset ${topic} --to earliest`
      : `stop the group, then kafka-consumer-groups.sh --bootstrap-server ${kafka.brokers[0]} --group ${kafka.group} --topic ${topic} --reset-offsets --to-earliest --execute`
  return `This topic is stopped. To go on with what is there: ${command}`
}
