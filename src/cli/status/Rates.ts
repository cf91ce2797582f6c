/**
 * What `status --watch` makes of its looks: rows per table, lag per partition, the time until a backlog is done, and how
 * all that went; pure.
 */
import { partitionKey, type TopicPartition } from "../../domain/KafkaRecord.ts"
import type { StatusReport } from "./Report.ts"

/** Milliseconds: batches come in lumps, so a rate is one over several looks. */
const window = 10_000

/** How many looks are drawn as lines. */
const drawn = 30

/** The last looks; after a change of who is asked, the figures before say nothing. */
export const remember = (looks: ReadonlyArray<StatusReport>, latest: StatusReport): ReadonlyArray<StatusReport> => [
  ...looks.filter(({ service }) => service?.startedAt === latest.service?.startedAt).slice(-drawn),
  latest
]

/** The lag at each look, and the rows a second since the look before it. */
export const courseOf = (looks: ReadonlyArray<StatusReport>) => {
  const rowsOf = ({ tables }: StatusReport) => tables.reduce((sum, { rows }) => sum + rows, 0)
  return {
    lag: looks.slice(-drawn).map(({ lag }) => lag),
    rows: looks.flatMap((look, index) => {
      const before = looks[index - 1]
      if (before === undefined || look.at === before.at) return []
      return [Math.max(0, ((rowsOf(look) - rowsOf(before)) / (look.at - before.at)) * 1000)]
    })
  }
}

export interface Rates {
  /** Rows a second; undefined while there is nothing to compare with. */
  readonly rows: (table: string) => number | undefined
  /** Records a second by which the lag grows, below 0 when it shrinks. */
  readonly lag: (partition: TopicPartition) => number | undefined
  readonly lagInAll: number | undefined
  /** Seconds until nothing waits any more, if it continues like this. */
  readonly done: number | undefined
}

/** From the oldest look of the last ten seconds to the latest. */
export const ratesOf = (all: ReadonlyArray<StatusReport>): Rates => {
  const latest = all.at(-1)
  const looks = all.filter(({ at }) => latest !== undefined && latest.at - at <= window)
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
