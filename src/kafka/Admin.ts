/** What the service asks of the cluster besides consuming: brokers, topics, offsets of logs and of groups; it changes nothing. */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import kafkajs from "kafkajs"
import type { Position, TopicPartition } from "../domain/KafkaRecord.ts"
import type { AssignedPartition } from "./Kafka.ts"
import { KafkaClient } from "./KafkaClient.ts"
import { KafkaError } from "./KafkaError.ts"

export interface Cluster {
  readonly id: string
  readonly brokers: ReadonlyArray<string>
}

/** The first offset that a partition holds, and the one after its last. */
export interface LogRange extends TopicPartition {
  readonly low: number
  readonly high: number
}

/** A consumer group as its coordinator sees it. */
export interface Group {
  /** `Stable`, `Empty`, `PreparingRebalance`, `CompletingRebalance`, or `Dead` for one that nobody has used. */
  readonly state: string
  /** The topics that each member has subscribed to. */
  readonly members: ReadonlyArray<ReadonlyArray<string>>
}

export class Admin extends Context.Service<
  Admin,
  {
    readonly cluster: Effect.Effect<Cluster, KafkaError>
    /** All topics that this user may see. */
    readonly topics: Effect.Effect<ReadonlyArray<string>, KafkaError>
    /** The partitions of topics that exist; never creates one. */
    readonly partitions: (topics: ReadonlyArray<string>) => Effect.Effect<ReadonlyArray<TopicPartition>, KafkaError>
    readonly ranges: (topics: ReadonlyArray<string>) => Effect.Effect<ReadonlyArray<LogRange>, KafkaError>
    /** The offsets that a group committed; partitions without one are left out. */
    readonly committed: (
      group: string,
      topics: ReadonlyArray<string>
    ) => Effect.Effect<ReadonlyArray<TopicPartition & { readonly offset: number }>, KafkaError>
    /** Of each partition of a topic that has records with this time (milliseconds since 1970) or a later one, the first of them. */
    readonly since: (topic: string, time: number) => Effect.Effect<ReadonlyArray<Position>, KafkaError>
    readonly group: (group: string) => Effect.Effect<Group, KafkaError>
    /** Where these partitions stand, for the group. */
    readonly positions: (
      group: string,
      partitions: ReadonlyArray<TopicPartition>
    ) => Effect.Effect<ReadonlyArray<AssignedPartition>, KafkaError>
  }
>()("bronze/kafka/Admin") {}

const { AssignerProtocol } = kafkajs

/** Connects with the first question, and again whenever it has to. */
export const layer: Layer.Layer<Admin, never, KafkaClient> = Layer.effect(
  Admin,
  Effect.gen(function* () {
    const { kafka, retry, use } = yield* KafkaClient
    const admin = yield* Effect.acquireRelease(
      Effect.sync(() => kafka.admin({ retry })),
      (admin) => use("disconnect", () => admin.disconnect()).pipe(Effect.timeoutOption("2 seconds"), Effect.ignore)
    )
    const ask = <A>(doing: string, call: () => Promise<A>): Effect.Effect<A, KafkaError> =>
      use(doing, async () => {
        // Returns at once when it is connected.
        await admin.connect()
        return call()
      })

    const topics = ask("list the topics", () => admin.listTopics())

    const partitions = Effect.fnUntraced(function* (wanted: ReadonlyArray<string>) {
      const visible = new Set(yield* topics)
      const present = wanted.filter((topic) => visible.has(topic))
      if (present.length === 0) return []
      const metadata = yield* ask("describe the topics", () => admin.fetchTopicMetadata({ topics: present }))
      // In the order that was asked for; Kafka's own is by chance.
      return present.flatMap((topic) =>
        (metadata.topics.find(({ name }) => name === topic)?.partitions ?? [])
          .map(({ partitionId }): TopicPartition => ({ topic, partition: partitionId }))
          .sort((a, b) => a.partition - b.partition)
      )
    })

    const rangesOf = (topic: string) =>
      ask(`read the offsets of ${topic}`, () => admin.fetchTopicOffsets(topic)).pipe(
        Effect.map((offsets) =>
          offsets
            .map(({ high, low, partition }): LogRange => ({ topic, partition, low: Number(low), high: Number(high) }))
            .sort((a, b) => a.partition - b.partition)
        )
      )

    const ranges = (wanted: ReadonlyArray<string>) =>
      Effect.map(Effect.forEach(wanted, rangesOf, { concurrency: 4 }), (all) => all.flat())

    const committed = (group: string, wanted: ReadonlyArray<string>) =>
      // resolveOffsets would take five seconds and move the group's offsets.
      ask(`read the offsets of group ${group}`, () => admin.fetchOffsets({ groupId: group, topics: [...wanted] })).pipe(
        Effect.map((all) =>
          all.flatMap(({ partitions, topic }) =>
            partitions
              .map(({ offset, partition }) => ({ topic, partition, offset: Number(offset) }))
              .filter(({ offset }) => offset >= 0)
          )
        )
      )

    const since = Effect.fnUntraced(function* (topic: string, time: number) {
      const logs = yield* rangesOf(topic)
      const found = yield* ask(`read the times of ${topic}`, () => admin.fetchTopicOffsetsByTimestamp(topic, time))
      // Where there is no such record, kafkajs gives the log's end.
      return logs.flatMap(({ high, partition }): ReadonlyArray<Position> => {
        const offset = Number(found.find((other) => other.partition === partition)?.offset ?? high)
        return offset < high ? [{ topic, partition, offset }] : []
      })
    })

    const group = (name: string) =>
      Effect.map(
        ask(`describe group ${name}`, () => admin.describeGroups([name])),
        ({ groups: [found] }): Group => ({
          state: found?.state ?? "Dead",
          // While the group rebalances, members come without.
          members: (found?.members ?? []).map(({ memberMetadata }) =>
            memberMetadata.length === 0 ? [] : (AssignerProtocol.MemberMetadata.decode(memberMetadata)?.topics ?? [])
          )
        })
      )

    const positions = Effect.fnUntraced(function* (group: string, wanted: ReadonlyArray<TopicPartition>) {
      const names = [...new Set(wanted.map(({ topic }) => topic))]
      const [logs, commits] = yield* Effect.all([ranges(names), committed(group, names)], { concurrency: 2 })
      return yield* Effect.forEach(wanted, ({ partition, topic }) => {
        const isThis = (other: TopicPartition): boolean => other.topic === topic && other.partition === partition
        const log = logs.find(isThis)
        return log === undefined
          ? // New partitions take a moment until every broker knows them; left out, nobody would read them.
            new KafkaError({ reason: "unavailable", message: `Kafka does not know ${topic}/${partition} yet` })
          : Effect.succeed<AssignedPartition>({ ...log, committed: commits.find(isThis)?.offset })
      })
    })

    return Admin.of({
      cluster: Effect.map(
        ask("reach the cluster", () => admin.describeCluster()),
        ({ brokers, clusterId }) => ({ id: clusterId, brokers: brokers.map(({ host, port }) => `${host}:${port}`) })
      ),
      topics,
      partitions,
      ranges,
      committed,
      since,
      group,
      positions
    })
  })
)
