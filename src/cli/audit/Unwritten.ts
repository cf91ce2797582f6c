/**
 * Asks Kafka what the offsets are that are missing where there is no ledger: a control record, or one that compaction or
 * an aborted transaction took away, is no record; a record that is neither row nor dead letter is lost.
 */
import * as Effect from "effect/Effect"
import type { PartitionCoverage } from "../../domain/Coverage.ts"
import { Admin, type LogRange } from "../../kafka/Admin.ts"
import type { KafkaError } from "../../kafka/KafkaError.ts"

export interface Unwritten {
  /** Records that are neither row nor dead letter, though no setting says to skip them. */
  readonly lost: number
  /** The first of them, or where the stretch begins that it lies in; undefined while none is lost. */
  readonly first: number | undefined
  /** Missing offsets of which Kafka no longer tells. */
  readonly unknown: number
}

interface Stretch {
  readonly from: number
  readonly to: number
  /** Offsets of it that are rows or dead letters. */
  readonly present: number
  readonly missing: number
}

/** What could be missing of a partition up to the committed offset; what comes after it may be on its way. */
const stretchesOf = (
  { gaps, last, missing }: PartitionCoverage,
  low: number,
  committed: number
): ReadonlyArray<Stretch> => {
  const whole = (from: number, to: number): Stretch => ({ from, to, present: 0, missing: to - from + 1 })
  const named = gaps.reduce((sum, { from, to }) => sum + to - from + 1, 0)
  const [firstGap] = gaps
  // Where not every gap is named, all from the first one on is read, and what is there is taken off.
  const within =
    named === missing || firstGap === undefined || last === null
      ? gaps.map(({ from, to }) => whole(from, Math.min(to, committed - 1)))
      : [{ from: firstGap.from, to: last, present: last - firstGap.from + 1 - missing, missing }]
  return [...within, whole(last === null ? low : last + 1, committed - 1)].filter(({ from, to }) => from <= to)
}

export const find = Effect.fnUntraced(function* (
  partition: PartitionCoverage,
  { low }: LogRange,
  committed: number,
  tombstones: "insert" | "skip"
): Effect.fn.Return<Unwritten, KafkaError, Admin> {
  const admin = yield* Admin
  const { topic } = partition
  let result: Unwritten = { lost: 0, first: undefined, unknown: 0 }
  for (const { from, missing, present, to } of stretchesOf(partition, low, committed)) {
    const begin = Math.max(from, low)
    const isKnown = begin <= to && (present === 0 || begin === from)
    const unknown = result.unknown + (isKnown ? begin - from : missing)
    result = { ...result, unknown }
    if (!isKnown) continue
    const counted = yield* admin.count({ topic, partition: partition.partition, from: begin, to })
    const due = counted.records - (tombstones === "skip" ? counted.tombstones : 0)
    const lost = Math.max(0, due - present)
    if (lost === 0) continue
    const first = present > 0 || tombstones === "insert" ? begin : (counted.first ?? begin)
    result = { unknown, lost: result.lost + lost, first: result.first ?? first }
  }
  return result
})
