/** Which metrics of the service a PromQL expression asks for, and which series in it nobody has. */
import { metrics } from "../../../src/observe/Metrics.ts"

const all = Object.values(metrics)

/** Of each series in it the metric, by its name in Metrics.ts, or undefined. */
const lookUp = (expression: string) =>
  [...expression.matchAll(/\b(?:bronze|process|nodejs)_\w+/g)].map(([series]) => {
    // A histogram has no series of its own name; nothing else has any with a suffix.
    const metric = all.find(({ id, type }) =>
      type === "Histogram" ? [`${id}_bucket`, `${id}_sum`, `${id}_count`].includes(series) : id === series
    )
    return { series, name: metric?.id }
  })

export const metricsOf = (expression: string): ReadonlyArray<string> =>
  lookUp(expression).flatMap(({ name }) => name ?? [])

export const unknownIn = (expression: string): ReadonlyArray<string> =>
  lookUp(expression).flatMap(({ name, series }) => (name === undefined ? [series] : []))

const byTopic = [metrics.consumed, metrics.deadLetters, metrics.skipped, metrics.lag, metrics.waiting]
const byTable = [
  ...[metrics.written, metrics.bytes, metrics.batches, metrics.batchRows, metrics.writeSeconds],
  ...[metrics.writeErrors, metrics.writeRetries, metrics.freshness]
]

/** Whether the series of a metric are told apart by topic, by table, or by neither. */
export const labelOf = (name: string): "topic" | "table" | undefined =>
  byTopic.some(({ id }) => id === name) ? "topic" : byTable.some(({ id }) => id === name) ? "table" : undefined
