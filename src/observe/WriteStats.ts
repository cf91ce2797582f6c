/**
 * Counts what has become durable, per table and in all, in metrics and in figures for people. What is to be counted is
 * noted without the rows, which nobody needs any more once they are accepted.
 */
import * as Context from "effect/Context"
import * as Metric from "effect/Metric"
import type { Batch } from "../domain/Batch.ts"
import type { DeadLetter, Skip } from "../domain/Outcome.ts"
import { metrics } from "./Metrics.ts"
import * as MinutePercentiles from "./MinutePercentiles.ts"
import type { TableView, WriteView } from "./ProgressView.ts"

/** So many rows of a batch are enough for percentiles that people look at; the histogram counts them all. */
const samplesPerBatch = 50

/** How many of the last writes are kept, and how many offset ranges of each. */
const recentWrites = 50
const rangesPerWrite = 20

type DeadLetterCount = Pick<DeadLetter, "topic" | "cause">
type SkipCount = Pick<Skip, "topic" | "reason">

/** What is counted of a batch. */
interface Tally extends Pick<Batch, "trigger">, Pick<WriteView, "ranges"> {
  readonly table: string
  readonly timestamps: Float64Array
  readonly bytes: number
  readonly others: ReadonlyArray<DeadLetterCount | SkipCount>
}

export const make = (registry: Context.Context<never>, now: () => number) => {
  const totals = { written: 0, bytes: 0, deadLetters: 0, skipped: 0, batches: 0 }
  const all = { write: MinutePercentiles.make(now), freshness: MinutePercentiles.make(now) }
  const makeLine = (table: string) => ({
    written: 0,
    batches: { size: 0, time: 0, bytes: 0, shutdown: 0, rebalance: 0 },
    ...{
      rows: MinutePercentiles.make(now),
      write: MinutePercentiles.make(now),
      freshness: MinutePercentiles.make(now)
    },
    // Made once: a metric with attributes would make it for each row.
    ofTable: Context.add(registry, Metric.CurrentMetricAttributes, { table })
  })
  const lines = new Map<string, ReturnType<typeof makeLine>>()
  const lastWrites = new Map<string, number>()
  const writes: Array<WriteView> = []
  const add = (metric: Metric.Counter<number>, labels: Readonly<Record<string, string>>, amount: number): void =>
    Metric.withAttributes(metric, labels).updateUnsafe(amount, registry)

  /** Notes what a batch holds; to be called once it is durable, with the seconds that took. */
  const accepted = (batch: Batch): ((seconds: number) => void) => {
    const {
      table: { name: table },
      trigger
    } = batch
    const timestamps = new Float64Array(batch.outcomes.length)
    const others: Array<DeadLetterCount | SkipCount> = []
    let rows = 0
    let bytes = 0
    for (const outcome of batch.outcomes) {
      if (outcome._tag === "BronzeRow") {
        timestamps[rows] = outcome.timestamp
        rows += 1
        bytes += outcome.bytes
      } else if (outcome._tag === "DeadLetter") others.push({ topic: outcome.topic, cause: outcome.cause })
      else others.push({ topic: outcome.topic, reason: outcome.reason })
    }
    const ranges = batch.ranges
      .slice(0, rangesPerWrite)
      .map(({ from, next, partition, topic }) => ({ topic, partition, from, next }))
    const tally = { table, trigger, ranges, timestamps: timestamps.subarray(0, rows), bytes, others }
    return (seconds) => written(tally, seconds)
  }

  const written = (tally: Tally, seconds: number): void => {
    const { bytes, others, ranges, table, timestamps, trigger } = tally
    const line = lines.get(table)
    if (line === undefined) return
    const at = now()
    const rows = timestamps.length
    const every = Math.ceil(rows / samplesPerBatch)
    timestamps.forEach((timestamp, index) => {
      const age = Math.max(0, (at - timestamp) / 1000)
      metrics.freshness.updateUnsafe(age, line.ofTable)
      if (index % every === 0) for (const { freshness } of [line, all]) freshness.add(age)
    })
    for (const other of others) {
      if ("cause" in other) {
        totals.deadLetters += 1
        add(metrics.deadLetters, { ...other }, 1)
      } else {
        totals.skipped += 1
        add(metrics.skipped, { ...other }, 1)
      }
    }
    add(metrics.written, { table }, rows)
    add(metrics.bytes, { table }, bytes)
    add(metrics.batches, { table, trigger }, 1)
    Metric.withAttributes(metrics.batchRows, { table }).updateUnsafe(rows, registry)
    Metric.withAttributes(metrics.writeSeconds, { table }).updateUnsafe(seconds, registry)
    totals.written += rows
    totals.bytes += bytes
    totals.batches += 1
    line.written += rows
    if (rows > 0) lastWrites.set(table, at)
    writes.unshift({ at, table, rows, bytes, seconds, trigger, ranges })
    writes.length = Math.min(writes.length, recentWrites)
    line.batches[trigger] += 1
    line.rows.add(rows)
    for (const { write } of [line, all]) write.add(seconds)
  }

  return {
    /** From now on these are counted. */
    count: (tables: ReadonlyArray<string>): void => {
      for (const table of tables) if (!lines.has(table)) lines.set(table, makeLine(table))
    },
    accepted,
    totals: () => ({ ...totals }),
    lastWrites: (): ReadonlyArray<WriteView> => [...writes],
    write: all.write.percentiles,
    freshness: all.freshness.percentiles,
    tables: (): ReadonlyArray<TableView> =>
      [...lines].map(([table, line]) => ({
        table,
        written: line.written,
        lastWriteAt: lastWrites.get(table) ?? null,
        batches: { ...line.batches },
        rows: line.rows.percentiles(),
        write: line.write.percentiles(),
        freshness: line.freshness.percentiles()
      }))
  }
}
