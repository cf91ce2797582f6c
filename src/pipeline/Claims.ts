/** The claims of one assignment: position, epoch and written offset of each partition. */
import * as Effect from "effect/Effect"
import * as Schedule from "effect/Schedule"
import type { Batch, Claimed } from "../domain/Batch.ts"
import { type Position, partitionKey, type Start, type TopicPartition } from "../domain/KafkaRecord.ts"
import type { AssignedPartition, Assignment } from "../kafka/ConsumerGroup.ts"
import type { AssignedPosition } from "../observe/PartitionProgress.ts"
import { Progress } from "../observe/Progress.ts"
import * as Retry from "../Retry.ts"
import { keepsLedger, Settings } from "../settings/Settings.ts"
import { type LedgerEntry, Warehouse } from "../warehouse/Warehouse.ts"
import { silent, type WarehouseError } from "../warehouse/WarehouseError.ts"
import * as Losses from "./Losses.ts"
import * as Starts from "./Starts.ts"

export interface Claims {
  /** Where fetching starts; a topic that is stopped is left out. */
  readonly positions: ReadonlyArray<Position>
  /** Topics that stay stopped until they are reset, or a setting says to continue. */
  readonly stopped: ReadonlyArray<string>
  /** The position of a partition by what this member wrote last. */
  readonly claimed: (partition: TopicPartition) => Claimed
  /** Moves the partitions of a batch that is durable. */
  readonly advance: (batch: Batch) => void
}

/** A partition of Kafka's and our position in it. */
type Place = AssignedPartition & { readonly stand: Losses.Stand }

/**
 * Claims the assigned partitions, for as long as it takes. The warehouse's ledger, where it keeps one, wins over Kafka's
 * committed offset; `Starts` says where a partition begins that it does not have; `read` are the topics that this process has read
 * before. Kafka is told at once where we stand, so that its lag is right even when nothing is left to read.
 */
export const open = Effect.fn("Claims.open")(function* (assignment: Assignment, read: Set<string> = new Set()) {
  const settings = yield* Settings
  const warehouse = yield* Warehouse
  const progress = yield* Progress
  progress.claiming(assignment.memberId)
  const hasLedger = keepsLedger(settings)
  const asked = <A>(doing: string, ask: Effect.Effect<A, WarehouseError>): Effect.Effect<A> =>
    ask.pipe(
      Effect.timeoutOrElse({ duration: settings.progressTimeout, orElse: () => Effect.fail(silent) }),
      Effect.tapError((error) => Effect.sync(() => progress.away("warehouse", error.message))),
      Effect.tap(() => Effect.sync(() => progress.up("warehouse"))),
      Effect.retry(Retry.forever(`${doing} in ${warehouse.name} failed`)),
      Effect.orDie
    )
  const look = assignment.partitions.pipe(
    Effect.retry(Retry.forever("Reading the offsets from Kafka failed")),
    Effect.orDie
  )

  // Before Kafka is asked: who has a row in it has committed where the other partitions of the topic begin.
  const before = yield* asked("Reading the ledger", warehouse.ledger)
  const { mine, others } = yield* look
  const rows = new Map(before.map((entry) => [partitionKey(entry), entry]))
  const committing = [...mine, ...others].filter(({ committed }) => committed !== undefined)
  // Kafka drops what was committed together with a topic that is deleted.
  const known = new Set([...read, ...[...before, ...committing].map(({ topic }) => topic)])
  const decisions = mine.map((place) => startOf(place, rows.get(partitionKey(place)), known, settings))
  if (hasLedger) for (const decision of decisions) yield* tell(decision, settings)
  const starts = decisions.flatMap((decision) => (decision._tag === "Start" ? [decision.start] : []))

  // What another member claims a moment later is not new: it begins here as well.
  if (settings.kafka.autoOffsetReset === "latest")
    yield* assignment.begin(
      others
        .filter(({ committed, topic }) => committed === undefined && !known.has(topic))
        .map(({ partition, stable, topic }) => ({ topic, partition, offset: stable }))
    )

  const claim = (at: ReadonlyArray<Start>) =>
    at.length === 0
      ? Effect.succeed(new Map<string, LedgerEntry>())
      : Effect.map(
          asked("Claiming partitions", warehouse.claim(at, assignment.memberId)),
          (entries) => new Map(entries.map((entry) => [partitionKey(entry), entry]))
        )
  const first = yield* claim(starts)
  const placesOf = (partitions: ReadonlyArray<AssignedPartition>) =>
    partitions.flatMap((partition): ReadonlyArray<Place> => {
      const stand = first.get(partitionKey(partition))
      return stand === undefined ? [] : [{ ...partition, stand }]
    })
  const early = placesOf(mine)
  // Who held a partition before may have written beyond the end that we saw.
  const places = early.some(lost) ? placesOf((yield* look).mine) : early

  const losses = places.filter(lost)
  const goesOn = settings.kafka.offsetsLost === "continue"
  for (const place of losses) yield* Effect.logError(describeLoss(place, goesOn, settings))
  const beginnings = goesOn
    ? losses.map(({ low, partition, topic, topicId }): Start => ({ topic, partition, offset: low, topicId }))
    : []
  const claims = new Map<string, Claimed>(first)
  if (beginnings.length > 0) {
    // Where Kafka alone keeps the positions it has to know the new ones before what the old ones cover is forgotten: a
    // kill in between would read again, from there on, what has been written since.
    if (!hasLedger)
      yield* assignment
        .commit(beginnings)
        .pipe(Effect.repeat({ until: (done) => done, schedule: Schedule.spaced("1 second") }))
    yield* asked("Resetting the ledger", warehouse.reset(beginnings, assignment.memberId))
    for (const [key, entry] of yield* claim(beginnings)) claims.set(key, entry)
  }

  const undecided = decisions.flatMap((decision) => (decision._tag === "Undecided" ? [decision.topic] : []))
  const stopped = [...new Set([...undecided, ...(goesOn ? [] : losses.map(({ topic }) => topic))])]
  const offsetOf = (place: Place): number => (goesOn && lost(place) ? place.low : place.stand.next)
  const positions = places
    .filter(({ topic }) => !stopped.includes(topic))
    .map((place) => ({ topic: place.topic, partition: place.partition, offset: offsetOf(place) }))
  const committed = new Map(mine.map((partition) => [partitionKey(partition), partition.committed]))
  yield* assignment.commit(positions.filter((position) => committed.get(partitionKey(position)) !== position.offset))

  const standings = mine.map((partition): AssignedPosition => {
    const place = places.find((other) => partitionKey(other) === partitionKey(partition))
    const offset = place === undefined ? (partition.committed ?? partition.low) : offsetOf(place)
    const { topic, partition: number } = partition
    return { topic, partition: number, offset, stopped: stopped.includes(topic), topicId: place?.stand.topicId }
  })
  progress.assigned(standings)
  for (const { topic } of positions) read.add(topic)

  return {
    positions,
    stopped,
    claimed: (partition) => claims.get(partitionKey(partition)) ?? { epoch: 0, next: 0 },
    advance: (batch) => {
      for (const range of batch.ranges) claims.set(partitionKey(range), range)
    }
  } satisfies Claims
})

/** `Assigned 2 partitions: raw.orders.v1/0 from 250, raw.orders.v1/1 from 0`. */
export const describe = ({ positions, stopped }: Claims): string => {
  if (stopped.length > 0 && positions.length === 0) return `Assigned but stopped: ${stopped.join(", ")}`
  if (positions.length === 0)
    return "Assigned no partition: the group has more members than partitions, or members with other topics; on standby"
  const places = positions.map((position) => `${partitionKey(position)} from ${position.offset}`)
  return `Assigned ${positions.length} ${positions.length === 1 ? "partition" : "partitions"}: ${places.join(", ")}`
}

type Decision = Starts.Decision & TopicPartition

const startOf = (
  place: AssignedPartition,
  row: LedgerEntry | undefined,
  known: ReadonlySet<string>,
  settings: Settings["Service"]
): Decision => {
  const { partition, topic, topicId } = place
  if (row === undefined) {
    const decision = Starts.decide(place, known.has(topic), {
      ...settings.kafka,
      // Without a ledger none can be missing.
      ...(!keepsLedger(settings) && { ledgerMissing: "committed" })
    })
    return { topic, partition, ...decision }
  }
  const why = Starts.outdated(place, row.next)
  if (why !== undefined) return { _tag: "Undecided", topic, partition, why, isOutdated: true }
  // A row of an older version has no id: it gets this topic's, unless Kafka has not what comes next. One that nothing
  // was read of may change.
  const adopts = row.topicId === undefined ? !Losses.isLost(place, row) : row.next === 0
  // Otherwise the row keeps its id: the one that was read here may no longer be it, because a reset has given it
  // another.
  const start = { topic, partition, offset: row.next, topicId: adopts ? topicId : undefined }
  return { _tag: "Start", topic, partition, start }
}

const tell = (decision: Decision, settings: Settings["Service"]): Effect.Effect<void> => {
  const { topic, why } = decision
  if (why === undefined) return Effect.void
  if (decision._tag === "Start") return Effect.logWarning(`No ledger: ${why}`)
  const continued = `to continue from the committed offset: bronze-consumer reset ${topic} --to committed`
  return Effect.logError(
    decision.isOutdated === true
      ? `The ledger is out of date: ${why}. This topic is stopped; ${continued}`
      : `No ledger: ${why}. This topic is stopped. To read it from the beginning: ${Losses.remedy(topic, settings)}; ` +
          `${continued}; LEDGER_MISSING sets this for all topics`
  )
}

const lost = (place: Place): boolean => Losses.isLost(place, place.stand)

const describeLoss = (place: Place, goesOn: boolean, settings: Settings["Service"]): string => {
  const { stand, topic } = place
  const what = `Records lost: topic=${topic} partition=${place.partition} ${Losses.describeHere(place, stand)}`
  return goesOn
    ? `${what}. Continuing with what is there, from ${place.low} (OFFSETS_LOST=continue)`
    : `${what}. This topic is stopped. To continue with what is there: ${Losses.remedy(topic, settings)}`
}
