/**
 * Writes a batch: retries while the warehouse is unreachable, asks the ledger when an outcome is unclear, and halves a
 * batch down to the record at fault when data is refused. Only what has been durable may be committed to Kafka (P2).
 */
import * as Clock from "effect/Clock"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as Batch from "../domain/Batch.ts"
import { base64 } from "../domain/Bytes.ts"
import { smaller } from "../domain/DeadLetters.ts"
import { halves } from "../domain/Halves.ts"
import { partitionKey } from "../domain/KafkaRecord.ts"
import type { BronzeRow, DeadLetter, Outcome } from "../domain/Outcome.ts"
import { nounOf } from "../domain/Route.ts"
import * as Throttle from "../domain/Throttle.ts"
import type { Assignment } from "../kafka/ConsumerGroup.ts"
import { DeadLetterTopic } from "../kafka/DeadLetterTopic.ts"
import { Progress } from "../observe/Progress.ts"
import * as Retry from "../Retry.ts"
import { Settings } from "../settings/Settings.ts"
import { Warehouse } from "../warehouse/Warehouse.ts"
import { silent, unbound, WarehouseError } from "../warehouse/WarehouseError.ts"
import type { Claims } from "./Claims.ts"
import { Reclaim } from "./Reclaim.ts"
import * as Spans from "./Spans.ts"

/**
 * The warehouse does not take the batch as it is. Nothing of it is durable; `instead` is to be written in its place,
 * one after another.
 */
export class Refused extends Data.TaggedError("Refused")<{
  readonly instead: ReadonlyArray<ReadonlyArray<Outcome>>
}> {}

/** Ends once the batch is durable. It holds none of its rows. */
export type Landing = Effect.Effect<void, Reclaim>

export interface Writer {
  /** Returns once the warehouse has accepted the batch: the next one of its partitions may follow. */
  readonly write: (batch: Batch.Batch) => Effect.Effect<Landing, Refused | Reclaim>
}

export const make = Effect.fnUntraced(function* ({ isHeld }: Pick<Assignment, "isHeld">, claims: Claims) {
  const warehouse = yield* Warehouse
  const deadLetterTopic = yield* DeadLetterTopic
  const progress = yield* Progress
  const { progressTimeout } = yield* Settings
  const logRefused = yield* Throttle.make(
    (sort, count) => `${sort}: ${count} more within a minute; all are kept as dead letters (bronze-consumer dlq list)`
  )
  // One outage, and all the writes that wait for its end.
  const mentioned: Retry.Mentioned = new Map()

  const write = (batch: Batch.Batch): Effect.Effect<Landing, Refused | Reclaim> => {
    const what = describe(batch)
    return Effect.logInfo(`Flushing ${what} to ${warehouse.name}...`).pipe(
      Effect.andThen(publish(batch)),
      Effect.andThen(persist(batch, what)),
      Effect.catchTag("WarehouseError", (error) => recover(batch, error))
    )
  }

  /**
   * Before the write, for after it nobody would know what is still to be sent; a letter may come twice, and says where
   * it is from.
   */
  const publish = (batch: Batch.Batch): Effect.Effect<void, Reclaim> =>
    deadLetterTopic.publish(Batch.deadLettersOf(batch)).pipe(
      Effect.retry(
        Retry.forever("Failed to send dead letters to Kafka", isHeld, new Map(), (message) =>
          progress.lasting("DLQ_TOPIC", message)
        )
      ),
      Effect.tap(() => Effect.sync(() => progress.lasting("DLQ_TOPIC", null))),
      Effect.mapError(({ message }) => new Reclaim({ message }))
    )

  const persist = (batch: Batch.Batch, what: string): Effect.Effect<Landing, WarehouseError> => {
    let tries = 0
    return Effect.suspend(() => {
      if (tries++ > 0) progress.retried(batch.table.name)
      return attempt(batch, what)
    }).pipe(
      Effect.retry(
        Retry.forever(
          `Failed to insert ${what} into ${warehouse.name}`,
          (error: WarehouseError) => error.isRetryable && isHeld(),
          mentioned,
          (message) => progress.lasting(batch.table.name, message)
        )
      ),
      Effect.ensuring(Effect.sync(() => progress.lasting(batch.table.name, null))),
      Effect.tap(() => Effect.sync(() => claims.advance(batch)))
    )
  }

  /** One attempt. What has not ended after PROGRESS_TIMEOUT is given up, and with it its session. */
  const attempt = (batch: Batch.Batch, what: string): Effect.Effect<Landing, WarehouseError> =>
    Effect.flatMap(Clock.currentTimeMillis, (startedAt) => {
      const took = secondsSince(startedAt)
      return Effect.suspend(() => warehouse.write(batch)).pipe(
        // Whatever throws while records are bound is a record's fault, to be found as any other.
        Effect.catchDefect((defect) => Effect.fail(unbound(defect))),
        Effect.catchIf(
          (error) => error.reason === "fenced",
          (error) => Effect.andThen(hasLanded(batch, error), (landed) => (landed ? Effect.void : Effect.fail(error)))
        ),
        Effect.timeoutOrElse({ duration: progressTimeout, orElse: () => Effect.fail(silent) }),
        Spans.aroundTry(batch, warehouse.name),
        Effect.tapError((error) => Effect.map(took, (seconds) => progress.failed(batch.table.name, error, seconds))),
        Effect.andThen(Effect.sync(() => landing(batch, what, took)))
      )
    })

  /** Who has lost the partitions waits for nothing: who has them now finds out what is durable. */
  const untilLost: Effect.Effect<never, Reclaim> = Effect.suspend(() =>
    isHeld()
      ? Effect.andThen(Effect.sleep("1 second"), untilLost)
      : new Reclaim({ message: "the partitions are no longer assigned" })
  )

  const landing = (batch: Batch.Batch, what: string, took: Effect.Effect<number>): Landing => {
    const { ranges } = batch
    const written = progress.accepted(batch)
    const done = took.pipe(
      Effect.map(written),
      Effect.andThen(Effect.logInfo(`Inserted ${what} into ${warehouse.name}`))
    )
    if (warehouse.durable === undefined) return done
    return warehouse.durable(ranges).pipe(
      Effect.tapError(({ reason }) => Effect.sync(() => (reason === "fenced" ? progress.fenced() : undefined))),
      Effect.mapError(({ message }) => new Reclaim({ message })),
      Effect.raceFirst(untilLost),
      Effect.andThen(done)
    )
  }

  /**
   * An attempt that was thought lost may have been committed: then the ledger is where this batch, under our epoch,
   * would put it. The write itself may know, having looked in its own transaction; another connection need not see yet
   * what that one saw.
   */
  const hasLanded = (batch: Batch.Batch, { landed }: WarehouseError): Effect.Effect<boolean, WarehouseError> => {
    if (landed !== undefined) return Effect.succeed(landed)
    return Effect.map(warehouse.ledger, (entries) => {
      const ledgerNow = new Map(entries.map((entry) => [partitionKey(entry), entry]))
      return batch.ranges.every((range) => {
        const entry = ledgerNow.get(partitionKey(range))
        return entry?.epoch === range.epoch && entry.next === range.next
      })
    })
  }

  const recover = (batch: Batch.Batch, error: WarehouseError): Effect.Effect<Landing, Refused | Reclaim> => {
    if (error.reason === "fenced") progress.fenced()
    if (!isOfRecords(error)) return Effect.fail(new Reclaim({ message: error.message }))
    const { outcomes } = batch
    const [first] = outcomes
    const bad = new Set(error.records)
    if (bad.size > 0) {
      const buried = outcomes.map((outcome, index) =>
        outcome._tag === "BronzeRow" && bad.has(index) ? bury(outcome, error) : outcome
      )
      return Effect.andThen(
        Effect.logError(`${warehouse.name} refuses ${bad.size} of ${outcomes.length} records: ${error.message}`),
        new Refused({ instead: [buried] })
      )
    }
    if (outcomes.length > 1) return Effect.fail(new Refused({ instead: halves(outcomes) }))
    if (first?._tag === "DeadLetter") return whatFits(batch, first)
    if (first?._tag !== "BronzeRow") return Effect.fail(new Reclaim({ message: error.message }))
    return Effect.andThen(
      logRefused(
        `${warehouse.name} refuses records of topic=${first.topic}`,
        `${warehouse.name} refuses ${place(first)}: ${error.message}`
      ),
      new Refused({ instead: [[bury(first, error)]] })
    )
  }

  /**
   * A dead letter must not stop its partition: what is too much of it is left out, and it says so. When not even its
   * coordinates are taken, the table is at fault and no record: passing over it would lose it, so this partition waits,
   * and retries the whole letter.
   */
  const whatFits = ({ table, trigger }: Batch.Batch, letter: DeadLetter): Effect.Effect<Landing, Reclaim> => {
    const attemptWith = (part: DeadLetter): Effect.Effect<Landing, WarehouseError> => {
      const batch = Batch.make({ table, outcomes: [part], trigger, claimed: claims.claimed })
      return Effect.catchIf(persist(batch, describe(batch)), isOfRecords, (error) => {
        const less = smaller(part)
        return less === undefined ? Effect.fail(closed(part, error)) : attemptWith(less)
      })
    }
    return attemptWith(letter).pipe(
      Effect.retry(
        Retry.forever(
          `Failed to insert a dead letter into ${warehouse.name}`,
          (error: WarehouseError) => error.isRetryable && isHeld(),
          mentioned,
          (message) => progress.lasting(deadLetters, message)
        )
      ),
      Effect.ensuring(Effect.sync(() => progress.lasting(deadLetters, null))),
      Effect.mapError(({ message }) => new Reclaim({ message }))
    )
  }

  return { write } satisfies Writer
})

/** Made out here, because a landing keeps it: a closure within an attempt would keep the rows of its batch with it. */
const secondsSince = (start: number): Effect.Effect<number> =>
  Effect.map(Clock.currentTimeMillis, (now) => (now - start) / 1000)

const deadLetters = "DEAD_LETTERS"

/** What is refused for what it holds. */
const isOfRecords = ({ reason }: WarehouseError): boolean => reason === "refused" || reason === "too_large"

const closed = (letter: DeadLetter, { message }: WarehouseError): WarehouseError =>
  new WarehouseError({
    reason: "denied",
    isUnknown: true,
    message: `${deadLetters} refuses ${place(letter)} though only its coordinates are left, so the table must be fixed: ${message}`
  })

const place = ({ offset, partition, topic }: Outcome): string =>
  `topic=${topic} partition=${partition} offset=${offset}`

const bury = (row: BronzeRow, error: WarehouseError): DeadLetter => {
  const { bytes, headers, key, offset, partition, timestamp, topic } = row
  return {
    _tag: "DeadLetter",
    ...{ topic, partition, offset, timestamp, key, headers, bytes },
    cause: error.reason === "too_large" ? "too_large" : "refused",
    message: error.message,
    payload: row.event === null ? null : base64(row.event)
  }
}

/** `100 orders`, and what comes with them. */
const describe = (batch: Batch.Batch): string => {
  const rows = Batch.rowsOf(batch).length
  const letters = Batch.deadLettersOf(batch).length
  const parts = [
    ...(rows > 0 ? [`${rows} ${nounOf(batch.table.name)}`] : []),
    ...(letters > 0 ? [`${letters} dead ${letters === 1 ? "letter" : "letters"}`] : [])
  ]
  return parts.length > 0 ? parts.join(" and ") : `${batch.outcomes.length} skipped ${nounOf(batch.table.name)}`
}
