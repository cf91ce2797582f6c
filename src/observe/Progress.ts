/**
 * What the service is doing, reported by the flow and read by health, metrics and the live page; reporting never waits
 * and never fails.
 */
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Metric from "effect/Metric"
import type { Batch } from "../domain/Batch.ts"
import { partitionKey, type TopicPartition } from "../domain/KafkaRecord.ts"
import { deadLetterCauses } from "../domain/Outcome.ts"
import { type Route, tablesOf } from "../domain/Route.ts"
import { Settings } from "../settings/Settings.ts"
import { metrics } from "./Metrics.ts"
import * as PartitionProgress from "./PartitionProgress.ts"
import * as Peers from "./Peers.ts"
import type { ErrorView, ProgressView, UnreadTopic } from "./ProgressView.ts"
import * as RecentRows from "./RecentRows.ts"
import * as WriteStats from "./WriteStats.ts"

/** Records that came from one partition. */
export interface Fetched extends TopicPartition {
  /** The offset after them. */
  readonly next: number
  readonly records: ReadonlyArray<unknown>
  /** Where the log ended then, if that is known. */
  readonly high?: number | undefined
}

/** Why an attempt to write failed. */
export interface WriteFailure {
  readonly reason: string
  readonly message: string
  readonly isRetryable: boolean
  /** Whether the warehouse said so; false when nothing came from it. */
  readonly isAnswer: boolean
}

export class Progress extends Context.Service<
  Progress,
  {
    /** These are the routes by now: what is counted of a new one begins at 0. */
    readonly routes: (routes: ReadonlyArray<Route>) => void
    /** The group gave us partitions, and the ledger is being asked. */
    readonly claiming: (memberId: string) => void
    readonly assigned: (positions: ReadonlyArray<PartitionProgress.AssignedPosition>) => void
    /** The scope of the assignment has closed. */
    readonly released: () => void
    readonly rebalanced: () => void
    /** The connection to Kafka is given up, because there is something to read and nothing comes. */
    readonly reopening: () => void
    readonly fetched: (fetch: Fetched) => void
    /** So much of the byte budget is taken now. */
    readonly buffered: (bytes: number) => void
    /** A batch is accepted. To be called once it is durable, with the seconds since the attempt began that made it so. */
    readonly accepted: (batch: Batch) => (seconds: number) => void
    /** An attempt to write failed after so many seconds. */
    readonly failed: (table: string, error: WriteFailure, seconds: number) => void
    readonly retried: (table: string) => void
    /** A write (a table, DLQ_TOPIC) gets one answer that does not pass by itself; null once it got through. */
    readonly lasting: (write: string, message: string | null) => void
    readonly fenced: () => void
    /** A peer does not answer, or says no. */
    readonly away: (peer: Peers.Peer, message: string) => void
    /** A peer answered as it should. */
    readonly up: (peer: Peers.Peer) => void
    /** The routed topics that cannot be read now. */
    readonly unread: (topics: ReadonlyArray<UnreadTopic>) => void
    /** Kafka answers, and there is no topic that could be read now. */
    readonly awaitingTopics: (isSo: boolean) => void
    /** What comes next in a partition cannot be read; the next fetch of it takes that back. */
    readonly unreadable: (partition: TopicPartition, message: string) => void
    /** The topics that are paused by request. */
    readonly paused: (topics: ReadonlyArray<string>) => void
    /** Where the logs end now. */
    readonly ends: (ends: ReadonlyArray<PartitionProgress.LogEnd>) => void
    readonly view: () => ProgressView
    /** Holds the registry of the metrics. */
    readonly registry: Context.Context<never>
  }
>()("bronze/observe/Progress") {}

/**
 * An attempt that failed sooner than this had an answer: the peer is out of order and says so, which no restart of ours
 * would fix.
 */
const promptSeconds = 30

export const layer: Layer.Layer<Progress, never, Settings> = Layer.effect(
  Progress,
  Effect.gen(function* () {
    const { http, registry: schemaRegistry, routes: firstRoutes } = yield* Settings
    const clock = yield* Clock.Clock
    const now = (): number => clock.currentTimeMillisUnsafe()
    const registry = Context.make(Metric.MetricRegistry, new Map())
    const add = (metric: Metric.Counter<number>, labels: Readonly<Record<string, string>>, amount = 1): void =>
      Metric.withAttributes(metric, labels).updateUnsafe(amount, registry)

    const writeStats = WriteStats.make(registry, now)
    const recentRows = RecentRows.make(http.showEvents)
    const partitionProgress = PartitionProgress.make(now, ({ partition, topic }, lag) => {
      for (const name of ["lag", "waiting"] as const) {
        const series = Metric.withAttributes(metrics[name], { topic, partition: String(partition) })
        if (lag === null) Metric.removeUnsafe(series, registry)
        else series.updateUnsafe(lag[name], registry)
      }
    })
    const totals = { consumed: 0, retries: 0, errors: 0, fenced: 0, rebalances: 0, reconnects: 0 }
    const peers = Peers.make(now, (peer) => {
      totals.reconnects += 1
      add(metrics.reconnects, { peer })
    })
    const errors: Array<ErrorView> = []
    let member: string | null = null
    let awaitsTopics = false
    let unreadTopics: ReadonlyArray<UnreadTopic> = []
    let bufferBytes = 0
    const unreadable = new Map<string, string>()
    const lasting = new Map<string, string>()

    // A counter that is there from the start shows its first step as one.
    const routes = (now: ReadonlyArray<Route>): void => {
      const tables = tablesOf(now).map(({ name }) => name)
      writeStats.count(tables)
      for (const { topic } of now) {
        add(metrics.consumed, { topic }, 0)
        for (const cause of deadLetterCauses) add(metrics.deadLetters, { topic, cause }, 0)
      }
      for (const table of tables)
        for (const counter of [metrics.written, metrics.bytes, metrics.writeRetries]) add(counter, { table }, 0)
    }
    routes(firstRoutes)
    for (const peer of ["kafka", "warehouse", ...(schemaRegistry === undefined ? [] : ["registry"])])
      add(metrics.reconnects, { peer }, 0)
    for (const counter of [metrics.rebalances, metrics.fenced]) add(counter, {}, 0)

    const remember = (message: string): void => {
      if (errors[0]?.message === message) errors.shift()
      errors.unshift({ at: now(), message })
      errors.length = Math.min(errors.length, RecentRows.count)
    }
    const { up } = peers
    const away = (peer: Peers.Peer, message: string): void => {
      remember(message)
      // Without schemas nothing is written: that it says so is all the progress there can be.
      if (peer === "registry") partitionProgress.answered()
      peers.away(peer, message)
    }

    return Progress.of({
      registry,
      routes,
      claiming: (memberId) => {
        member = memberId
        partitionProgress.claiming()
        up("kafka")
      },
      assigned: partitionProgress.assigned,
      released: () => {
        member = null
        bufferBytes = 0
        unreadable.clear()
        lasting.clear()
        // Who waited for a schema has let go; whether the registry answers is seen when one is needed again.
        peers.forget("registry")
        partitionProgress.released()
      },
      rebalanced: () => {
        totals.rebalances += 1
        add(metrics.rebalances, {})
      },
      reopening: partitionProgress.reopening,
      fetched: (fetch) => {
        totals.consumed += fetch.records.length
        add(metrics.consumed, { topic: fetch.topic }, fetch.records.length)
        partitionProgress.fetched(fetch, fetch.next, fetch.high)
        if (unreadable.size > 0) unreadable.delete(partitionKey(fetch))
      },
      buffered: (bytes) => {
        bufferBytes = bytes
      },
      accepted: (batch) => {
        up("warehouse")
        const { ranges } = batch
        const count = writeStats.accepted(batch)
        const show = recentRows.accepted(batch)
        return (seconds) => {
          up("warehouse")
          count(seconds)
          show(now())
          for (const range of ranges) partitionProgress.written(range, range.next)
        }
      },
      failed: (table, error, seconds) => {
        totals.errors += 1
        add(metrics.writeErrors, { table, reason: error.reason })
        if (error.isAnswer && seconds < promptSeconds) partitionProgress.answered()
        if (error.isRetryable) away("warehouse", error.message)
        else remember(error.message)
      },
      retried: (table) => {
        totals.retries += 1
        add(metrics.writeRetries, { table })
      },
      lasting: (write, message) => {
        if (message === null) lasting.delete(write)
        else lasting.set(write, message)
      },
      fenced: () => {
        totals.fenced += 1
        add(metrics.fenced, {})
      },
      away,
      up,
      unreadable: (partition, message) => {
        unreadable.set(partitionKey(partition), message)
        remember(`${partitionKey(partition)}: ${message}`)
      },
      unread: (topics) => {
        unreadTopics = topics
      },
      awaitingTopics: (isSo) => {
        awaitsTopics = isSo
        if (isSo) up("kafka")
      },
      paused: partitionProgress.paused,
      ends: partitionProgress.ends,
      view: () => {
        const partitions = partitionProgress.views()
        const lags = partitions.flatMap(({ lag }) => (lag === null ? [] : [lag]))
        return {
          totals: { ...totals, ...writeStats.totals() },
          member,
          partitions,
          stoppedTopics: [...new Set(partitions.filter(({ stopped }) => stopped).map(({ topic }) => topic))],
          pausedTopics: partitionProgress.pausedTopics(),
          awaitsTopics,
          unreadTopics,
          unreadablePartitions: [...unreadable].map(([partition, message]) => ({ partition, message })),
          lastingFaults: [...lasting].map(([write, message]) => ({ write, message })),
          tables: writeStats.tables(),
          lastWrites: writeStats.lastWrites(),
          write: writeStats.write(),
          freshness: writeStats.freshness(),
          deadLetters: recentRows.deadLetters(),
          rows: recentRows.rows(),
          errors: [...errors],
          kafka: peers.view("kafka"),
          warehouse: peers.view("warehouse"),
          registry: schemaRegistry === undefined ? null : peers.view("registry"),
          bufferBytes,
          lag: lags.length === 0 ? null : lags.reduce((sum, lag) => sum + lag, 0),
          oldestPendingSeconds: partitionProgress.oldestPendingSeconds(),
          stalled: partitionProgress.stalled()
        }
      }
    })
  })
)
