/** What `dlq list`, `dlq show` and `dlq replay` do and print. */
import * as Clock from "effect/Clock"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as Coordinates from "../../domain/Coordinates.ts"
import { payloadOf } from "../../domain/DeadLetters.ts"
import type { Position } from "../../domain/KafkaRecord.ts"
import * as LettersAt from "../../pipeline/LettersAt.ts"
import * as Replay from "../../pipeline/Replay.ts"
import { Warehouse } from "../../warehouse/Warehouse.ts"
import { negative } from "../support/Failure.ts"
import * as Screen from "../support/Screen.ts"
import * as Filter from "./Filter.ts"
import * as Show from "./Show.ts"

export const list = Effect.fnUntraced(function* (
  flags: Filter.FilterFlags & { readonly replayed: boolean; readonly json: boolean }
) {
  const { deadLetters } = yield* Warehouse
  const filter = yield* Filter.toFilter(flags)
  const letters = yield* deadLetters({ ...filter, replayed: flags.replayed })
  if (flags.json) return yield* Console.log(Screen.report(letters.map(({ payload: _, ...rest }) => rest)))
  if (letters.length === 0) return yield* Console.log(flags.replayed ? "No dead letters." : "No pending dead letters.")
  const { columns } = yield* Screen.screen
  const more = letters.length === flags.limit ? "\nThere may be more: raise --limit, or narrow the filters." : ""
  yield* Console.log(Show.list(letters, yield* Clock.currentTimeMillis, columns) + more)
})

/** The letters at these places, one that waits before one that was replayed; a place without one is named. */
const find = Effect.fnUntraced(function* (at: ReadonlyArray<Position>, options: { readonly payload: boolean }) {
  const letters = yield* LettersAt.find(at, options)
  const found = new Set(letters.map(Coordinates.format))
  for (const place of at.map(Coordinates.format))
    if (!found.has(place)) yield* Console.error(`There is no dead letter at ${place}`)
  return letters
})

export const show = Effect.fnUntraced(function* (at: Position, { json, raw }: { json: boolean; raw: boolean }) {
  const [letter] = yield* find([at], { payload: true })
  if (letter === undefined) return yield* negative
  if (raw) return yield* Effect.sync(() => void process.stdout.write(payloadOf(letter) ?? ""))
  yield* Console.log(json ? Screen.report(letter) : Show.one(letter))
})

export interface ReplayFlags extends Filter.FilterFlags {
  /** These records, in place of the filters. */
  readonly at: ReadonlyArray<Position> | undefined
  readonly all: boolean
  readonly dryRun: boolean
  readonly payload: Uint8Array | undefined
  readonly json: boolean
}

export const replay = Effect.fnUntraced(function* (flags: ReplayFlags) {
  const { deadLetters } = yield* Warehouse
  const { at, json } = flags
  const letters =
    at === undefined
      ? LettersAt.distinct(yield* deadLetters(yield* Filter.toFilter(flags)))
      : yield* find(at, { payload: false })
  const absent = at === undefined ? 0 : new Set(at.map(Coordinates.format)).size - letters.length
  if (absent > 0 && letters.length === 0) return yield* negative
  const screen = yield* Screen.screen
  const verdicts: Array<Replay.Verdict> = []
  yield* Replay.replay(letters, flags, (verdict) => {
    verdicts.push(verdict)
    return json ? Effect.void : Console.log(say(verdict, screen))
  })
  const counts = Replay.countsOf(verdicts)
  yield* Console.log(json ? Screen.report({ ...counts, letters: verdicts }) : sum(counts, flags.dryRun))
  return counts.failed + absent > 0 ? yield* negative : undefined
})

const say = ({ detail, result, ...at }: Replay.Verdict, { dim, green, red }: Screen.Screen): string => {
  const place = Coordinates.format(at)
  switch (result) {
    case "replayed":
      return `${green("✓")} ${place} -> ${detail}`
    case "would":
      return `${dim("-")} ${place} would become a row of ${detail}`
    case "before":
      return `${green("✓")} ${place} was replayed before, at ${detail}`
    case "failed":
      return `${red("✗")} ${place} stays a dead letter: ${Screen.harmless(detail)}`
  }
}

const sum = (counts: { replayed: number; before: number; would: number; failed: number }, dryRun: boolean): string => {
  const before = counts.before > 0 ? `, ${counts.before} replayed before` : ""
  const failed = counts.failed > 0 ? `, ${counts.failed} failed` : ""
  return dryRun
    ? `${Screen.plural(counts.would, "dead letter")} would become rows${before}${failed}; nothing was changed`
    : `${Screen.plural(counts.replayed, "dead letter")} replayed${before}${failed}`
}
