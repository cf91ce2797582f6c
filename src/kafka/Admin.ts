/**
 * What the service asks of the cluster besides consuming: brokers, topics, offsets of logs and of groups. It changes
 * nothing but the commits of a group without members, and only when told to.
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import kafkajs from "kafkajs"
import { isSamePartition, type Position, partitionKey, type TopicPartition } from "../domain/KafkaRecord.ts"
import type { AssignedPartition, Places } from "./ConsumerGroup.ts"
import { KafkaError } from "./KafkaError.ts"
import { KafkaClient } from "./kafkajs/Client.ts"
import type * as RecordCount from "./kafkajs/RecordCount.ts"
import type { TopicState } from "./kafkajs/TopicMetadata.ts"
import * as Offsets from "./Offsets.ts"

export type { Commit, LogRange } from "./Offsets.ts"

export interface Cluster {
  readonly id: string
  readonly brokers: ReadonlyArray<string>
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
    /**
     * What Kafka says of each topic, in the order of the question: a topic that is missing or broken is an answer, not
     * an error.
     */
    readonly describe: (topics: ReadonlyArray<string>) => Effect.Effect<ReadonlyArray<TopicState>, KafkaError>
    /** The partitions of topics that exist; never creates one. */
    readonly partitions: (topics: ReadonlyArray<string>) => Effect.Effect<ReadonlyArray<TopicPartition>, KafkaError>
    /** Fails with the name of a topic that cannot be read. */
    readonly ranges: (topics: ReadonlyArray<string>) => Effect.Effect<ReadonlyArray<Offsets.LogRange>, KafkaError>
    /** The offsets that a group committed; partitions without one are left out. */
    readonly committed: (
      group: string,
      topics: ReadonlyArray<string>
    ) => Effect.Effect<ReadonlyArray<Offsets.Commit>, KafkaError>
    /** Commits these offsets for a group; fails while the group has members. */
    readonly commit: (group: string, positions: ReadonlyArray<Offsets.Commit>) => Effect.Effect<void, KafkaError>
    /**
     * Of each partition of a topic that has records with this time (milliseconds since 1970) or a later one, the first
     * of them.
     */
    readonly since: (topic: string, time: number) => Effect.Effect<ReadonlyArray<Position>, KafkaError>
    /** Counts the records of a stretch that a reader of committed records gets. Reads each of them. */
    readonly count: (stretch: RecordCount.Stretch) => Effect.Effect<RecordCount.RecordCount, KafkaError>
    readonly group: (group: string) => Effect.Effect<Group, KafkaError>
    /** Where these partitions stand for the group, and the others of their topics. */
    readonly positions: (group: string, partitions: ReadonlyArray<TopicPartition>) => Effect.Effect<Places, KafkaError>
  }
>()("bronze/kafka/Admin") {}

/** Fails with the names of those topics that Kafka does not have. */
export const requireTopics = Effect.fnUntraced(function* (wanted: ReadonlyArray<string>) {
  const present = yield* Effect.flatMap(Admin, ({ topics }) => topics)
  const missing = wanted.filter((topic) => !present.includes(topic))
  if (missing.length > 0)
    return yield* new KafkaError({ reason: "missing", message: `there is no topic ${missing.join(", ")}` })
})

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

    const { commit, committed, count, describe, ranges, since } = yield* Offsets.make

    const topics = ask("list the topics", () => admin.listTopics())

    const partitions = (wanted: ReadonlyArray<string>) =>
      Effect.map(describe(wanted), (states) =>
        states.flatMap(({ partitions, topic }) => partitions.map((partition): TopicPartition => ({ topic, partition })))
      )

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
      // In this order: a commit that somebody makes meanwhile lies within the log.
      const commits = new Map((yield* committed(group, names)).map((commit) => [partitionKey(commit), commit]))
      const places = (yield* ranges(names)).map((log): AssignedPartition => {
        const commit = commits.get(partitionKey(log))
        return { ...log, committed: commit?.offset, ...(commit?.note && { note: commit.note }) }
      })
      const mine = yield* Effect.forEach(wanted, (place) => {
        const found = places.find((other) => isSamePartition(other, place))
        // New partitions take a moment until every broker knows them; left out, nobody would read them.
        return found === undefined
          ? new KafkaError({ reason: "unavailable", message: `Kafka does not know ${partitionKey(place)} yet` })
          : Effect.succeed(found)
      })
      return { mine, others: places.filter((place) => !mine.includes(place)) } satisfies Places
    })

    return Admin.of({
      cluster: Effect.map(
        ask("reach the cluster", () => admin.describeCluster()),
        ({ brokers, clusterId }) => ({ id: clusterId, brokers: brokers.map(({ host, port }) => `${host}:${port}`) })
      ),
      topics,
      describe,
      partitions,
      ranges,
      committed,
      commit,
      since,
      count,
      group,
      positions
    })
  })
)
