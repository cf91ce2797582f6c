/**
 * Decodes dead letters again and writes them into their tables, at their own coordinates, each once however often it is
 * replayed: the warehouse guarantees that.
 */
import * as Effect from "effect/Effect"
import * as Predicate from "effect/Predicate"
import * as Result from "effect/Result"
import * as Bytes from "../domain/Bytes.ts"
import { payloadOf, type StoredDeadLetter } from "../domain/DeadLetters.ts"
import { type Format, withoutRegistry } from "../domain/Format.ts"
import { halves } from "../domain/Halves.ts"
import type { KafkaRecord, Position } from "../domain/KafkaRecord.ts"
import type { BronzeRow, Outcome } from "../domain/Outcome.ts"
import type { Table } from "../domain/Route.ts"
import * as Retry from "../Retry.ts"
import { Schemas } from "../schema/Schemas.ts"
import { withTopics } from "../settings/Discovery.ts"
import { Settings } from "../settings/Settings.ts"
import { Warehouse } from "../warehouse/Warehouse.ts"
import type { WarehouseError } from "../warehouse/WarehouseError.ts"
import * as Decode from "./Decode.ts"
import * as LettersAt from "./LettersAt.ts"
import * as NamedSchemas from "./NamedSchemas.ts"

/** What became of one of them; `before` is one that had been replayed already, which is as good. */
export interface Verdict extends Position {
  readonly result: "replayed" | "before" | "would" | "failed"
  /** Its table, or why it stays a dead letter. */
  readonly detail: string
}

/** How often each of them came about. */
export const countsOf = (verdicts: ReadonlyArray<Verdict>): Readonly<Record<Verdict["result"], number>> => {
  const counts = { replayed: 0, before: 0, would: 0, failed: 0 }
  for (const { result } of verdicts) counts[result] += 1
  return counts
}

export interface Options {
  readonly dryRun: boolean
  /** A repaired event in place of the original one; for a single letter. */
  readonly payload: Uint8Array | undefined
}

/** What goes into one transaction at most. */
const maxRows = 100
const maxBytes = 1_048_576

const verdict = ({ offset, partition, topic }: Position, result: Verdict["result"], detail: string): Verdict => ({
  ...{ topic, partition, offset },
  result,
  detail
})

/** The record that a letter was, less its key; an event that was repaired may be JSON, whatever the headers say. */
const recordOf = (letter: StoredDeadLetter, repaired: Uint8Array | undefined): KafkaRecord => {
  const { offset, partition, timestamp, topic } = letter
  return {
    ...{ topic, partition, offset, key: null, headers: repaired === undefined ? headersOf(letter) : {} },
    timestamp: timestamp ?? -1,
    value: repaired ?? payloadOf(letter)
  }
}

/** As bytes: one of them may name the schema. */
const headersOf = ({ headers }: StoredDeadLetter): KafkaRecord["headers"] => {
  const stored: unknown = headers === null ? {} : JSON.parse(headers)
  const bytes = (value: unknown) => (typeof value === "string" ? Bytes.bytesOf(value) : null)
  return Object.fromEntries(
    Object.entries(Predicate.isObject(stored) ? stored : {}).map(([name, value]) => [
      name,
      Array.isArray(value) ? value.map(bytes) : bytes(value)
    ])
  )
}

/** The letter as the row it would have been; else why it is none. */
const toRow = (
  decode: (record: KafkaRecord) => Outcome,
  letter: StoredDeadLetter,
  repaired: Uint8Array | undefined
): Result.Result<BronzeRow, string> => {
  if (letter.truncated && repaired === undefined)
    return Result.fail("only the beginning of its payload was kept: pass the event with --payload FILE")
  const outcome = decode(recordOf(letter, repaired))
  switch (outcome._tag) {
    case "BronzeRow":
      // Key and headers as they were stored; decoding them again could only change them.
      return Result.succeed({ ...outcome, key: letter.key, headers: letter.headers })
    case "DeadLetter":
      return Result.fail(`${outcome.cause}: ${outcome.message}`)
    case "Skip":
      return Result.fail("a tombstone, which TOMBSTONES=skip skips")
  }
}

/** Groups of one table that fit into one transaction. */
const groupsOf = (letters: ReadonlyArray<StoredDeadLetter>): ReadonlyArray<ReadonlyArray<StoredDeadLetter>> => {
  const groups: Array<Array<StoredDeadLetter>> = []
  let bytes = 0
  for (const letter of [...letters].sort((a, b) => a.topic.localeCompare(b.topic))) {
    const group = groups.at(-1)
    const size = letter.bytes ?? 0
    if (group?.[0]?.topic === letter.topic && group.length < maxRows && bytes + size <= maxBytes) {
      group.push(letter)
      bytes += size
    } else {
      groups.push([letter])
      bytes = size
    }
  }
  return groups
}

/** Replays letters (found without their payloads) and gives each verdict to `report` as soon as it is known. */
export const replay = Effect.fnUntraced(function* <R>(
  letters: ReadonlyArray<StoredDeadLetter>,
  { dryRun, payload }: Options,
  report: (verdict: Verdict) => Effect.Effect<void, never, R>
) {
  const settings = yield* Settings
  // A topic that a template leads to may be deleted by now, and its dead letters wait all the same.
  const topics = letters.map(({ topic }) => topic)
  const { formats, routes, tombstones } = withTopics(settings, topics)
  const warehouse = yield* Warehouse
  const findSchemas = NamedSchemas.finder(yield* Schemas)

  const find = (at: ReadonlyArray<Position>, options: { readonly payload: boolean }) =>
    Effect.provideService(LettersAt.find(at, options), Warehouse, warehouse)

  const put = (table: Table, rows: ReadonlyArray<BronzeRow>): Effect.Effect<void, WarehouseError, R> =>
    warehouse.replay(table, rows).pipe(
      // An answer that was lost shows itself at the next try: nothing waits any more.
      Effect.retry({ schedule: Retry.backoff, while: ({ reason }) => reason === "unavailable", times: 6 }),
      Effect.andThen(Effect.forEach(rows, (row) => report(verdict(row, "replayed", table.name)), { discard: true })),
      Effect.catchIf(
        ({ reason }) => reason === "fenced" || reason === "refused" || reason === "too_large",
        (error) => {
          const [row] = rows
          const [one, other] = halves(rows)
          if (row === undefined) return Effect.void
          return rows.length > 1
            ? Effect.andThen(put(table, one), put(table, other))
            : Effect.flatMap(explain(row, error), report)
        }
      )
    )

  const explain = (row: Position, error: WarehouseError) =>
    error.reason === "fenced"
      ? Effect.map(find([row], { payload: false }), ([letter]) =>
          letter === undefined ? verdict(row, "failed", "it is no longer a dead letter") : verdictOf(letter, error)
        )
      : Effect.succeed(verdict(row, "failed", error.message))

  const verdictOf = (letter: StoredDeadLetter, error: WarehouseError): Verdict =>
    letter.replayedAt === null ? verdict(letter, "failed", error.message) : before(letter)

  const replayGroup = Effect.fnUntraced(function* (group: ReadonlyArray<StoredDeadLetter>) {
    const route = routes.find(({ topic }) => topic === group[0]?.topic)
    const rows: Array<BronzeRow> = []
    const ofTopic = formats.get(group[0]?.topic ?? "") ?? withoutRegistry
    const format: Format = payload === undefined ? ofTopic : { ...ofTopic, value: "auto" }
    for (const letter of yield* find(group, { payload: true })) {
      const named = NamedSchemas.idsIn([recordOf(letter, payload)], format)
      const schemas = yield* findSchemas(named)
      const row =
        route === undefined
          ? Result.fail(`BRONZE_ROUTES has no route for ${letter.topic}`)
          : toRow((record) => Decode.make(route, { tombstones, format })(record, schemas), letter, payload)
      if (Result.isFailure(row)) yield* report(verdict(letter, "failed", row.failure))
      else if (dryRun) yield* report(verdict(letter, "would", route?.table.name ?? ""))
      else rows.push(row.success)
    }
    if (route !== undefined && rows.length > 0) yield* put(route.table, rows)
  })

  yield* Effect.forEach(letters.filter(({ replayedAt }) => replayedAt !== null).map(before), report, { discard: true })
  const waiting = letters.filter(({ replayedAt }) => replayedAt === null)
  yield* Effect.forEach(groupsOf(waiting), replayGroup, { discard: true })
})

const before = (letter: StoredDeadLetter): Verdict =>
  verdict(letter, "before", letter.replayedAt === null ? "" : new Date(letter.replayedAt).toISOString())
