/**
 * Puts a batch into the channels of its partitions, each record once.
 *
 * A partition has two channels, so two tokens, and rows and dead letters must not be mistaken for each other when a
 * range is read again. The rule: the dead letters of a batch are durable before one of its rows is sent. So whatever is
 * not beyond the rows' token is durable, be it row or letter; and a letter not beyond the letters' token is.
 */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import { type Batch, byPartition, type OffsetRange } from "../../../domain/Batch.ts"
import { partitionKey } from "../../../domain/KafkaRecord.ts"
import type { BronzeRow, DeadLetter, Outcome } from "../../../domain/Outcome.ts"
import { WarehouseError } from "../../WarehouseError.ts"
import * as Channel from "./Channel.ts"
import type { Channels } from "./Channels.ts"
import * as Rows from "./Rows.ts"

/** No gateway is known to refuse so little. */
const smallestRequest = 64_000

/** What a batch has of one partition. */
interface Part {
  readonly letters: Array<DeadLetter>
  readonly rows: Array<BronzeRow>
}

const partsOf = (outcomes: ReadonlyArray<Outcome>): ReadonlyMap<string, Part> =>
  byPartition(
    outcomes,
    (): Part => ({ letters: [], rows: [] }),
    ({ letters, rows }, outcome) => {
      if (outcome._tag === "BronzeRow") rows.push(outcome)
      else if (outcome._tag === "DeadLetter") letters.push(outcome)
    }
  )

const claimedAgain = Channel.fenced("the partition was claimed again")

export const make = (channels: Channels) => {
  let largest: number = Rows.maxSize

  /**
   * What of one partition is not there yet. All is made before anything is sent, so that nothing has left of a batch
   * with a row that is too large.
   */
  const prepare = Effect.fnUntraced(function* (batch: Batch, range: OffsetRange, part: Part | undefined) {
    const claimed = channels.find(range, range.epoch)
    if (claimed === undefined) return yield* claimedAgain
    const { letters, rows } = claimed
    // First, for it moves what is accepted.
    yield* letters.again
    yield* rows.again
    const now = yield* Clock.currentTimeMillis
    const lastLetter = Math.max(letters.opened, rows.opened, letters.accepted())
    const lastRow = rows.accepted()
    const newLetters = part?.letters.filter((letter) => letter.offset > lastLetter) ?? []
    const newRows = part?.rows.filter((row) => row.offset > lastRow) ?? []
    const letterBodies = yield* Rows.ofLetters(batch.table, newLetters, now, largest)
    const rowBodies = yield* Rows.ofRows(batch.table, newRows, now, largest, (row) => batch.outcomes.indexOf(row))
    return { letters, rows, letterBodies, rowBodies }
  })

  type Prepared = Effect.Success<ReturnType<typeof prepare>>

  const send = Effect.fnUntraced(function* ({ letterBodies, letters, rowBodies, rows }: Prepared) {
    for (const body of letterBodies) yield* letters.append(body)
    if (rowBodies.length > 0) yield* letters.durable(letters.accepted())
    for (const body of rowBodies) {
      yield* channels.room
      yield* rows.append(body)
    }
  })

  const write = (batch: Batch): Effect.Effect<void, WarehouseError> =>
    Effect.gen(function* () {
      const parts = partsOf(batch.outcomes)
      const prepared = yield* Effect.forEach(
        batch.ranges,
        (range) => prepare(batch, range, parts.get(partitionKey(range))),
        { concurrency: "unbounded" }
      )
      yield* Effect.forEach(prepared, send, { concurrency: "unbounded", discard: true })
    }).pipe(
      Effect.catchIf(
        ({ code, reason }) => reason === "too_large" && code !== undefined,
        () => writeSmaller(batch)
      )
    )

  /** What was answered with 413 is not sent by this process again, but in parts. */
  const writeSmaller = (batch: Batch): Effect.Effect<void, WarehouseError> =>
    Effect.suspend(() => {
      if (largest > smallestRequest) {
        largest = Math.max(smallestRequest, Math.floor(largest / 2))
        return write(batch)
      }
      return Effect.fail(
        new WarehouseError({
          reason: "denied",
          isUnknown: true,
          message: `requests of ${largest} bytes are answered with 413: something between here and Snowflake has to let more pass`
        })
      )
    })

  const durable = (ranges: ReadonlyArray<OffsetRange>): Effect.Effect<void, WarehouseError> =>
    Effect.forEach(
      ranges,
      (range) => {
        const claimed = channels.find(range, range.epoch)
        return claimed === undefined
          ? Effect.fail(claimedAgain)
          : Effect.andThen(claimed.letters.durable(range.next - 1), claimed.rows.durable(range.next - 1))
      },
      { concurrency: "unbounded", discard: true }
    )

  return { write, durable }
}
