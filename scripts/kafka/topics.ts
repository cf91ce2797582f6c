// Creates topics where they are missing, those of the default routes unless others are named, and lists what a broker
// holds: topics, and consumer groups with their lag.
import { sleep } from "../support/command.ts"
import { quietKafka } from "./ready.ts"

export interface Topic {
  readonly name: string
  readonly partitions: number
}

const DEFAULT_TOPICS = ["raw.orders.v1", "raw.clicks.v1"]

/** How long a broker may take to lead its new partitions, in milliseconds. */
const leadersWithin = 30_000

/**
 * Returns the names that were not there before, once their partitions have leaders that answer. Topics that exist are
 * left as they are.
 */
export const createTopics = async (
  bootstrap: string,
  partitions: number,
  wanted: ReadonlyArray<string> = DEFAULT_TOPICS
): Promise<ReadonlyArray<string>> => {
  const admin = quietKafka(bootstrap).admin()
  try {
    await admin.connect()
    const existing = new Set(await admin.listTopics())
    const missing = wanted.filter((topic) => !existing.has(topic))
    if (missing.length > 0) {
      await admin.createTopics({
        topics: missing.map((topic) => ({ topic, numPartitions: partitions, replicationFactor: 1 })),
        waitForLeaders: false
      })
    }
    // A new topic is known before its leaders lead; whoever asks for its offsets then is refused.
    const until = Date.now() + leadersWithin
    for (const topic of wanted) {
      for (;;) {
        const failure: unknown = await admin.fetchTopicOffsets(topic).then(
          () => undefined,
          (error: unknown) => error
        )
        if (failure === undefined) break
        if (Date.now() > until) throw failure
        await sleep(100)
      }
    }
    return missing
  } finally {
    await admin.disconnect()
  }
}

/** Kafka's own topics (__consumer_offsets …) are left out. */
export const listTopics = async (bootstrap: string): Promise<ReadonlyArray<Topic>> => {
  const admin = quietKafka(bootstrap).admin()
  try {
    await admin.connect()
    const { topics } = await admin.fetchTopicMetadata()
    return topics
      .filter(({ name }) => !name.startsWith("__"))
      .map(({ name, partitions }) => ({ name, partitions: partitions.length }))
      .sort((a, b) => a.name.localeCompare(b.name))
  } finally {
    await admin.disconnect()
  }
}

export interface Group {
  readonly name: string
  readonly state: string
  readonly members: number
  /** Records behind the committed offsets, of the partitions that have one. */
  readonly lag: number
}

export const listGroups = async (bootstrap: string): Promise<ReadonlyArray<Group>> => {
  const admin = quietKafka(bootstrap).admin()
  try {
    await admin.connect()
    const { groups: listed } = await admin.listGroups()
    const { groups } = await admin.describeGroups(listed.map(({ groupId }) => groupId))
    const found: Array<Group> = []
    for (const { groupId: name, members, state } of groups) {
      let lag = 0
      for (const { partitions, topic } of await admin.fetchOffsets({ groupId: name })) {
        const ends = new Map(
          (await admin.fetchTopicOffsets(topic)).map(({ high, partition }) => [partition, Number(high)])
        )
        for (const { offset, partition } of partitions)
          if (Number(offset) >= 0) lag += Math.max(0, (ends.get(partition) ?? 0) - Number(offset))
      }
      found.push({ name, state, members: members.length, lag })
    }
    return found.sort((a, b) => a.name.localeCompare(b.name))
  } finally {
    await admin.disconnect()
  }
}
