/**
 * When partitions have to be claimed again though the assignment is still held, and how soon: safety never depends on
 * who wins, only progress does.
 */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import type { OffsetsLost } from "../kafka/ConsumerGroup.ts"

/**
 * The partitions of a batch are no longer ours, or no longer where we left them: what is held has to be dropped and the
 * ledger read again.
 */
export class Reclaim extends Schema.TaggedError<Reclaim>()("Reclaim", { message: Schema.String }) {}

/** Some topics are stopped; it is time to check them again. */
export class StillStopped extends Schema.TaggedError<StillStopped>()("StillStopped", { message: Schema.String }) {}

/** A stopped topic is logged repeatedly and checked again: it may have been reset. */
export const reminder = (stopped: ReadonlyArray<string>): Effect.Effect<never, StillStopped> =>
  stopped.length === 0
    ? Effect.never
    : Effect.andThen(Effect.sleep("30 seconds"), new StillStopped({ message: stopped.join(", ") }))

/**
 * Milliseconds between one claim and the next, doubled while it does not help: each costs the whole group its turn at
 * the ledger.
 */
const [shortest, longest] = [1_000, 30_000]

/** An assignment that went well for so long, as one with a stopped topic does, starts with the shortest again. */
const settled = 30_000

type Failure = Reclaim | StillStopped | OffsetsLost

/**
 * Runs `claimed` until it ends well or the assignment is no longer held; each time that it fails, once more after a
 * pause.
 */
export const again = <R>(
  claimed: Effect.Effect<void, Failure, R>,
  isHeld: () => boolean,
  pause = shortest
): Effect.Effect<void, never, R> =>
  Effect.flatMap(Clock.currentTimeMillis, (began) =>
    Effect.catch(Effect.tapError(claimed, mention), () =>
      Effect.flatMap(Clock.currentTimeMillis, (now) => {
        if (!isHeld()) return Effect.void
        const wait = now - began >= settled ? shortest : pause
        return Effect.andThen(Effect.sleep(wait), again(claimed, isHeld, Math.min(2 * wait, longest)))
      })
    )
  )

/** A topic that stays stopped has its own ERROR each time. */
const mention = ({ _tag, message }: Failure): Effect.Effect<void> =>
  Effect.logWithLevel(_tag === "StillStopped" ? "Debug" : "Warn")(`Reading the ledger again: ${message}`)
