/**
 * Whether Kafka still has the next records of a partition, and if not, why: retention, a recreated topic or a truncated
 * log; pure.
 */
import type { LogRange } from "../kafka/Offsets.ts"
import { keepsLedger, type Settings } from "../settings/Settings.ts"

/** The position of a partition: by the ledger, or by what the group has committed. */
export interface Stand {
  readonly next: number
  /** The offset after all that is durable already; where it is not said, `next`. */
  readonly ahead?: number | undefined
  /** The id of the topic that `next` counts in; undefined where nobody has noted it. */
  readonly topicId?: string | undefined
}

/** The topic is not the one that was read. Where nothing was read of the old one, nothing can be lost. */
export const isRecreated = ({ topicId }: LogRange, stand: Stand): boolean =>
  topicId !== undefined && stand.topicId !== undefined && topicId !== stand.topicId && stand.next > 0

export const isLost = (log: LogRange, stand: Stand): boolean =>
  isRecreated(log, stand) || stand.next < log.low || endOf(stand) > log.high

/** What Kafka must have had. */
const endOf = ({ ahead = 0, next }: Stand): number => Math.max(ahead, next)

/** What was lost of a partition, which is named; the topic is not. */
export const describe = (log: LogRange, stand: Stand): string | undefined =>
  sentence(log, stand, `partition ${log.partition} was `, ` of partition ${log.partition}`)

/** The same for a log line that has named both. */
export const describeHere = (log: LogRange, stand: Stand): string | undefined => sentence(log, stand, "", "")

const sentence = (log: LogRange, stand: Stand, was: string, of: string): string | undefined => {
  const { high, low } = log
  const { next } = stand
  const end = endOf(stand)
  if (isRecreated(log, stand))
    return `the topic was recreated: ${was}read up to offset ${next} of the topic that was deleted`
  if (next < low) return `offsets ${next} to ${low - 1}${of} are no longer in Kafka (retention)`
  if (end <= high) return undefined
  const cause =
    log.topicId !== undefined && log.topicId === stand.topicId
      ? "the log was truncated (unclean leader election)"
      : "the topic was recreated, or its log truncated (unclean leader election)"
  return `${was}read up to ${end}, but ends at ${high}: ${cause}`
}

/** What to do to continue, for a topic that is stopped. */
export const remedy = (topic: string, settings: Settings["Service"]): string => {
  const { delivery, kafka } = settings
  const reset = `bronze-consumer reset ${topic} --to earliest`
  if (keepsLedger(settings)) return reset
  return delivery === "exactly-once"
    ? `stop the service, then ${reset}`
    : `stop the service, then kafka-consumer-groups.sh --bootstrap-server ${kafka.brokers[0]} --group ${kafka.group} --topic ${topic} --reset-offsets --to-earliest --execute`
}
