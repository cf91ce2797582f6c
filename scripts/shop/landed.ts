// What became of a record: a row, a dead letter, or nothing that is known yet. The service says so; it is taken at its
// word only where it reads the very topic that the shop writes to.
import * as Effect from "effect/Effect"
import { listening, type RunningService } from "../../src/cli/support/RunningService.ts"
import { isSamePartition, type Position } from "../../src/domain/KafkaRecord.ts"
import { Admin } from "../../src/kafka/Admin.ts"
import * as RecentRows from "../../src/observe/RecentRows.ts"
import { Settings } from "../../src/settings/Settings.ts"
import { deadLetters } from "../../src/warehouse/sql/Tables.ts"

export type Landed =
  | { readonly state: "unknown" }
  | { readonly state: "row"; readonly table: string }
  | { readonly state: "dead letter"; readonly table: string; readonly cause: string }
  /** Durable, and no longer among the newest rows and dead letters: one of the two. */
  | { readonly state: "written" }

const isSame = (a: Position, b: Position): boolean => isSamePartition(a, b) && a.offset === b.offset

/** `table` is where the topic's rows go; `id` is Kafka's id of the topic, where the broker gives one. */
export const judge = (
  service: Pick<RunningService, "partitions" | "deadLetters" | "rows">,
  at: Position,
  { id, table }: { readonly id: string | undefined; readonly table: string }
): Landed => {
  const read = service.partitions.find((partition) => isSamePartition(partition, at))
  const isOther = id !== undefined && read?.topicId !== undefined && read.topicId !== id
  if (read === undefined || isOther || read.next <= at.offset) return { state: "unknown" }
  const letter = service.deadLetters.find((letter) => isSame(letter, at))
  if (letter !== undefined) return { state: "dead letter", table: deadLetters.name, cause: letter.cause }
  // A full list may have dropped this one.
  const isRow = service.deadLetters.length < RecentRows.count || service.rows.some((row) => isSame(row, at))
  return isRow ? { state: "row", table } : { state: "written" }
}

/** Asks Kafka and the service now; where one of them does not answer, nothing is known. */
export const ask = Effect.fnUntraced(function* (at: Position) {
  const unknown: Landed = { state: "unknown" }
  const { routes } = yield* Settings
  const route = routes.find(({ topic }) => topic === at.topic)
  const service = yield* listening
  if (route === undefined || service === undefined) return unknown
  const { describe } = yield* Admin
  return yield* describe([at.topic]).pipe(
    Effect.map(([state]) => judge(service, at, { id: state?.id, table: route.table.name })),
    Effect.timeout("2 seconds"),
    Effect.orElseSucceed(() => unknown)
  )
})
