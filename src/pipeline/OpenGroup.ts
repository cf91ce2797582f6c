/**
 * The group of one table that is still open: it gathers what is offered until it is full, old enough or closed, and is
 * then given out with the reason.
 */
import * as Arr from "effect/Array"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Queue from "effect/Queue"
import * as Stream from "effect/Stream"
import type { BatchTrigger } from "../domain/Batch.ts"
import type { Outcome } from "../domain/Outcome.ts"
import type { Settings } from "../settings/Settings.ts"

/** What is offered between one early close and the next. */
interface Part {
  /** Unbounded in count, because the byte budget is the bound. */
  readonly queue: Queue.Queue<Outcome, Cause.Done>
  /** Of what is in no group yet. */
  bytes: number
  /** Why its queue has ended. */
  closedBy?: BatchTrigger
}

/**
 * So many groups leave the queue together: `groupedWithin` copies what remains of what it got for each of them, which is
 * too much where it gets all that waits.
 */
const atOnce = 10

const makePart = Effect.map(Queue.unbounded<Outcome, Cause.Done>(), (queue): Part => ({ queue, bytes: 0 }))

export const make = Effect.fnUntraced(function* ({ size, timeout }: Settings["Service"]["batch"]) {
  let last = yield* makePart
  const parts = [last]

  const offer = (outcomes: ReadonlyArray<Outcome>, bytes: number): Effect.Effect<void> =>
    Effect.suspend(() => {
      last.bytes += bytes
      return Effect.asVoid(Queue.offerAll(last.queue, outcomes))
    })

  /**
   * Closes the group for its bytes. Only its end makes a queue give out a partial group: so it is ended, and another
   * one follows.
   */
  const close: Effect.Effect<void> = Effect.flatMap(makePart, (next) => {
    const before = last
    if (before.bytes === 0 || before.closedBy !== undefined) return Effect.void
    before.closedBy = "bytes"
    last = next
    parts.push(next)
    return Queue.end(before.queue)
  }).pipe(Effect.uninterruptible, Effect.asVoid)

  /** Closes the group for good. */
  const end = (why: "shutdown" | "rebalance"): Effect.Effect<void> =>
    Effect.suspend(() => {
      last.closedBy = why
      return Effect.asVoid(Queue.end(last.queue))
    })

  const take = ({ queue }: Part) =>
    Effect.filterOrElse(Queue.takeBetween(queue, 1, atOnce * size), Arr.isArrayNonEmpty, () => Cause.done())

  /** Hands over each group, with what closed it, until the end; `add` says how many bytes it had. */
  const run = (add: (group: ReadonlyArray<Outcome>, trigger: BatchTrigger) => number): Effect.Effect<void> =>
    Effect.suspend(() => {
      const [here] = parts
      if (here === undefined) return Effect.void
      return Stream.fromPull(Effect.succeed(take(here))).pipe(
        Stream.groupedWithin(size, timeout),
        Stream.runForEach((group) =>
          Effect.sync(() => {
            here.bytes -= add(group, group.length === size ? "size" : (here.closedBy ?? "time"))
          })
        ),
        Effect.andThen(Effect.sync(() => parts.shift())),
        Effect.andThen(run(add))
      )
    })

  return { offer, close, end, run }
})
