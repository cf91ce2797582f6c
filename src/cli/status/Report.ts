/**
 * What `status` reports: the lag of each partition and the rows of the tables. A side that does not answer is named,
 * the other is still shown.
 */
import { existsSync } from "node:fs"
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import { partitionKey } from "../../domain/KafkaRecord.ts"
import { hide, shown } from "../../domain/Secrets.ts"
import { Admin, type Commit, type LogRange } from "../../kafka/Admin.ts"
import * as Losses from "../../pipeline/Losses.ts"
import * as Starts from "../../pipeline/Starts.ts"
import type { SinkSettings } from "../../settings/Model.ts"
import { isStreaming, Settings } from "../../settings/Settings.ts"
import { type TableSummary, Warehouse } from "../../warehouse/Warehouse.ts"
import { WarehouseError } from "../../warehouse/WarehouseError.ts"
import { holding } from "../support/ServiceWarehouse.ts"

export interface PartitionStatus extends LogRange {
  /** The offset of the next record to be written; null when nothing was written yet. */
  readonly next: number | null
  /** Who says so: the ledger in the warehouse, the offset token of a channel, the group's commit in Kafka, or nobody yet. */
  readonly source: "ledger" | "channel" | "committed" | "none"
  /** Offsets that are not written yet. */
  readonly lag: number
  /** Those of them that an open transaction holds back. */
  readonly waiting: number
  /** What Kafka no longer has of what comes next, and what is read instead. */
  readonly problem: string | null
}

export interface StatusReport {
  readonly at: number
  readonly group: string
  readonly delivery: "exactly-once" | "at-least-once"
  readonly target: string | null
  /** The running service, when it was asked in place of the DuckDB file that it holds. */
  readonly service: { readonly url: string; readonly startedAt: number } | null
  readonly partitions: ReadonlyArray<PartitionStatus>
  readonly lag: number
  readonly tables: ReadonlyArray<TableSummary>
  readonly problems: ReadonlyArray<string>
  /** What is not shown, and why; nothing is wrong with it. */
  readonly notes: ReadonlyArray<string>
}

/** What is in the warehouse, and who says so. */
interface Store {
  readonly target: string
  readonly service: StatusReport["service"]
  readonly positions: ReadonlyMap<string, Losses.Stand>
  readonly tables: ReadonlyArray<TableSummary>
  readonly problems: ReadonlyArray<string>
  readonly notes: ReadonlyArray<string>
}

/** Asks both sides at once; one that does not answer within `patience` counts as unreachable. */
export const gather = Effect.fnUntraced(function* (patience: Duration.Duration) {
  const settings = yield* Settings
  const { delivery, kafka, routes, sink } = settings
  const admin = yield* Admin
  const topics = [...new Set(routes.map(({ topic }) => topic))]
  const commits = Effect.gen(function* () {
    const present = [...new Set((yield* admin.partitions(topics)).map(({ topic }) => topic))]
    const committed = yield* admin.committed(kafka.group, present)
    return { present, committed, missing: topics.filter((topic) => !present.includes(topic)) }
  })
  const within = <A, E extends { readonly message: string }, R>(side: Effect.Effect<A, E, R>) =>
    side.pipe(
      Effect.mapError(({ message }) => message),
      Effect.timeoutOrElse({
        duration: patience,
        orElse: () => Effect.fail(`no answer within ${Duration.toSeconds(patience)} s`)
      }),
      Effect.result
    )
  const [group, store] = yield* Effect.all([within(commits), within(storeOf(sink))], { concurrency: 2 })
  // Asked last: what was written meanwhile cannot lie beyond an end that is read afterwards.
  const ranges = Result.isFailure(group)
    ? Result.fail(group.failure)
    : yield* within(admin.ranges(group.success.present))
  const positions = delivery === "exactly-once" && Result.isSuccess(store) ? store.success.positions : undefined
  const committed = new Map(
    Result.isSuccess(group) ? group.success.committed.map((entry) => [partitionKey(entry), entry]) : []
  )
  const logs = Result.isSuccess(ranges) ? ranges.success : []
  const tokens = yield* within(tokensOf(logs))
  const durable = new Map(
    Result.isSuccess(tokens) ? tokens.success.map((place) => [partitionKey(place), place.offset]) : []
  )
  const isRead = (log: LogRange): boolean =>
    positions?.has(partitionKey(log)) === true || committed.has(partitionKey(log))
  const known = new Set(logs.filter(isRead).map(({ topic }) => topic))
  const partitions = logs.map((range): PartitionStatus => {
    const written = positions?.get(partitionKey(range))
    const commit = committed.get(partitionKey(range))
    const token = durable.get(partitionKey(range)) ?? -1
    const isAhead = written === undefined && token > (commit?.offset ?? -1)
    const stand = isAhead ? { next: token, topicId: range.topicId } : (written ?? standOf(commit))
    const next = stand?.next ?? null
    const source = isAhead ? "channel" : written !== undefined ? "ledger" : commit !== undefined ? "committed" : "none"
    const start = Starts.unread(range, known.has(range.topic), kafka.autoOffsetReset)
    const from = Math.max(next ?? start, range.low)
    const loss = lossOf(range, stand, settings)
    return {
      ...{ ...range, next, source },
      lag: Math.max(0, range.high - from),
      waiting: Math.max(0, range.high - Math.max(from, range.stable)),
      problem: loss === undefined ? null : `${loss.what} -> ${loss.remedy}`
    }
  })
  return {
    at: yield* Clock.currentTimeMillis,
    group: shown(kafka.group),
    delivery,
    target: Result.isSuccess(store) ? hide(store.success.target) : null,
    service: Result.isSuccess(store) ? store.success.service : null,
    partitions,
    lag: partitions.reduce((sum, { lag }) => sum + lag, 0),
    tables: Result.isSuccess(store) ? store.success.tables : [],
    problems: [
      ...(Result.isFailure(ranges) ? [`Kafka: ${ranges.failure}`] : []),
      ...(Result.isSuccess(group) ? group.success.missing.map((topic) => `Kafka has no topic ${topic}`) : []),
      ...(Result.isFailure(store) ? [`Warehouse: ${store.failure}`] : store.success.problems),
      ...(Result.isFailure(tokens) ? [`Warehouse: ${tokens.failure}`] : []),
      ...partitions.flatMap(({ problem, topic }) => (problem === null ? [] : [`${topic}: ${problem}`]))
    ].map(hide),
    notes: Result.isSuccess(store) ? store.success.notes : []
  } satisfies StatusReport
})

/** What the warehouse has; of a DuckDB file that a service holds, what the service has read in it. */
const storeOf = Effect.fnUntraced(function* (sink: SinkSettings) {
  const warehouse = yield* Warehouse
  const running = yield* holding(warehouse.target)
  // DuckDB would make it.
  if (sink._tag === "DuckDb" && running === undefined && !existsSync(sink.path))
    return yield* new WarehouseError({
      reason: "denied",
      message: `${sink.path} does not exist yet; create it with \`bronze-consumer init\``
    })
  const ledger = yield* warehouse.ledger
  const counted = yield* isStreaming(sink) ? ifAwake(warehouse.summary) : warehouse.summary
  const { ready = { ok: true, reasons: [] } } = running ?? {}
  return {
    target: warehouse.target,
    service: running === undefined ? null : { url: running.url, startedAt: running.startedAt },
    positions: new Map(ledger.map((entry) => [partitionKey(entry), entry])),
    tables: counted ?? [],
    problems: ready.ok ? [] : [`The service is not ready: ${ready.reasons.join("; ")}`],
    notes: counted === undefined ? ["To count the rows of the tables, set SNOWFLAKE_WAREHOUSE"] : []
  } satisfies Store
})

/** What streams needs no virtual warehouse, and without one no rows can be counted: Snowflake's 000606. */
const ifAwake = <A>(ask: Effect.Effect<A, WarehouseError>): Effect.Effect<A | undefined, WarehouseError> =>
  Effect.catchIf(
    ask,
    ({ code }) => code === "000606",
    () => Effect.succeed(undefined)
  )

const tokensOf = Effect.fnUntraced(function* (logs: ReadonlyArray<LogRange>) {
  const { durablePositions } = yield* Warehouse
  return durablePositions === undefined || logs.length === 0 ? [] : yield* durablePositions(logs)
})

/** Where a group is on standby what it has committed. */
export const standOf = (commit: Commit | undefined): Losses.Stand | null =>
  commit === undefined ? null : { next: commit.offset, topicId: commit.note?.topicId }

/** What Kafka no longer has of what comes next, and what is read instead. */
export const lossOf = (
  log: LogRange,
  stand: Losses.Stand | null,
  settings: Settings["Service"]
): { readonly what: string; readonly remedy: string } | undefined => {
  const what = stand === null ? undefined : Losses.describe(log, stand)
  if (what === undefined) return undefined
  if (settings.kafka.offsetsLost === "continue")
    return { what, remedy: "nothing: the service continues with what is there (OFFSETS_LOST=continue)" }
  return { what: `${what}; the topic is stopped`, remedy: Losses.remedy(log.topic, settings) }
}
