/**
 * One assignment of a kafkajs consumer: delivers fetches in order and without a gap, whatever kafkajs does, and allows
 * no commit once it is lost.
 */
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Queue from "effect/Queue"
import type { Consumer, EachBatchPayload, KafkaMessage } from "kafkajs"
import { isSamePartition, type Position, partitionKey, type TopicPartition } from "../../domain/KafkaRecord.ts"
import { type Assignment, OffsetsLost, type Places } from "../ConsumerGroup.ts"
import type { KafkaError } from "../KafkaError.ts"
import * as Commits from "./Commits.ts"
import * as Faults from "./Faults.ts"
import * as Lane from "./Lane.ts"
import * as Patches from "./patches.ts"

/**
 * Offsets that kafkajs skips by itself because no record in them is for us: control records, aborted transactions,
 * compaction.
 */
interface Passed extends TopicPartition {
  readonly firstOffset: string | null
  readonly lastOffset: string
}

/** The assignment as its consumer sees it. */
export interface KafkaJsAssignment extends Assignment {
  /**
   * Hands a batch over. Resolves to true when it is taken care of; to false when it has to be fetched again, at the
   * latest when the scope has closed.
   */
  readonly deliver: (payload: EachBatchPayload) => Promise<boolean>
  readonly pass: (passed: Passed) => void
  /** Looks again at which topics are paused. */
  readonly repause: () => void
  /** Asks for the scope to close; what is held may still be written and committed. */
  readonly end: () => void
  /** The group has taken the partitions away. */
  readonly lose: () => void
  readonly ended: Effect.Effect<void>
  /** The scope has closed. */
  readonly close: Effect.Effect<void>
}

interface Delivery extends TopicPartition {
  readonly from: number
  readonly next: number
  readonly high?: number
  readonly messages: ReadonlyArray<KafkaMessage> | undefined
  readonly done: (handled: boolean) => void
}

/**
 * To be called in the listener of GROUP_JOIN, before kafkajs fetches: it pauses what was assigned until `fetch` says
 * from where.
 */
export const make = (options: {
  readonly consumer: Pick<Consumer, "commitOffsets" | "pause" | "resume" | "seek">
  readonly memberId: string
  readonly assigned: ReadonlyArray<TopicPartition>
  /** Asks Kafka where the partitions stand. */
  readonly partitions: Effect.Effect<Places, KafkaError>
  /** Whether a topic is paused by request. */
  readonly isPaused: (topic: string) => boolean
  /** Who vouches for what is committed: the ledger, or at-least-once delivery. */
  readonly committing: "ledger" | "rows"
  /** Called when the group's coordinator takes no commit, for no reason of ours: only rejoining finds another. */
  readonly onCommitFailed: (error: KafkaError) => void
  /** Called each time when what comes next in a partition cannot be read. */
  readonly onUnreadable: (place: Faults.Unreadable) => Effect.Effect<void>
}): KafkaJsAssignment => {
  const { assigned, committing, consumer, isPaused, memberId, onCommitFailed, onUnreadable } = options
  const deliveries = Effect.runSync(Queue.unbounded<Delivery>())
  const ended = Deferred.makeUnsafe<void>()
  const undelivered = new Set<Delivery>()
  const expected = new Map<string, number>()
  /** The partitions that cannot be read for a while. */
  const resting = new Set<string>()
  const topicIds = new Map<string, string | undefined>()
  const lanes = new Map<string, Lane.Lane<Delivery>>()
  let held = true
  let ending = false
  let closed = false
  let payload: EachBatchPayload | undefined
  // Nothing is fetched before the ledger was read: from an offset that is gone, kafkajs would overwrite what the group
  // has committed.
  consumer.pause(assigned.map(alone))

  const commits = Commits.make({
    consumer,
    isHeld: () => held,
    latest: () => payload,
    topicIdOf: (topic) => topicIds.get(topic),
    onFailed: onCommitFailed
  })

  const partitions = Effect.tap(options.partitions, ({ mine }) =>
    Effect.sync(() => {
      for (const { topic, topicId } of mine) topicIds.set(topic, topicId)
    })
  )

  const offer = (delivery: Omit<Delivery, "done">, done: (handled: boolean) => void): void => {
    const entry: Delivery = {
      ...delivery,
      done: (handled) => {
        undelivered.delete(entry)
        done(handled)
      }
    }
    undelivered.add(entry)
    if (closed) entry.done(false)
    else Queue.offerUnsafe(deliveries, entry)
  }

  const deliver = (latest: EachBatchPayload): Promise<boolean> => {
    payload = latest
    const { batch } = latest
    const range = {
      from: Patches.fetchedOffset(batch),
      next: Number(batch.lastOffset()) + 1,
      high: Number(batch.highWatermark)
    }
    return new Promise((resolve) =>
      offer({ topic: batch.topic, partition: batch.partition, ...range, messages: batch.messages }, resolve)
    )
  }

  const pass = ({ firstOffset, lastOffset, partition, topic }: Passed): void =>
    offer(
      { topic, partition, from: Number(firstOffset ?? lastOffset), next: Number(lastOffset) + 1, messages: undefined },
      () => undefined
    )

  /** The one way to fetch again: a topic that is paused by request stays so. */
  const resume = (places: ReadonlyArray<TopicPartition>): void => {
    if (held && !closed) consumer.resume(places.filter(({ topic }) => !isPaused(topic)).map(alone))
  }

  const repause = (): void => {
    const paused = assigned.filter(({ topic }) => isPaused(topic))
    if (held && !closed) consumer.pause(paused.map(alone))
    resume(readable(assigned.filter(({ topic }) => lanes.get(topic)?.isWaiting() === false)))
  }

  const readable = (places: ReadonlyArray<TopicPartition>): ReadonlyArray<TopicPartition> =>
    places.filter((place) => expected.has(partitionKey(place)) && !resting.has(partitionKey(place)))

  /** Reads these partitions from these positions on, and leaves the others alone. */
  const select = (positions: ReadonlyArray<Position>): void => {
    const wanted = new Set(positions.map(partitionKey))
    const others = assigned.filter((partition) => !wanted.has(partitionKey(partition)))
    // All were paused when they were assigned, and a partition stays paused over a rebalance: so each one is told.
    consumer.pause(others.map(alone))
    resume(positions)
    expected.clear()
    resting.clear()
    for (const position of positions) seek(position)
  }

  const seek = (position: Position): void => {
    expected.set(partitionKey(position), position.offset)
    if (held) consumer.seek({ ...position, offset: String(position.offset) })
  }

  /** Where the log of a partition stands now, if Kafka answers. */
  const look = (place: TopicPartition) =>
    options.partitions.pipe(
      Effect.map(({ mine }) => mine.find((partition) => isSamePartition(partition, place))),
      Effect.orElseSucceed(() => undefined)
    )

  /**
   * A jump back: the log has become shorter than what was read, and kafkajs begins with it again; or this was fetched
   * before we sought ahead.
   */
  const checkEnd = Effect.fnUntraced(function* (delivery: Delivery, at: number) {
    const high = (yield* look(delivery))?.high
    if (high !== undefined && high < at)
      return yield* new OffsetsLost({ message: `${partitionKey(delivery)} ends at ${high} now, and ${at} comes next` })
  })

  /**
   * A jump ahead: fetched by an assignment that is over, or the records between are gone from Kafka. Only the log's
   * start can tell.
   */
  const jumped = Effect.fnUntraced(function* (delivery: Delivery, at: number) {
    const key = partitionKey(delivery)
    const low = (yield* look(delivery))?.low
    if (low !== undefined && low > at)
      return yield* new OffsetsLost({ message: `${key} begins at ${low} now, and ${at} comes next` })
    seek({ topic: delivery.topic, partition: delivery.partition, offset: at })
    return false
  })

  /** Leaves a partition alone for a while that cannot be read at this place, so that the others are read meanwhile. */
  const rest = Effect.fnUntraced(function* (place: Faults.Unreadable) {
    yield* onUnreadable(place)
    seek(place)
    consumer.pause([alone(place)])
    resting.add(partitionKey(place))
    const wake = setTimeout(() => {
      resting.delete(partitionKey(place))
      resume([place])
    }, restTime)
    wake.unref()
    return false
  })

  const fetch: Assignment["fetch"] = (positions, handler) => {
    const hand = Effect.fnUntraced(function* (delivery: Delivery) {
      const key = partitionKey(delivery)
      const stands = expected.get(key)
      if (stands === undefined) return false
      if (delivery.next <= stands) return yield* Effect.as(checkEnd(delivery, stands), true)
      if (delivery.from > stands && !(yield* jumped(delivery, stands))) return false
      for (const part of Faults.parts(delivery, delivery.messages ?? [], stands)) {
        if (part._tag === "Unreadable") return yield* rest(part)
        yield* handler({ ...part, high: delivery.high })
        expected.set(key, part.next)
      }
      return true
    })
    return Effect.suspend(() => {
      if (held) select(positions)
      const topics = [...new Set(assigned.map(({ topic }) => topic))]
      for (const topic of topics) lanes.set(topic, laneOf(topic, topics.length > 1))
      const dispatch = Effect.forever(
        Effect.map(Queue.take(deliveries), (delivery) => {
          const lane = lanes.get(delivery.topic)
          if (lane === undefined) delivery.done(false)
          else lane.offer(delivery)
        })
      )
      const all = [dispatch, ...[...lanes.values()].map((lane) => lane.run(hand))]
      return Effect.andThen(Effect.all(all, { concurrency: "unbounded", discard: true }), Effect.never)
    })
  }

  /**
   * Where there are other topics, this one is paused while it has to wait for room: kafkajs fetches nothing before all
   * it delivered is done.
   */
  const laneOf = (topic: string, hasOthers: boolean) => {
    const here = assigned.filter((partition) => partition.topic === topic)
    return Lane.make<Delivery>({
      pause: hasOthers
        ? () => {
            if (held && !closed) consumer.pause(here.map(alone))
          }
        : undefined,
      resume: () => resume(readable(here))
    })
  }

  const end = (): void => {
    ending = true
    Deferred.doneUnsafe(ended, Effect.void)
  }

  return {
    memberId,
    partitions,
    fetch,
    isHeld: () => held,
    isEnding: () => ending,
    commit: (positions) => commits.commit(committing, positions),
    begin: (positions) => commits.commit("start", positions),
    deliver,
    pass,
    repause,
    end,
    lose: () => {
      held = false
      end()
    },
    ended: Deferred.await(ended),
    close: Effect.sync(() => {
      closed = true
      for (const delivery of undelivered) delivery.done(false)
    })
  }
}

/** A partition in the form in which kafkajs takes lists of them. */
const alone = ({ partition, topic }: TopicPartition) => ({ topic, partitions: [partition] })

/** How long a partition rests, in milliseconds. */
const restTime = 30_000
