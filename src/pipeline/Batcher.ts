/**
 * Micro-batches: a lane per table, and the byte budget before them. Whatever was offered is handed to the writer, in
 * order within its partition, before the scope has closed; or it is discarded, when the assignment it came from is no
 * longer held.
 */
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import type * as Scope from "effect/Scope"
import type { Group } from "../domain/Batch.ts"
import { heldBytes, type Outcome } from "../domain/Outcome.ts"
import type { Table } from "../domain/Route.ts"
import type { Assignment } from "../kafka/ConsumerGroup.ts"
import { Progress } from "../observe/Progress.ts"
import { Settings } from "../settings/Settings.ts"
import * as ByteBudget from "./ByteBudget.ts"
import type { Decoded } from "./FetchDecoder.ts"
import * as TableLane from "./TableLane.ts"

/** The lanes of one assignment. */
export interface Lanes<E> {
  /** Waits for room in the byte budget, then queues; one call per fetch, and one at a time for a partition. */
  readonly offer: (decoded: Decoded) => Effect.Effect<void>
  /** Fails as soon as a write fails for good; succeeds never. */
  readonly failure: Effect.Effect<never, E>
}

export class Batcher extends Context.Service<
  Batcher,
  {
    /**
     * Opens a lane per table for the length of the scope. `write` has a batch accepted, and gives what makes it
     * durable; both retry by themselves: their failure is final. While the assignment is held, closing the scope writes all that was offered; once it is not,
     * what is not yet being written is dropped.
     */
    readonly open: <E, R>(options: {
      readonly tables: ReadonlyArray<Table>
      readonly write: (group: Group) => Effect.Effect<Effect.Effect<void, E>, E, R>
      /** How many groups of a table may be written at once. */
      readonly writers: number
      readonly assignment: Pick<Assignment, "isHeld" | "isEnding">
    }) => Effect.Effect<Lanes<E>, never, R | Scope.Scope>
    /**
     * Whether the scope that closed last wrote all that it had to; a stop that did not is no success, though nothing is
     * lost.
     */
    readonly isFlushed: () => boolean
  }
>()("bronze/pipeline/Batcher") {
  static readonly layer = Layer.effect(
    Batcher,
    Effect.gen(function* () {
      const settings = yield* Settings
      const progress = yield* Progress
      // Leaving the group, and the last log lines, want their share of SHUTDOWN_TIMEOUT.
      const grace = Duration.millis(Math.max(500, Duration.toMillis(settings.shutdownTimeout) * 0.8))

      let flushed = true

      return Batcher.of({
        isFlushed: () => flushed,
        open: Effect.fnUntraced(function* ({ assignment: { isEnding, isHeld }, tables, write, writers }) {
          const shares = yield* ByteBudget.make(settings.bufferMaxBytes, tables, progress.buffered)
          const lanes = yield* Effect.forEach(shares, ([table, share]) =>
            TableLane.make({ table, settings, share, isHeld, write, writers })
          )
          const closeGroups = Effect.forEach(lanes, (lane) => lane.close, { discard: true })
          const byTable = new Map(tables.map((table, index) => [table.name, lanes[index]]))

          // Finalizers run last in, first out: this fiber outlives the flush below, and is interrupted only when it
          // overruns the grace period.
          const drain = yield* Effect.forEach(lanes, (lane) => lane.drain, {
            concurrency: "unbounded",
            discard: true
          }).pipe(Effect.forkScoped)
          // The flush: only `Queue.end` lets `groupedWithin` give out its partial group; shutdown, fail and
          // interruption drop it.
          yield* Effect.addFinalizer((exit) =>
            Effect.forEach(
              lanes,
              // A scope that is interrupted though its assignment continues is the whole service stopping.
              (lane) => lane.end(!isEnding() && Exit.hasInterrupts(exit) ? "shutdown" : "rebalance"),
              { discard: true }
            ).pipe(
              Effect.andThen(Fiber.await(drain).pipe(Effect.timeoutOption(grace))),
              Effect.flatMap((drained) => {
                flushed = Option.isSome(drained) || !isHeld()
                return flushed
                  ? Effect.void
                  : Effect.logError(
                      `Not everything was written within ${Duration.format(grace)}: the rest stays uncommitted in Kafka and will be read again`
                    )
              })
            )
          )

          return {
            offer: ({ bytes, outcomes, table }) => {
              const lane = byTable.get(table.name)
              if (lane === undefined) return Effect.die(new Error(`no lane for table ${table.name}`))
              return Effect.withSpan(admit(lane, closeGroups, outcomes, bytes), "queue")
            },
            failure: Effect.andThen(Fiber.join(drain), Effect.never)
          }
        })
      })
    })
  )
}

const bytesOf = (outcomes: ReadonlyArray<Outcome>): number => {
  let bytes = 0
  for (const outcome of outcomes) bytes += heldBytes(outcome)
  return bytes
}

/**
 * All at once where there is room; else, as soon as nothing of the table waits any more, in parts that its reserve has
 * room for.
 */
const admit = (
  lane: TableLane.TableLane,
  closeGroups: Effect.Effect<void>,
  outcomes: ReadonlyArray<Outcome>,
  bytes: number
): Effect.Effect<void> => {
  // What waits in open groups might be all that the budget was spent on: it waits no longer.
  const room = Effect.suspend(() => (lane.share.isSpent(bytes) ? closeGroups : Effect.void))
  return Effect.flatMap(Effect.andThen(room, lane.share.take(bytes)), (taken) => {
    if (taken) return lane.offer(outcomes, bytes)
    const part = beginning(outcomes, lane.share.reserve)
    const partBytes = bytesOf(part)
    lane.share.takePart(partBytes)
    const rest = outcomes.slice(part.length)
    return Effect.andThen(
      lane.offer(part, partBytes),
      rest.length === 0 ? Effect.void : admit(lane, closeGroups, rest, bytes - partBytes)
    )
  })
}

/** The first that are no more than `maxBytes` together; one at least. */
const beginning = (outcomes: ReadonlyArray<Outcome>, maxBytes: number): ReadonlyArray<Outcome> => {
  let bytes = 0
  const end = outcomes.findIndex((outcome, index) => {
    bytes += heldBytes(outcome)
    return index > 0 && bytes > maxBytes
  })
  return end === -1 ? outcomes : outcomes.slice(0, end)
}
