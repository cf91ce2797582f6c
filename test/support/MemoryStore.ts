/**
 * What the double of the warehouse holds, as plain data: tables, dead letters and the ledger, each change whole or not
 * at all.
 */
import { type Batch, deadLettersOf, rowsOf } from "../../src/domain/Batch.ts"
import { type Gap, maxGaps, type PartitionCoverage } from "../../src/domain/Coverage.ts"
import { type DeadLetterFilter, type StoredDeadLetter, sizeOf } from "../../src/domain/DeadLetters.ts"
import { type Position, partitionKey, type Start, type TopicPartition } from "../../src/domain/KafkaRecord.ts"
import type { BronzeRow, DeadLetter } from "../../src/domain/Outcome.ts"
import type { Route, Table } from "../../src/domain/Route.ts"
import type { LedgerEntry } from "../../src/warehouse/Warehouse.ts"

export interface Letter extends DeadLetter {
  readonly table: string
  readonly ingestedAt: number
  readonly replayedAt: number | null
}

const isAt =
  (place: Position) =>
  (other: Position): boolean =>
    partitionKey(other) === partitionKey(place) && other.offset === place.offset

export const make = (exactlyOnce: boolean) => {
  const tables = new Map<string, ReadonlyArray<BronzeRow>>()
  let letters: ReadonlyArray<Letter> = []
  type Row = LedgerEntry & { readonly start: number; readonly skipped: number }
  const ledger = new Map<string, Row>()
  let lastWriteAt: number | null = null

  const insert = (table: string, rows: ReadonlyArray<BronzeRow>): void => {
    tables.set(table, [...(tables.get(table) ?? []), ...rows])
    lastWriteAt = Date.now()
  }

  /** False, and nothing is changed, when the ledger is not where the batch expects it. */
  const write = (batch: Batch): boolean => {
    if (exactlyOnce) {
      const entries = batch.ranges.map((range) => ({ range, entry: ledger.get(partitionKey(range)) }))
      const moved = entries.flatMap(({ entry, range }) =>
        entry?.epoch === range.epoch && entry.next === range.from
          ? [{ ...entry, next: range.next, skipped: entry.skipped + range.skipped }]
          : []
      )
      if (moved.length !== batch.ranges.length) return false
      for (const entry of moved) ledger.set(partitionKey(entry), entry)
    }
    insert(batch.table.name, rowsOf(batch))
    const ingestedAt = Date.now()
    const added = deadLettersOf(batch).map((letter) => ({
      ...letter,
      table: batch.table.name,
      ingestedAt,
      replayedAt: null
    }))
    letters = [...letters, ...added]
    return true
  }

  const claim = (starts: ReadonlyArray<Start>, owner: string): ReadonlyArray<LedgerEntry> => {
    for (const { offset, partition, topic, topicId } of starts) {
      const place = { topic, partition }
      const fresh: Omit<Row, "owner"> = { ...place, next: offset, epoch: 0, start: offset, skipped: 0 }
      const entry = ledger.get(partitionKey(place)) ?? fresh
      ledger.set(partitionKey(place), {
        ...entry,
        ...(topicId !== undefined && { topicId }),
        owner,
        epoch: entry.epoch + 1
      })
    }
    const claimed = new Set(starts.map(partitionKey))
    return entries().filter((entry) => claimed.has(partitionKey(entry)))
  }

  const reset = (positions: ReadonlyArray<Start>, owner: string): void => {
    claim(positions, owner)
    for (const { offset, partition, topic, topicId } of positions) {
      const entry = ledger.get(partitionKey({ topic, partition }))
      if (entry !== undefined)
        ledger.set(partitionKey(entry), { ...entry, next: offset, start: offset, skipped: 0, topicId })
    }
  }

  const entries = (): ReadonlyArray<LedgerEntry> =>
    [...ledger.values()].map(({ skipped: _, start: __, ...entry }) => entry)

  /** False, and nothing is changed, when one of the letters does not wait. */
  const replay = (table: Table, rows: ReadonlyArray<BronzeRow>): boolean => {
    const waiting = letters.filter((letter) => letter.replayedAt === null)
    if (!rows.every((row) => waiting.some(isAt(row)))) return false
    const replayedAt = Date.now()
    letters = letters.map((letter) => (rows.some(isAt(letter)) ? { ...letter, replayedAt } : letter))
    insert(table.name, rows)
    return true
  }

  const stored = (filter: DeadLetterFilter): ReadonlyArray<StoredDeadLetter> =>
    letters
      .filter(
        (letter) =>
          (filter.topic ?? letter.topic) === letter.topic &&
          (filter.cause ?? letter.cause) === letter.cause &&
          `${letter.key ?? ""} ${letter.message}`.toLowerCase().includes((filter.search ?? "").toLowerCase()) &&
          (filter.since ?? 0) <= letter.ingestedAt &&
          letter.ingestedAt < (filter.until ?? Number.POSITIVE_INFINITY) &&
          (filter.replayed === true || letter.replayedAt === null) &&
          (filter.at === undefined || filter.at.some(isAt(letter)))
      )
      .sort((a, b) => b.ingestedAt - a.ingestedAt || a.partition - b.partition || a.offset - b.offset)
      .slice(0, filter.limit)
      .map(({ _tag, bytes: _, payload, truncated = false, ...rest }) => ({
        ...rest,
        truncated,
        bytes: payload === null ? null : sizeOf(payload.length, payload.slice(-2)),
        payload: filter.payload === true ? payload : null
      }))

  const coverageOf = (table: string, place: TopicPartition): PartitionCoverage => {
    const isHere = (other: TopicPartition): boolean => partitionKey(other) === partitionKey(place)
    const rows = (tables.get(table) ?? []).filter(isHere).map(({ offset }) => offset)
    const here = letters.filter(isHere)
    const waiting = here.filter(({ replayedAt }) => replayedAt === null).map(({ offset }) => offset)
    const there = [...rows, ...waiting].sort((a, b) => a - b)
    const entry = ledger.get(partitionKey(place))
    const [first = null] = there
    const last = there.at(-1) ?? null
    const [start, next] = exactlyOnce ? [entry?.start ?? 0, entry?.next ?? 0] : [first ?? 0, (last ?? -1) + 1]
    const known = new Set(there)
    const gaps: Array<Gap> = []
    let missing = 0
    for (let offset = start; offset < next; offset++) {
      if (known.has(offset)) continue
      missing += 1
      const gap = gaps.at(-1)
      if (gap?.to === offset - 1) gaps.splice(-1, 1, { from: gap.from, to: offset })
      else gaps.push({ from: offset, to: offset })
    }
    return {
      ...place,
      ...{ table, first, last, missing, rows: rows.length, offsets: new Set(rows).size },
      deadLetters: new Set(here.map(({ offset }) => offset)).size,
      waiting: new Set(waiting).size,
      duplicates: new Set(there.filter((offset, index) => there[index - 1] === offset)).size,
      ledger:
        exactlyOnce && entry !== undefined
          ? { start, next, skipped: entry.skipped, epoch: entry.epoch, owner: entry.owner }
          : null,
      gaps: gaps.slice(0, maxGaps)
    }
  }

  const coverage = (routes: ReadonlyArray<Route>): ReadonlyArray<PartitionCoverage> =>
    routes.flatMap(({ table, topic }) => {
      const places = [...(tables.get(table.name) ?? []), ...letters, ...ledger.values()].filter(
        (place) => place.topic === topic
      )
      const partitions = [...new Set(places.map(({ partition }) => partition))].sort((a, b) => a - b)
      return partitions.map((partition) => coverageOf(table.name, { topic, partition }))
    })

  return {
    write,
    claim,
    reset,
    entries,
    replay,
    stored,
    coverage,
    rows: (table: string): ReadonlyArray<BronzeRow> => tables.get(table) ?? [],
    letters: (): ReadonlyArray<Letter> => letters,
    lastWriteAt: (): number | null => lastWriteAt
  }
}
