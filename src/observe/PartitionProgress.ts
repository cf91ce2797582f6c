/**
 * The position of this member in each assigned partition: next offset, pending records, log end, and time of the last
 * progress.
 */
import { type Position, partitionKey, type TopicPartition } from "../domain/KafkaRecord.ts"
import type { PartitionView } from "./ProgressView.ts"

/** The position of a partition when it is assigned. */
export interface AssignedPosition extends Position {
  /** Kafka's id of the topic that the offset counts in. */
  readonly topicId?: string | undefined
  /** Stopped until it is reset. */
  readonly stopped: boolean
}

interface Partition extends TopicPartition {
  readonly stopped: boolean
  readonly topicId?: string | undefined
  next: number
  /** The offset after what was fetched last. */
  fetched: number
  end: number | null
  /** Up to where an open transaction lets us read. */
  stable: number | null
  /** Where the log ended then. */
  polledEnd: number
  /** Fetches whose records are not all durable: the offset after each, and when it came. */
  readonly pending: Array<{ readonly next: number; readonly at: number }>
}

/** What there is to do: nothing, ask the ledger, write what is in memory, or read what the log has more. */
type Work = "none" | "claim" | "write" | "read"

/** Where a log ends, and up to where it can be read. */
export interface LogEnd extends TopicPartition {
  readonly high: number
  readonly stable: number
}

/**
 * Records that an open transaction holds back, be they part of it or only after it; as of the last poll, for a fetch
 * does not tell.
 */
const waitingOf = ({ next, polledEnd, stable }: Partition): number =>
  stable === null ? 0 : Math.max(0, polledEnd - Math.max(stable, next))

/** What is pending counts, whatever is known of the log's end. */
const lagOf = ({ end, next }: Partition): number | null => (end === null ? null : Math.max(0, end - next))

export const make = (
  now: () => number,
  onLag: (partition: TopicPartition, lag: { readonly lag: number; readonly waiting: number } | null) => void
) => {
  const partitions = new Map<string, Partition>()
  let pausedTopics: ReadonlyArray<string> = []
  let isClaiming = false
  let isReopening = false
  let work: Work = "none"
  let movedAt = now()

  const workNow = (): Work => {
    const all = [...partitions.values()]
    if (all.some(({ pending }) => pending.length > 0)) return "write"
    if (isReopening && (all.length === 0 || all.some(({ end }) => end === null))) return "read"
    if (isClaiming) return "claim"
    // What an open transaction holds back cannot be read, and what is paused shall not be.
    return all.some(
      ({ next, stable, stopped, topic }) =>
        !stopped && !pausedTopics.includes(topic) && stable !== null && stable > next
    )
      ? "read"
      : "none"
  }
  const moved = (): void => {
    movedAt = now()
  }
  /** Other work than before means that something has moved. */
  const look = (): void => {
    const before = work
    work = workNow()
    if (work !== before) moved()
    if (work !== "read") isReopening = false
  }
  const tellLag = (partition: Partition): void => {
    const lag = lagOf(partition)
    if (lag !== null) onLag(partition, { lag, waiting: waitingOf(partition) })
  }
  const clear = (): void => {
    for (const partition of partitions.values()) onLag(partition, null)
    partitions.clear()
    isClaiming = false
  }

  return {
    claiming: (): void => {
      clear()
      isClaiming = true
      look()
    },
    assigned: (standings: ReadonlyArray<AssignedPosition>): void => {
      clear()
      for (const { offset, ...standing } of standings)
        partitions.set(partitionKey(standing), {
          ...standing,
          next: offset,
          fetched: offset,
          end: null,
          stable: null,
          polledEnd: 0,
          pending: []
        })
      look()
    },
    released: (): void => {
      clear()
      look()
    },
    /** The connection is given up, because there is something to read and nothing comes. */
    reopening: (): void => {
      isReopening = true
    },
    /** `high`: where the log ended then; a poll of the ends is older than the fetches after it. */
    fetched: (place: TopicPartition, next: number, high?: number): void => {
      const partition = partitions.get(partitionKey(place))
      if (partition === undefined) return
      partition.pending.push({ next, at: now() })
      partition.fetched = next
      partition.end = Math.max(high ?? partition.end ?? next, next)
      tellLag(partition)
      look()
    },
    written: (place: TopicPartition, next: number): void => {
      const partition = partitions.get(partitionKey(place))
      if (partition === undefined) return
      // A batch may be durable before one that was accepted sooner.
      partition.next = Math.max(partition.next, next)
      while ((partition.pending[0]?.next ?? Number.POSITIVE_INFINITY) <= next) partition.pending.shift()
      tellLag(partition)
      moved()
      look()
    },
    /** The warehouse has answered, if only with an error. */
    answered: (): void => {
      if (work === "write" || work === "claim") moved()
    },
    ends: (ends: ReadonlyArray<LogEnd>): void => {
      for (const { high, stable, ...place } of ends) {
        const partition = partitions.get(partitionKey(place))
        if (partition === undefined) continue
        partition.end = Math.max(high, partition.fetched)
        partition.stable = stable
        partition.polledEnd = high
        tellLag(partition)
      }
      look()
    },
    paused: (topics: ReadonlyArray<string>): void => {
      pausedTopics = topics
      look()
    },
    pausedTopics: (): ReadonlyArray<string> => pausedTopics,
    views: (): ReadonlyArray<PartitionView> =>
      [...partitions.values()].map((place) => {
        const { end, next, partition, stopped, topic, topicId } = place
        const view = { topic, partition, next, end, stopped, lag: lagOf(place), waiting: waitingOf(place) }
        return topicId === undefined ? view : { ...view, topicId }
      }),
    oldestPendingSeconds: (): number => {
      const oldest = [...partitions.values()].flatMap(({ pending }) =>
        pending[0] === undefined ? [] : [pending[0].at]
      )
      return oldest.length === 0 ? 0 : (now() - Math.min(...oldest)) / 1000
    },
    /** What waits, and since when nothing of it has moved; null while there is nothing to do. */
    stalled: (): { readonly work: Exclude<Work, "none">; readonly since: number } | null => {
      look()
      return work === "none" ? null : { work, since: movedAt }
    }
  }
}
