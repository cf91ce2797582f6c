/**
 * One table's way from what is offered to what is durable: its open group, the groups that wait, the workers that write
 * them in order, and what is left to do with those that have been accepted.
 */
import type * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Queue from "effect/Queue"
import * as Stream from "effect/Stream"
import type { Group } from "../domain/Batch.ts"
import type { Table } from "../domain/Route.ts"
import type { Settings } from "../settings/Settings.ts"
import type { Share } from "./ByteBudget.ts"
import * as GroupCommit from "./GroupCommit.ts"
import * as OpenGroup from "./OpenGroup.ts"

export const make = Effect.fnUntraced(function* <E, R>({
  isHeld,
  settings,
  share,
  table,
  write,
  writers
}: {
  readonly table: Table
  readonly settings: Pick<Settings["Service"], "batch" | "write">
  readonly share: Share
  readonly isHeld: () => boolean
  readonly write: (group: Group) => Effect.Effect<Effect.Effect<void, E>, E, R>
  /** How many groups may be written at once. */
  readonly writers: number
}) {
  const { close, end, offer, run } = yield* OpenGroup.make(settings.batch)
  const waiting = GroupCommit.make(settings.write)
  /** Wakes one worker, whoever waits longest; it wakes the next one. All at once would cost more than they write. */
  const changed = yield* Queue.dropping<void>(1)
  const wake = () => Queue.offerUnsafe(changed, undefined)
  const accepted = yield* Queue.unbounded<Effect.Effect<void, E>, Cause.Done>()
  let ended = false

  const gather = run((group, trigger) => {
    const bytes = waiting.add(group, trigger)
    wake()
    return bytes
  }).pipe(
    Effect.andThen(
      Effect.sync(() => {
        ended = true
        wake()
      })
    )
  )

  const worker: Effect.Effect<void, E, R> = Effect.suspend(() => {
    const dropped = isHeld() ? 0 : waiting.discard()
    const taken = waiting.take()
    if (taken !== undefined) {
      const { bytes, outcomes, trigger } = taken
      const settle = Effect.suspend(() => {
        waiting.release(taken)
        wake()
        return share.release(bytes)
      })
      wake()
      return write({ table, outcomes, trigger }).pipe(
        Effect.flatMap((landing) => Queue.offer(accepted, landing)),
        // The rows are the warehouse's now: it is the warehouse that bounds what is not durable yet.
        Effect.ensuring(settle),
        Effect.andThen(worker)
      )
    }
    const done = ended && waiting.isEmpty()
    if (done) wake()
    return Effect.andThen(share.release(dropped), done ? Effect.void : Effect.andThen(Queue.take(changed), worker))
  })

  const workers = Effect.all(
    Array.from({ length: writers }, () => worker),
    { concurrency: "unbounded", discard: true }
  )
  const landed = Stream.fromQueue(accepted).pipe(
    Stream.mapEffect((landing) => landing, { concurrency: "unbounded", unordered: true }),
    Stream.runDrain
  )
  return {
    share,
    offer,
    /** Lets the open group go before it is full or old enough. */
    close,
    /** Nothing is offered after this. */
    end,
    /** Empties the lane until it has ended; fails as soon as a write fails for good. */
    drain: Effect.all([gather, Effect.andThen(workers, Queue.end(accepted)), landed], {
      concurrency: "unbounded",
      discard: true
    })
  }
})
export type TableLane = Pick<Effect.Success<ReturnType<typeof make>>, "share" | "offer" | "close" | "end">
