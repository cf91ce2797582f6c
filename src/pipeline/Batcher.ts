/**
 * Micro-batches per table: a queue, `groupedWithin`, group commit and the byte budget. Whatever was offered is handed to the writer, in order
 * within its partition, before the scope has closed; or it is discarded, when the assignment it came from is no longer held.
 */
import type * as Cause from "effect/Cause"
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Latch from "effect/Latch"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Queue from "effect/Queue"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import type { BatchTrigger, Group } from "../domain/Batch.ts"
import type { Outcome } from "../domain/Outcome.ts"
import type { Table } from "../domain/Route.ts"
import type { Assignment } from "../kafka/ConsumerGroup.ts"
import { Progress } from "../observe/Progress.ts"
import { Settings } from "../settings/Settings.ts"
import * as ByteBudget from "./ByteBudget.ts"
import type { Decoded } from "./FetchDecoder.ts"
import * as GroupCommit from "./GroupCommit.ts"

/** The batchers of one assignment. */
export interface TableQueues<E> {
  /** Waits for room in the byte budget, then queues; one call per fetch, and one at a time for a partition. */
  readonly offer: (decoded: Decoded) => Effect.Effect<void>
  /** Fails as soon as a write fails for good; succeeds never. */
  readonly failure: Effect.Effect<never, E>
}

export class Batcher extends Context.Service<
  Batcher,
  {
    /**
     * Opens a queue per table for the length of the scope. `write` makes a batch durable, and tries again by itself: its failure is final.
     * While the assignment is held, closing the scope writes all that was offered; once it is not, what is not yet being written is dropped.
     */
    readonly open: <E, R>(options: {
      readonly tables: ReadonlyArray<Table>
      readonly write: (group: Group) => Effect.Effect<void, E, R>
      readonly assignment: Pick<Assignment, "isHeld" | "isEnding">
    }) => Effect.Effect<TableQueues<E>, never, R | Scope.Scope>
    /** Whether the scope that closed last wrote all that it had to; a stop that did not is no success, though nothing is lost. */
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
        open: Effect.fnUntraced(function* ({ assignment: { isEnding, isHeld }, tables, write }) {
          const shares = yield* ByteBudget.make(settings.bufferMaxBytes, tables, progress.buffered)
          const lines = yield* Effect.forEach(shares, ([table, share]) =>
            makeLine(settings, share, isHeld, ({ outcomes, trigger }) => write({ table, outcomes, trigger }))
          )
          const closeGroups = Effect.forEach(lines, (line) => line.closeGroup, { discard: true })
          const byTable = new Map(tables.map((table, index) => [table.name, lines[index]]))

          // Finalizers run last in, first out: this fiber outlives the flush below, and is interrupted only when it overruns the grace period.
          const drain = yield* Effect.forEach(lines, (line) => line.drain, {
            concurrency: "unbounded",
            discard: true
          }).pipe(Effect.forkScoped)
          // The flush: only `Queue.end` lets `groupedWithin` give out its partial group; shutdown, fail and interruption drop it.
          yield* Effect.addFinalizer((exit) =>
            Effect.forEach(
              lines,
              // A scope that is interrupted though its assignment goes on is the whole service stopping.
              (line) => line.end(!isEnding() && Exit.hasInterrupts(exit) ? "shutdown" : "rebalance"),
              { discard: true }
            ).pipe(
              Effect.andThen(Fiber.await(drain).pipe(Effect.timeoutOption(grace))),
              Effect.flatMap((drained) => {
                flushed = Option.isSome(drained) || !isHeld()
                return flushed
                  ? Effect.void
                  : Effect.logError(
                      `Not all was written within ${Duration.format(grace)}: what is left stays uncommitted in Kafka and will be read again`
                    )
              })
            )
          )

          return {
            offer: ({ bytes, outcomes, table }) => {
              const line = byTable.get(table.name)
              if (line === undefined) return Effect.die(new Error(`no queue for table ${table.name}`))
              return Effect.withSpan(admit(line, closeGroups, outcomes, bytes), "queue")
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
  for (const outcome of outcomes) bytes += outcome.bytes
  return bytes
}

/** All at once where there is room; else, as soon as nothing of the table waits any more, in parts that its reserve has room for. */
const admit = (
  line: Pick<Effect.Success<ReturnType<typeof makeLine>>, "budget" | "offer">,
  closeGroups: Effect.Effect<void>,
  outcomes: ReadonlyArray<Outcome>,
  bytes: number
): Effect.Effect<void> => {
  // What waits in open groups might be all that the budget was spent on: it waits no longer.
  const room = Effect.suspend(() => (line.budget.isSpent(bytes) ? closeGroups : Effect.void))
  return Effect.flatMap(Effect.andThen(room, line.budget.take(bytes)), (taken) => {
    if (taken) return line.offer(outcomes, bytes)
    const part = beginning(outcomes, line.budget.reserve)
    const partBytes = bytesOf(part)
    line.budget.takePart(partBytes)
    const rest = outcomes.slice(part.length)
    return Effect.andThen(
      line.offer(part, partBytes),
      rest.length === 0 ? Effect.void : admit(line, closeGroups, rest, bytes - partBytes)
    )
  })
}

/** The first that are no more than `maxBytes` together; one at least. */
const beginning = (outcomes: ReadonlyArray<Outcome>, maxBytes: number): ReadonlyArray<Outcome> => {
  let bytes = 0
  const end = outcomes.findIndex((outcome, index) => {
    bytes += outcome.bytes
    return index > 0 && bytes > maxBytes
  })
  return end === -1 ? outcomes : outcomes.slice(0, end)
}

/** What has been offered and stands in no group yet; unbounded in count, because the byte budget is the bound. */
const makeOpenQueue = Effect.map(Queue.unbounded<Outcome, Cause.Done>(), (queue) => ({ queue, bytes: 0 }))

/** One table: its queue, and the effect that empties it until the queue has ended. */
const makeLine = Effect.fnUntraced(function* <E, R>(
  settings: Settings["Service"],
  budget: ByteBudget.Share,
  isHeld: () => boolean,
  write: (taken: GroupCommit.Taken) => Effect.Effect<void, E, R>
) {
  const pending = GroupCommit.make(settings.write)
  const changed = yield* Latch.make()
  let ended = false
  let ending: "shutdown" | "rebalance" | undefined

  let last = yield* makeOpenQueue
  const queues = [last]

  const offer = (outcomes: ReadonlyArray<Outcome>, bytes: number): Effect.Effect<void> =>
    Effect.suspend(() => {
      last.bytes += bytes
      return Effect.asVoid(Queue.offerAll(last.queue, outcomes))
    })

  /** Only its end makes a queue give out a partial group: so it is ended, and another one follows. */
  const closeGroup = Effect.gen(function* () {
    if (last.bytes === 0 || ending !== undefined) return
    const { queue } = last
    last = yield* makeOpenQueue
    queues.push(last)
    yield* Queue.end(queue)
  })

  const end = (why: "shutdown" | "rebalance") =>
    Effect.suspend(() => {
      ending = why
      return Queue.end(last.queue)
    })

  const triggerOf = (outcomes: ReadonlyArray<Outcome>): BatchTrigger => {
    if (outcomes.length === settings.batch.size) return "size"
    return queues.length > 1 ? "bytes" : (ending ?? "time")
  }

  const group: Effect.Effect<void> = Effect.suspend(() => {
    const [here] = queues
    if (here === undefined) {
      ended = true
      return changed.open
    }
    return Stream.fromQueue(here.queue).pipe(
      Stream.groupedWithin(settings.batch.size, settings.batch.timeout),
      Stream.runForEach((outcomes) =>
        Effect.suspend(() => {
          here.bytes -= bytesOf(outcomes)
          pending.add(outcomes, triggerOf(outcomes))
          return changed.open
        })
      ),
      Effect.andThen(
        Effect.suspend(() => {
          queues.shift()
          return group
        })
      )
    )
  })

  const worker: Effect.Effect<void, E, R> = Effect.suspend(() => {
    const dropped = isHeld() ? 0 : pending.discard()
    const taken = pending.take()
    if (taken !== undefined) {
      const settle = Effect.suspend(() => {
        pending.release(taken)
        return Effect.andThen(budget.release(taken.bytes), changed.open)
      })
      return write(taken).pipe(Effect.ensuring(settle), Effect.andThen(worker))
    }
    const done = ended && pending.isEmpty()
    // Closed in the same step as the look, so that no change falls between the two.
    if (!done) changed.closeUnsafe()
    return Effect.andThen(budget.release(dropped), done ? Effect.void : Effect.andThen(changed.await, worker))
  })

  const workers = Array.from({ length: settings.write.concurrency }, () => worker)
  return {
    budget,
    offer,
    closeGroup,
    end,
    drain: Effect.all([group, ...workers], { concurrency: "unbounded", discard: true })
  }
})
