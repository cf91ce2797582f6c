/**
 * The text that Prometheus reads: the metrics as the flow has counted them, and the gauges as they are at this moment.
 */
import type * as Context from "effect/Context"
import * as Metric from "effect/Metric"
import * as PrometheusMetrics from "effect/observability/PrometheusMetrics"
import { metrics } from "../observe/Metrics.ts"
import type { ChannelsView } from "../warehouse/Warehouse.ts"
import type { Snapshot } from "./Snapshot.ts"

export const contentType = "text/plain; version=0.0.4; charset=utf-8"

export const make = (registry: Context.Context<never>) => {
  const set = (gauge: Metric.Gauge<number>, value: number): void => gauge.updateUnsafe(value, registry)
  let cpuSeconds = 0
  let before = { requests: 0, retries: 0, rejectedRows: 0 }
  const showChannels = (view: ChannelsView): void => {
    set(metrics.channels, view.open)
    set(metrics.offsetsBehind, view.offsetsBehind)
    set(metrics.uncommitted, view.uncommittedBytes)
    metrics.streamingRequests.updateUnsafe(view.requests - before.requests, registry)
    metrics.streamingRetries.updateUnsafe(view.retries - before.retries, registry)
    metrics.rejectedRows.updateUnsafe(view.rejectedRows - before.rejectedRows, registry)
    before = view
  }

  return (snapshot: Snapshot): string => {
    const { system, user } = process.cpuUsage()
    const used = (system + user) / 1e6
    metrics.cpuSeconds.updateUnsafe(used - cpuSeconds, registry)
    cpuSeconds = used
    set(metrics.rss, process.memoryUsage.rss())
    set(metrics.startTime, snapshot.startedAt / 1000)
    set(metrics.eventLoopDelay, snapshot.process.eventLoopDelaySeconds)
    set(metrics.oldestPending, snapshot.oldestPendingSeconds)
    set(metrics.buffer, snapshot.bufferBytes)
    set(metrics.bufferMax, snapshot.bufferMaxBytes)
    set(metrics.assigned, snapshot.partitions.length)
    set(metrics.stopped, snapshot.stoppedTopics.length)
    set(metrics.ready, snapshot.ready.ok ? 1 : 0)
    if (snapshot.credits !== null) set(metrics.credits, snapshot.credits)
    if (snapshot.channels !== null) showChannels(snapshot.channels)
    const build = Metric.withAttributes(metrics.buildInfo, { version: snapshot.version, node: process.version })
    build.updateUnsafe(1, registry)
    return PrometheusMetrics.formatUnsafe(registry)
  }
}
