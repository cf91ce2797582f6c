/**
 * The names of pipes and channels: a channel for each group, topic, partition and table, so that no two writers that
 * may both be right ever share one.
 */
import { createHash } from "node:crypto"
import type { TopicPartition } from "../../../domain/KafkaRecord.ts"
import { deadLetters } from "../../sql/Tables.ts"

/** The pipe that Snowflake keeps for a table by itself (docs.snowflake.com, "Default pipe"). */
export const pipeOf = (table: string): string => `${table}-STREAMING`

interface Owner extends TopicPartition {
  readonly group: string
  /** Kafka's id of the topic: one that is created again gets channels of its own. */
  readonly topicId?: string | undefined
}

/** The two channels of a partition whose rows go to this table; they share a name, each in the pipe of its table. */
export const channelsOf = (owner: Owner, table: string) => {
  const name = channelOf(owner, table)
  return { rows: { pipe: pipeOf(table), name }, letters: { pipe: pipeOf(deadLetters.name), name } }
}

/**
 * Upper-case ASCII, because Snowflake looks names up with their case in one request and without it in another. The
 * beginning is for people, the end tells apart what looks the same.
 */
const channelOf = ({ group, partition, topic, topicId }: Owner, table: string): string => {
  const identity = JSON.stringify([group, topicId ?? null, topic, partition, table])
  const digest = createHash("sha256").update(identity).digest("hex").slice(0, 20)
  return [plain(group), plain(topic), partition, digest].join("_").toUpperCase()
}

const plain = (name: string): string => name.replace(/[^A-Za-z0-9]+/g, "_").slice(0, 60)
