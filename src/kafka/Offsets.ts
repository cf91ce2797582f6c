/**
 * Reads where logs begin and end and what a group has committed, for topics that can be read; a topic that cannot is an
 * error that names it.
 */
import * as Effect from "effect/Effect"
import * as Semaphore from "effect/Semaphore"
import { type Position, partitionKey, type TopicPartition } from "../domain/KafkaRecord.ts"
import * as CommitNote from "./CommitNote.ts"
import { isEviction, KafkaError } from "./KafkaError.ts"
import * as RawCluster from "./kafkajs/RawCluster.ts"
import * as RecordCount from "./kafkajs/RecordCount.ts"
import * as TopicMetadata from "./kafkajs/TopicMetadata.ts"

/** What a partition holds. */
export interface LogRange extends TopicPartition {
  /** The first offset. */
  readonly low: number
  /** The offset after the last record, committed or not. */
  readonly high: number
  /** The offset up to which can be read: `high`, unless a transaction is open. */
  readonly stable: number
  /** Kafka's id of the topic; undefined where the broker gives none. */
  readonly topicId?: string | undefined
}

export interface Commit extends Position {
  readonly note?: CommitNote.CommitNote | undefined
}

export const make = Effect.gen(function* () {
  const { ask } = yield* RawCluster.make
  const one = yield* Semaphore.make(1)

  /** Never fails because of a topic. */
  const describe = (topics: ReadonlyArray<string>) =>
    topics.length === 0
      ? Effect.succeed([])
      : ask("describe the topics", async (cluster) =>
          TopicMetadata.describe(await cluster.brokerPool.findConnectedBroker(), topics)
        )

  /** Asks about these topics, and lets kafkajs know of no other: one that is deleted would fail them all. */
  const about = Effect.fnUntraced(function* <A>(
    doing: string,
    topics: ReadonlyArray<string>,
    question: (cluster: RawCluster.RawCluster, states: ReadonlyArray<TopicMetadata.TopicState>) => Promise<A>
  ) {
    const states = yield* describe(topics)
    const unreadable = states.find(({ problem }) => problem !== undefined)
    if (unreadable?.problem !== undefined)
      return yield* new KafkaError({
        reason: unreadable.problem.reason,
        message: `Could not ${doing}: topic ${unreadable.topic}: ${unreadable.problem.message}`
      })
    return yield* ask(doing, async (cluster) => {
      cluster.targetTopics = new Set(topics)
      await cluster.refreshMetadata()
      return question(cluster, states)
    }).pipe(one.withPermits(1))
  })

  const offsetsOf = async (
    cluster: RawCluster.RawCluster,
    states: ReadonlyArray<TopicMetadata.TopicState>,
    from: { readonly fromBeginning?: boolean; readonly fromTimestamp?: number },
    isolationLevel: 0 | 1 = 1
  ): Promise<(place: TopicPartition) => number | undefined> => {
    cluster.isolationLevel = isolationLevel
    const answers = await cluster.fetchTopicsOffset(
      states.map(({ partitions, topic }) => ({
        topic,
        partitions: partitions.map((partition) => ({ partition })),
        ...from
      }))
    )
    return ({ partition, topic }) => {
      const found = answers
        .find((answer) => answer.topic === topic)
        ?.partitions.find((place) => place.partition === partition)
      return found === undefined ? undefined : Number(found.offset)
    }
  }

  const rangesOf = async (
    cluster: RawCluster.RawCluster,
    states: ReadonlyArray<TopicMetadata.TopicState>
  ): Promise<ReadonlyArray<LogRange>> => {
    const low = await offsetsOf(cluster, states, { fromBeginning: true })
    const stable = await offsetsOf(cluster, states, { fromBeginning: false })
    // Asked last, so that it is never below the other.
    const high = await offsetsOf(cluster, states, { fromBeginning: false }, 0)
    return states.flatMap(({ id, partitions, topic }) =>
      partitions.flatMap((partition): ReadonlyArray<LogRange> => {
        const place = { topic, partition }
        const [first, last, end] = [low(place), stable(place), high(place)]
        // Without a leader for a moment; who needs this partition asks again.
        if (first === undefined || last === undefined || end === undefined) return []
        return [{ ...place, low: first, high: end, stable: last, ...(id !== undefined && { topicId: id }) }]
      })
    )
  }

  const ranges = (topics: ReadonlyArray<string>) =>
    topics.length === 0 ? Effect.succeed([]) : about(`read the offsets of ${topics.join(", ")}`, topics, rangesOf)

  const committed = (group: string, topics: ReadonlyArray<string>) =>
    topics.length === 0
      ? Effect.succeed([])
      : about(`read the offsets of group ${group}`, topics, async (cluster, states) => {
          const coordinator = await cluster.findGroupCoordinator({ groupId: group })
          const { responses } = await coordinator.offsetFetch({
            groupId: group,
            topics: states.map(({ partitions, topic }) => ({
              topic,
              partitions: partitions.map((partition) => ({ partition }))
            }))
          })
          return responses.flatMap(({ partitions, topic }) =>
            partitions
              .map(({ metadata, offset, partition }): Commit => {
                const note = CommitNote.decode(metadata)
                return { topic, partition, offset: Number(offset), ...(note && { note }) }
              })
              .filter(({ offset }) => offset >= 0)
          )
        })

  /** Kafka takes a commit that comes from no member only while the group has none: so nobody is overruled. */
  const commit = (group: string, positions: ReadonlyArray<Commit>) =>
    Effect.mapError(
      about(
        `commit offsets of group ${group}`,
        [...new Set(positions.map(({ topic }) => topic))],
        async (cluster, states) => {
          const coordinator = await cluster.findGroupCoordinator({ groupId: group })
          await coordinator.offsetCommit({
            groupId: group,
            groupGenerationId: -1,
            memberId: "",
            topics: states.map(({ topic }) => ({
              topic,
              partitions: positions
                .filter((position) => position.topic === topic)
                .map(({ note, offset, partition }) => ({
                  partition,
                  offset: String(offset),
                  metadata: note === undefined ? null : CommitNote.encode(note)
                }))
            }))
          })
        }
      ),
      (error) =>
        isEviction(error.cause)
          ? new KafkaError({
              reason: "denied",
              message: `Could not commit offsets of group ${group}: it has members. Stop the service first`,
              cause: error.cause
            })
          : error
    )

  /** Where there is no such record, Kafka answers with -1. */
  const since = (topic: string, time: number) =>
    about(`read the times of ${topic}`, [topic], async (cluster, states) => {
      const found = await offsetsOf(cluster, states, { fromTimestamp: time })
      return states.flatMap(({ partitions }) =>
        partitions
          .map((partition): Position => ({ topic, partition, offset: found({ topic, partition }) ?? -1 }))
          .filter(({ offset }) => offset >= 0)
      )
    })

  const count = (stretch: RecordCount.Stretch) =>
    about(`read ${stretch.topic}`, [stretch.topic], async (cluster) => {
      const [nodeId] = Object.keys(cluster.findLeaderForPartitions(stretch.topic, [stretch.partition]))
      if (nodeId === undefined)
        throw new KafkaError({ reason: "unavailable", message: `${partitionKey(stretch)} has no leader` })
      return RecordCount.count(await cluster.findBroker({ nodeId }), stretch)
    })

  return { describe, ranges, committed, commit, since, count }
})
