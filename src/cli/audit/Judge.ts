/** Finds the problems of a partition: by the ledger, which counts every offset, or without one, as far as possible. */
import { lost, type PartitionCoverage } from "../../domain/Coverage.ts"
import type { Commit, LogRange } from "../../kafka/Admin.ts"
import * as Losses from "../../pipeline/Losses.ts"
import type { Settings } from "../../settings/Settings.ts"
import { plural } from "../support/Screen.ts"
import type { Unwritten } from "./Unwritten.ts"

export interface Verdict {
  readonly problems: ReadonlyArray<string>
  readonly notes: ReadonlyArray<string>
}

const twice = ({ duplicates }: PartitionCoverage): ReadonlyArray<string> =>
  duplicates === 0
    ? []
    : [`${plural(duplicates, "offset")} stored more than once (queries/06_duplicates.sql lists them)`]

/** `3-7, 12, …` */
const gapsOf = ({ gaps, missing }: PartitionCoverage): string => {
  const named = gaps.reduce((sum, { from, to }) => sum + to - from + 1, 0)
  const texts = gaps.map(({ from, to }) => (from === to ? `${from}` : `${from}-${to}`))
  return [...texts, ...(named < missing ? ["…"] : [])].join(", ")
}

const lossOf = (log: LogRange | null, stand: Losses.Stand): ReadonlyArray<string> => {
  const loss = log === null ? undefined : Losses.describe(log, stand)
  return loss === undefined ? [] : [loss]
}

/** Exactly-once: the ledger has counted every offset, so whatever does not add up is wrong. */
export const byLedger = (partition: PartitionCoverage, log: LogRange | null, commit: Commit | null): Verdict => {
  const committed = commit?.offset ?? null
  const { first, last, ledger } = partition
  if (ledger === null) {
    const strange = partition.rows > 0 ? [`${plural(partition.rows, "row")} and no ledger of this consumer group`] : []
    const elsewhere =
      commit?.note?.kind === "ledger" && commit.offset > (log?.low ?? 0)
        ? [`the group has committed ${commit.offset} with another ledger, but this one has no row (LEDGER_MISSING)`]
        : []
    return { problems: [...twice(partition), ...strange, ...elsewhere], notes: [] }
  }
  const { next, skipped, start } = ledger
  const gone = lost(partition)
  const problems = [
    ...twice(partition),
    ...(gone > 0
      ? [`${plural(gone, "offset")} lost: neither row, dead letter nor counted skip, among ${gapsOf(partition)}`]
      : []),
    ...(gone < 0 ? [`the ledger counts ${skipped} skipped, but only ${partition.missing} are missing`] : []),
    ...(last !== null && last >= next
      ? [`there are rows up to ${last}, beyond the ledger (next ${next}): they will be written again`]
      : []),
    ...(committed !== null && committed > next
      ? [`Kafka's committed offset ${committed} is ahead of the ledger (next ${next})`]
      : []),
    ...(log === null ? ["the ledger has this partition, but Kafka does not"] : []),
    ...lossOf(log, ledger)
  ]
  const before =
    first !== null && first < start
      ? [`rows before ${start}, where the ledger began to count, are not checked for gaps`]
      : []
  const unread =
    log !== null && log.low < start && (first === null || first >= start)
      ? [`Kafka still has ${log.low}-${start - 1}, which are older than the start of the ledger`]
      : []
  return { problems, notes: [...before, ...unread] }
}

/**
 * Without a ledger nobody has counted. Records may be there twice; what is not there, Kafka was asked about. `unwritten`
 * is undefined where nothing is committed.
 */
export const byCommit =
  ({ delivery }: Pick<Settings["Service"], "delivery">, unwritten: Unwritten | undefined) =>
  (partition: PartitionCoverage, log: LogRange | null, commit: Commit | null): Verdict => {
    const again = twice(partition)
    const repeated = delivery === "exactly-once" ? again : []
    const allowed =
      delivery === "exactly-once" ? [] : again.map((text) => `${text}: at-least-once delivery allows that`)
    if (commit === null) return { problems: repeated, notes: allowed }
    const { note, offset: committed } = commit
    const remade = committed >= (log?.low ?? 0) ? lossOf(log, { next: committed, topicId: note?.topicId }) : []
    const { first, lost: gone, unknown } = unwritten ?? { lost: 0, first: undefined, unknown: 0 }
    const lostNow =
      gone > 0 ? [`${plural(gone, "record")} lost: neither row nor dead letter, the first at or after ${first}`] : []
    const unasked =
      unknown > 0
        ? [
            `${plural(unknown, "offset")} missing that Kafka no longer has: it is unknown whether they were lost or skipped`
          ]
        : []
    return { problems: [...repeated, ...lostNow, ...remade], notes: [...allowed, ...unasked] }
  }
