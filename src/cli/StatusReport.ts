/** What `status` knows: how far each partition is behind and what stands in the tables; a side that does not answer is named, the other still shown. */
import { existsSync } from "node:fs"
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import { partitionKey } from "../domain/KafkaRecord.ts"
import { Admin, type LogRange } from "../kafka/Admin.ts"
import { hide } from "../Secrets.ts"
import { Settings, type SinkSettings } from "../Settings.ts"
import { type TableSummary, Warehouse } from "../warehouse/Warehouse.ts"
import { WarehouseError } from "../warehouse/WarehouseError.ts"
import { ask, type RunningService } from "./StatusService.ts"

export interface PartitionStatus extends LogRange {
  /** The offset of the next record to be written; null when nothing was written yet. */
  readonly next: number | null
  /** Who says so: the ledger in the warehouse, the running service, the group's commit in Kafka, or nobody yet. */
  readonly source: "ledger" | "service" | "committed" | "none"
  /** Records that wait; below 0 when `next` is beyond the log's end, as after a topic was made anew. */
  readonly lag: number
}

export interface StatusReport {
  readonly at: number
  readonly group: string
  readonly delivery: "exactly-once" | "at-least-once"
  readonly target: string | null
  /** The running service, when it was asked in place of the DuckDB file that it holds: then rows are those since it started. */
  readonly service: { readonly url: string; readonly startedAt: number } | null
  readonly partitions: ReadonlyArray<PartitionStatus>
  readonly lag: number
  readonly tables: ReadonlyArray<TableSummary>
  readonly problems: ReadonlyArray<string>
}

/** What stands in the warehouse, and who says so. */
interface Store {
  readonly target: string
  readonly service: StatusReport["service"]
  readonly positions: ReadonlyMap<string, number>
  readonly tables: ReadonlyArray<TableSummary>
  readonly problems: ReadonlyArray<string>
}

/** Asks both sides at once; one that has not answered after `patience` is as good as away. */
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
  const byStore = Result.isSuccess(store) && store.success.service !== null ? "service" : "ledger"
  const committed = new Map(
    Result.isSuccess(group) ? group.success.committed.map((entry) => [partitionKey(entry), entry.offset]) : []
  )
  const partitions = (Result.isSuccess(ranges) ? ranges.success : []).map((range): PartitionStatus => {
    const written = positions?.get(partitionKey(range))
    const commit = committed.get(partitionKey(range))
    const next = written ?? commit ?? null
    const source = written !== undefined ? byStore : commit !== undefined ? "committed" : "none"
    const start = kafka.autoOffsetReset === "earliest" ? range.low : range.high
    return { ...range, next, source, lag: range.high - Math.max(next ?? start, range.low) }
  })
  return {
    at: yield* Clock.currentTimeMillis,
    group: kafka.group,
    delivery,
    target: Result.isSuccess(store) ? hide(store.success.target) : null,
    service: Result.isSuccess(store) ? store.success.service : null,
    partitions,
    lag: partitions.reduce((sum, { lag }) => sum + Math.max(0, lag), 0),
    tables: Result.isSuccess(store) ? store.success.tables : [],
    problems: [
      ...(Result.isFailure(ranges) ? [`Kafka: ${ranges.failure}`] : []),
      ...(Result.isSuccess(group) ? group.success.missing.map((topic) => `Kafka has no topic ${topic}`) : []),
      ...(Result.isFailure(store) ? [`Warehouse: ${store.failure}`] : store.success.problems),
      ...partitions.flatMap((partition) => {
        const loss = lossOf(partition, partition.next, settings)
        return loss === undefined ? [] : [`${partition.topic}: ${loss.what} -> ${loss.remedy}`]
      })
    ].map(hide)
  } satisfies StatusReport
})

/** The warehouse itself; a DuckDB file that the service holds is left alone, and the service asked. */
const storeOf = Effect.fnUntraced(function* (sink: SinkSettings) {
  const warehouse = yield* Warehouse
  if (sink._tag === "DuckDb") {
    const running = yield* ask
    if (running !== undefined) return toStore(running, warehouse.target)
    // DuckDB would make it.
    if (!existsSync(sink.path))
      return yield* new WarehouseError({
        reason: "denied",
        message: `${sink.path} is not there yet; create it with \`node dist/main.js init\``
      })
  }
  const [ledger, tables] = yield* Effect.all([warehouse.ledger, warehouse.summary], { concurrency: 1 })
  const positions = new Map(ledger.map((entry) => [partitionKey(entry), entry.next]))
  return { target: warehouse.target, service: null, positions, tables, problems: [] } satisfies Store
})

const toStore = (running: RunningService, target: string): Store => {
  const { partitions, ready, startedAt, tables, totals, url } = running
  return {
    target,
    service: { url, startedAt },
    positions: new Map(partitions.map((entry) => [partitionKey(entry), entry.next])),
    tables: [
      ...tables.map(({ lastWrite, table, written }) => ({ table, rows: written, lastWrite })),
      { table: "DEAD_LETTERS", rows: totals.deadLetters, lastWrite: running.deadLetters[0]?.at ?? null }
    ],
    problems: ready.ok ? [] : [`The service is not ready: ${ready.reasons.join("; ")}`]
  }
}

/** What Kafka no longer has, or has anew, of what comes `next` in a partition; and what goes on from there. */
export const lossOf = (
  { high, low, partition, topic }: LogRange,
  next: number | null,
  { delivery, kafka }: Settings["Service"]
): { readonly what: string; readonly remedy: string } | undefined => {
  if (next === null || (next >= low && next <= high)) return undefined
  const what =
    next < low
      ? `offsets ${next} to ${low - 1} of partition ${partition} are no longer in Kafka (retention)`
      : `partition ${partition} was read up to ${next}, but ends at ${high}: the topic was made anew`
  if (kafka.offsetsLost === "continue")
    return { what, remedy: "nothing: the service goes on with what is there (OFFSETS_LOST=continue)" }
  const remedy =
    delivery === "exactly-once"
      ? `node dist/main.js reset ${topic} --to earliest`
      : `stop the service, then kafka-consumer-groups.sh --bootstrap-server ${kafka.brokers[0]} --group ${kafka.group} --topic ${topic} --reset-offsets --to-earliest --execute`
  return { what: `${what}; the topic is stopped`, remedy }
}
