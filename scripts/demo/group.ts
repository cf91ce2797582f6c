// The consumer group of one demo, seen from Kafka: where it starts, where the topics end, how far it has committed.
import { setTimeout as wait } from "node:timers/promises"
import { type Admin, Kafka, logLevel } from "kafkajs"

export interface Position {
  readonly topic: string
  readonly partition: number
  readonly offset: number
}

export interface Group {
  /** The offsets after the last records. */
  readonly ends: () => Promise<ReadonlyArray<Position>>
  readonly committed: () => Promise<ReadonlyArray<Position>>
  /** Whether the broker still answers, and still has the commits of this group. */
  readonly isThere: () => Promise<boolean>
  /** Resolves when everything before these positions is committed; rejects when the signal says so. */
  readonly reached: (
    goal: ReadonlyArray<Position>,
    stopped: AbortSignal,
    progress: (done: number, total: number) => void
  ) => Promise<void>
}

const JOIN_LIMIT_MS = 30_000
/** A broker that is back after so long was restarted; else it was stopped. */
const RESTART_LIMIT_MS = 30_000

export const TOPICS = ["raw.orders.v1", "raw.clicks.v1"]

export const offsetAt = (positions: ReadonlyArray<Position>, { partition, topic }: Omit<Position, "offset">): number =>
  positions.find((other) => other.topic === topic && other.partition === partition)?.offset ?? -1

/** A group that begins at the present ends of the topics: what older runs, or the user, have sent is not read again. */
export const openGroup = async (bootstrap: string, groupId: string, stopped: AbortSignal): Promise<Group> => {
  const kafka = new Kafka({ clientId: "bronze-demo", brokers: [bootstrap], logLevel: logLevel.NOTHING })
  /** Each question has a connection of its own: one that is kept does not outlive a restart of the broker. */
  const ask = async <A>(question: (admin: Admin) => Promise<A>): Promise<A> => {
    const admin = kafka.admin({ retry: { retries: 3 } })
    try {
      await admin.connect()
      return await question(admin)
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error)
      throw new Error(`Apache Kafka at ${bootstrap} does not answer any more (${reason}).`)
    } finally {
      await admin.disconnect().catch(() => {})
    }
  }

  const ends = async (): Promise<ReadonlyArray<Position>> => {
    const found = await ask((admin) =>
      Promise.all(
        TOPICS.map(async (topic) =>
          (await admin.fetchTopicOffsets(topic)).map(({ high, partition }) => ({
            topic,
            partition,
            offset: Number(high)
          }))
        )
      )
    )
    return found.flat().sort((a, b) => TOPICS.indexOf(a.topic) - TOPICS.indexOf(b.topic) || a.partition - b.partition)
  }

  const committed = async (): Promise<ReadonlyArray<Position>> =>
    (await ask((admin) => admin.fetchOffsets({ groupId, topics: TOPICS }))).flatMap(({ partitions, topic }) =>
      partitions.map(({ offset, partition }) => ({ topic, partition, offset: Number(offset) }))
    )

  const from = await ends()
  await commit(kafka, groupId, from, stopped)
  const after = (positions: ReadonlyArray<Position>): number =>
    positions.reduce((total, position) => total + position.offset - offsetAt(from, position), 0)

  return {
    ends,
    committed,
    isThere: () =>
      committed().then(
        (now) => from.every((position) => offsetAt(now, position) >= position.offset),
        () => false
      ),
    reached: async (goal, stopped, progress) => {
      let silentSince: number | undefined
      for (;;) {
        stopped.throwIfAborted()
        try {
          const now = await committed()
          progress(after(now), after(goal))
          if (goal.every((position) => offsetAt(now, position) >= position.offset)) return
          silentSince = undefined
        } catch (error) {
          silentSince ??= Date.now()
          if (Date.now() - silentSince > RESTART_LIMIT_MS) throw error
        }
        await wait(200)
      }
    }
  }
}

/** Through a member of the group: the admin's own setOffsets takes five seconds per topic. */
const commit = async (
  kafka: Kafka,
  groupId: string,
  positions: ReadonlyArray<Position>,
  stopped: AbortSignal
): Promise<void> => {
  const consumer = kafka.consumer({ groupId, maxWaitTimeInMs: 100 })
  const limit = AbortSignal.any([stopped, AbortSignal.timeout(JOIN_LIMIT_MS)])
  try {
    await consumer.connect()
    await consumer.subscribe({ topics: TOPICS })
    const joined = new Promise<void>((resolve, reject) => {
      consumer.on(consumer.events.GROUP_JOIN, () => resolve())
      limit.addEventListener("abort", () => reject(stopped.reason ?? new Error(`Kafka let no member join ${groupId}.`)))
    })
    await consumer.run({ autoCommit: false, eachMessage: async () => {} })
    await joined
    await consumer.commitOffsets(positions.map((position) => ({ ...position, offset: String(position.offset) })))
  } finally {
    await consumer.disconnect()
  }
}
