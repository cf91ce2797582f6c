/** What `status` knows: how far each partition is behind and what stands in the tables; a side that does not answer is named, the other still shown. */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import { partitionKey } from "../domain/KafkaRecord.ts"
import { Admin, type LogRange } from "../kafka/Admin.ts"
import { Settings } from "../Settings.ts"
import { type LedgerEntry, type TableSummary, Warehouse } from "../warehouse/Warehouse.ts"

export interface PartitionStatus extends LogRange {
  /** The offset of the next record to be written; null when nothing was written yet. */
  readonly next: number | null
  /** Who says so: the ledger in the warehouse, the group's commit in Kafka, or nobody yet. */
  readonly source: "ledger" | "committed" | "none"
  /** Records that wait; below 0 when `next` is beyond the log's end, as after a topic was made anew. */
  readonly lag: number
}

export interface StatusReport {
  readonly at: number
  readonly group: string
  readonly delivery: "exactly-once" | "at-least-once"
  readonly target: string | null
  readonly partitions: ReadonlyArray<PartitionStatus>
  readonly lag: number
  readonly tables: ReadonlyArray<TableSummary>
  readonly problems: ReadonlyArray<string>
}

/** Asks both sides at once. */
export const gather = Effect.gen(function* () {
  const { delivery, kafka, routes } = yield* Settings
  const admin = yield* Admin
  const topics = [...new Set(routes.map(({ topic }) => topic))]
  const fromKafka = Effect.gen(function* () {
    const present = [...new Set((yield* admin.partitions(topics)).map(({ topic }) => topic))]
    const [ranges, committed] = yield* Effect.all([admin.ranges(present), admin.committed(kafka.group, present)], {
      concurrency: 2
    })
    return { ranges, committed, missing: topics.filter((topic) => !present.includes(topic)) }
  })
  const fromWarehouse = Effect.gen(function* () {
    const warehouse = yield* Warehouse
    const [ledger, tables] = yield* Effect.all([warehouse.ledger, warehouse.summary], { concurrency: 1 })
    return { ledger, tables, target: warehouse.target }
  })
  const [log, store] = yield* Effect.all([Effect.result(fromKafka), Effect.result(fromWarehouse)], { concurrency: 2 })
  const positions = delivery === "exactly-once" && Result.isSuccess(store) ? ledgerOf(store.success.ledger) : undefined
  const partitions = Result.isFailure(log)
    ? []
    : log.success.ranges.map((range): PartitionStatus => {
        const written = positions?.get(partitionKey(range))
        const commit = log.success.committed.find((other) => partitionKey(other) === partitionKey(range))?.offset
        const next = written ?? commit ?? null
        const source = written !== undefined ? "ledger" : commit !== undefined ? "committed" : "none"
        const start = kafka.autoOffsetReset === "earliest" ? range.low : range.high
        return { ...range, next, source, lag: range.high - Math.max(next ?? start, range.low) }
      })
  return {
    at: yield* Clock.currentTimeMillis,
    group: kafka.group,
    delivery,
    target: Result.isSuccess(store) ? store.success.target : null,
    partitions,
    lag: partitions.reduce((sum, { lag }) => sum + Math.max(0, lag), 0),
    tables: Result.isSuccess(store) ? store.success.tables : [],
    problems: [
      ...(Result.isFailure(log) ? [`Kafka: ${log.failure.message}`] : []),
      ...(Result.isSuccess(log) ? log.success.missing.map((topic) => `Kafka has no topic ${topic}`) : []),
      ...(Result.isFailure(store) ? [`Warehouse: ${store.failure.message}`] : []),
      ...partitions.filter(({ lag }) => lag < 0).map(beyondTheEnd)
    ]
  } satisfies StatusReport
})

const ledgerOf = (ledger: ReadonlyArray<LedgerEntry>): ReadonlyMap<string, number> =>
  new Map(ledger.map((entry) => [partitionKey(entry), entry.next]))

const beyondTheEnd = ({ high, next, partition, topic }: PartitionStatus): string =>
  `${topic}/${partition}: the next offset ${next} is beyond the end ${high} of the log; the topic was probably deleted and made anew`
