/** Where this member stands in each partition it was given: what is written next, what waits in memory, how far the log goes on, and since when nothing has moved. */
import { type Position, partitionKey, type TopicPartition } from "./domain/KafkaRecord.ts"
import type { PartitionView } from "./ProgressViews.ts"

/** Where a partition stands when it is assigned. */
export interface Standing extends Position {
  /** Left alone until somebody resets it. */
  readonly stopped: boolean
}

interface Partition extends TopicPartition {
  readonly stopped: boolean
  next: number
  end: number | null
  /** Fetches whose records are not all durable: the offset after each, and when it came. */
  readonly pending: Array<{ readonly next: number; readonly at: number }>
}

/** What there is to do: nothing, ask the ledger, write what is in memory, or read what the log has more. */
type Work = "none" | "claim" | "write" | "read"

/** The log's end may be older than what was read since. */
const lagOf = ({ end, next }: Partition): number | null => (end === null ? null : Math.max(0, end - next))

export const make = (now: () => number, onLag: (partition: TopicPartition, lag: number | null) => void) => {
  const partitions = new Map<string, Partition>()
  let isClaiming = false
  let isReopening = false
  let work: Work = "none"
  let movedAt = now()

  const workNow = (): Work => {
    const all = [...partitions.values()]
    if (all.some(({ pending }) => pending.length > 0)) return "write"
    if (isReopening && (all.length === 0 || all.some(({ end }) => end === null))) return "read"
    if (isClaiming) return "claim"
    return all.some(({ end, next, stopped }) => !stopped && end !== null && end > next) ? "read" : "none"
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
    if (lag !== null) onLag(partition, lag)
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
    assigned: (standings: ReadonlyArray<Standing>): void => {
      clear()
      for (const { offset, ...standing } of standings)
        partitions.set(partitionKey(standing), { ...standing, next: offset, end: null, pending: [] })
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
    fetched: (place: TopicPartition, next: number): void => {
      partitions.get(partitionKey(place))?.pending.push({ next, at: now() })
      look()
    },
    written: (place: TopicPartition, next: number): void => {
      const partition = partitions.get(partitionKey(place))
      if (partition === undefined) return
      partition.next = next
      while ((partition.pending[0]?.next ?? Number.POSITIVE_INFINITY) <= next) partition.pending.shift()
      tellLag(partition)
      moved()
      look()
    },
    /** The warehouse has answered, if only with an error. */
    answered: (): void => {
      if (work === "write" || work === "claim") moved()
    },
    ends: (ends: ReadonlyArray<TopicPartition & { readonly high: number }>): void => {
      for (const { high, ...place } of ends) {
        const partition = partitions.get(partitionKey(place))
        if (partition === undefined) continue
        partition.end = high
        tellLag(partition)
      }
      look()
    },
    views: (): ReadonlyArray<PartitionView> =>
      [...partitions.values()].map((place) => {
        const { end, next, partition, stopped, topic } = place
        return { topic, partition, next, end, stopped, lag: lagOf(place) }
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
