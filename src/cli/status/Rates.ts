/**
 * Rates between refreshes of `status --watch`: rows per table, lag per partition, and the time until a backlog is done;
 * pure.
 */
import { partitionKey, type TopicPartition } from "../../domain/KafkaRecord.ts"
import type { StatusReport } from "./Report.ts"

/** Milliseconds: batches come in lumps, so a rate is one over several looks. */
const window = 10_000

/** The looks that the next one is compared with; after a change of who is asked, the figures before say nothing. */
export const remember = (looks: ReadonlyArray<StatusReport>, latest: StatusReport): ReadonlyArray<StatusReport> => [
  ...looks.filter(({ at, service }) => latest.at - at <= window && service?.startedAt === latest.service?.startedAt),
  latest
]

export interface Rates {
  /** Rows a second; undefined while there is nothing to compare with. */
  readonly rows: (table: string) => number | undefined
  /** Records a second by which the lag grows, below 0 when it shrinks. */
  readonly lag: (partition: TopicPartition) => number | undefined
  readonly lagInAll: number | undefined
  /** Seconds until nothing waits any more, if it continues like this. */
  readonly done: number | undefined
}

/** From the oldest look that is remembered to the latest. */
export const ratesOf = (looks: ReadonlyArray<StatusReport>): Rates => {
  const latest = looks.at(-1)
  const perSecond = (value: (look: StatusReport) => number | undefined): number | undefined => {
    // A side may have been unreachable at any of them.
    const known = looks.filter((look) => value(look) !== undefined)
    const [first] = known
    const last = known.at(-1)
    if (first === undefined || last === undefined || last !== latest || last.at === first.at) return undefined
    return (((value(last) ?? 0) - (value(first) ?? 0)) / (last.at - first.at)) * 1000
  }
  const lagInAll = perSecond(({ lag, partitions }) => (partitions.length > 0 ? lag : undefined))
  return {
    rows: (table) => perSecond(({ tables }) => tables.find((other) => other.table === table)?.rows),
    lag: (partition) =>
      perSecond(({ partitions }) => partitions.find((other) => partitionKey(other) === partitionKey(partition))?.lag),
    lagInAll,
    done: lagInAll !== undefined && lagInAll < 0 && latest !== undefined ? latest.lag / -lagInAll : undefined
  }
}
