/** What `audit` finds: compares each partition's log in Kafka with the rows, the dead letters and the ledger. */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import type { PartitionCoverage } from "../../domain/Coverage.ts"
import { partitionKey } from "../../domain/KafkaRecord.ts"
import { hide, shown } from "../../domain/Secrets.ts"
import { Admin } from "../../kafka/Admin.ts"
import * as Starts from "../../pipeline/Starts.ts"
import { keepsLedger, Settings } from "../../settings/Settings.ts"
import { Warehouse } from "../../warehouse/Warehouse.ts"
import { byCommit, byLedger } from "./Judge.ts"
import * as Unwritten from "./Unwritten.ts"

export interface PartitionAudit extends PartitionCoverage {
  /** Kafka's log; null when Kafka has no such partition. */
  readonly low: number | null
  readonly high: number | null
  /** The group's committed offset. */
  readonly committed: number | null
  /** Records that wait to be written. */
  readonly lag: number
  /** What is wrong. */
  readonly problems: ReadonlyArray<string>
  /** What is worth knowing, or unknown. */
  readonly notes: ReadonlyArray<string>
}

export interface AuditReport {
  readonly at: number
  readonly group: string
  readonly delivery: "exactly-once" | "at-least-once"
  readonly target: string
  readonly partitions: ReadonlyArray<PartitionAudit>
  /** All that is wrong, partition by partition. */
  readonly problems: ReadonlyArray<string>
  readonly notes: ReadonlyArray<string>
}

const nothing = { rows: 0, offsets: 0, first: null, last: null, deadLetters: 0, waiting: 0, duplicates: 0 } as const

/**
 * Asks in this order, so that a service that runs meanwhile makes no false alarm: first the commits, which follow the
 * ledger; then the warehouse, all of it as of one instant; the ends of the logs last, for the ledger follows them.
 */
export const gather = Effect.gen(function* () {
  const settings = yield* Settings
  const { delivery, kafka, routes } = settings
  const hasLedger = keepsLedger(settings)
  const admin = yield* Admin
  const warehouse = yield* Warehouse
  const topics = routes.map(({ topic }) => topic)
  const places = yield* admin.partitions(topics)
  const present = topics.filter((topic) => places.some((place) => place.topic === topic))
  const committed = new Map(
    (yield* admin.committed(kafka.group, present)).map((commit) => [partitionKey(commit), commit])
  )
  // A service that answers may still have a route to a topic that was deleted meanwhile.
  const coverage = (yield* warehouse.coverage).filter(({ topic }) => topics.includes(topic))
  const logs = yield* admin.ranges(present)

  const covered = new Set(coverage.map(partitionKey))
  const untouched = logs
    .filter((log) => !covered.has(partitionKey(log)))
    .flatMap((log) =>
      routes
        .filter(({ topic }) => topic === log.topic)
        .map(
          ({ table }): PartitionCoverage => ({
            ...{ ...nothing, topic: log.topic, partition: log.partition, table: table.name },
            ...{ ledger: null, missing: 0, gaps: [] }
          })
        )
    )
  const read = coverage.filter(({ ledger }) => ledger !== null)
  const known = new Set([...read, ...committed.values()].map(({ topic }) => topic))
  const inOrder = [...coverage, ...untouched].sort(
    (a, b) => topics.indexOf(a.topic) - topics.indexOf(b.topic) || a.partition - b.partition
  )
  const partitions = yield* Effect.forEach(
    inOrder,
    Effect.fnUntraced(function* (partition) {
      const log = logs.find((other) => partitionKey(other) === partitionKey(partition)) ?? null
      const commit = committed.get(partitionKey(partition)) ?? null
      const start = log === null ? 0 : Starts.unread(log, known.has(partition.topic), kafka.autoOffsetReset)
      const next = Math.max(partition.ledger?.next ?? commit?.offset ?? start, log?.low ?? 0)
      // A group that began at the end has committed what it never was to read.
      const isNew = partition.last === null && kafka.autoOffsetReset === "latest"
      const unwritten =
        hasLedger || log === null || commit === null || isNew
          ? undefined
          : yield* Unwritten.find(partition, log, commit.offset, settings.tombstones)
      const judge = hasLedger ? byLedger : byCommit(settings, unwritten)
      return {
        ...partition,
        ...{ low: log?.low ?? null, high: log?.high ?? null, committed: commit?.offset ?? null },
        lag: Math.max(0, (log?.high ?? next) - next),
        ...judge(partition, log, commit)
      } satisfies PartitionAudit
    }),
    { concurrency: 4 }
  )
  const said = (of: "problems" | "notes") =>
    partitions.flatMap((partition) => partition[of].map((text) => `${partitionKey(partition)}: ${text}`))
  return {
    at: yield* Clock.currentTimeMillis,
    ...{ group: shown(kafka.group), delivery, target: hide(warehouse.target), partitions },
    problems: [
      ...topics.filter((topic) => !present.includes(topic)).map((topic) => `Kafka has no topic ${topic}`),
      ...said("problems")
    ],
    notes: said("notes")
  } satisfies AuditReport
})
