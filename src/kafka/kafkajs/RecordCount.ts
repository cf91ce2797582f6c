/** Counts the records in a stretch of a partition's log that a reader of committed records gets; reads each of them. */
import type { TopicPartition } from "../../domain/KafkaRecord.ts"
import { KafkaError } from "../KafkaError.ts"
import type { RawBroker } from "./RawCluster.ts"

/** The first and the last offset of a stretch. */
export interface Stretch extends TopicPartition {
  readonly from: number
  readonly to: number
}

export interface RecordCount {
  readonly records: number
  /** Those of them that have no value. */
  readonly tombstones: number
  /** The first one with a value; undefined where there is none. */
  readonly first: number | undefined
}

const maxBytes = 4 * 1024 * 1024

/** Ends where the log ends, or where a transaction is open. */
export const count = async (broker: RawBroker, { from, partition, to, topic }: Stretch): Promise<RecordCount> => {
  let [records, tombstones, next] = [0, 0, from]
  let first: number | undefined
  while (next <= to) {
    const { responses } = await broker.fetch({
      ...{ replicaId: -1, isolationLevel: 1, maxWaitTime: 100, minBytes: 1, maxBytes },
      topics: [{ topic, partitions: [{ partition, fetchOffset: String(next), maxBytes }] }]
    })
    const messages = responses[0]?.partitions[0]?.messages ?? []
    for (const { fault, isControlRecord, offset: text, value } of messages) {
      const offset = Number(text)
      if (fault?.cause === "unreadable")
        throw new KafkaError({
          reason: "unavailable",
          message: `the batch of ${topic}/${partition} up to offset ${offset} cannot be read: ${fault.message}`
        })
      // All of a batch that is too large to be unpacked are records with a value.
      const begin = Math.max(next, fault?.from ?? offset)
      next = Math.max(next, offset + 1)
      const here = Math.min(offset, to) - begin + 1
      if (isControlRecord || here <= 0) continue
      records += here
      if (fault === undefined && (value === null || value.length === 0)) tombstones += here
      else first ??= begin
    }
    if (messages.length === 0) break
  }
  return { records, tombstones, first }
}
