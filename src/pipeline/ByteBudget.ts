/** The memory that queued events may take, shared by all tables: whoever wants more than is left waits, so memory is bounded by configuration (P7). */
import * as Effect from "effect/Effect"
import * as Latch from "effect/Latch"

export interface ByteBudget {
  /** Waits until `bytes` are free and takes them; what is larger than the whole budget passes alone. */
  readonly take: (bytes: number) => Effect.Effect<void>
  /** Whether `take` would wait now. */
  readonly isSpent: (bytes: number) => boolean
  readonly release: (bytes: number) => Effect.Effect<void>
}

/** `onChange` hears how much is taken. */
export const make = Effect.fnUntraced(function* (
  maxBytes: number,
  onChange: (used: number) => void
): Effect.fn.Return<ByteBudget> {
  let used = 0
  const changed = yield* Latch.make()

  const isSpent = (bytes: number): boolean => used > 0 && used + bytes > maxBytes

  const take = (bytes: number): Effect.Effect<void> =>
    Effect.suspend(() => {
      if (isSpent(bytes)) {
        changed.closeUnsafe()
        return Effect.andThen(changed.await, take(bytes))
      }
      used += bytes
      onChange(used)
      return Effect.void
    })

  const release = (bytes: number): Effect.Effect<void> =>
    Effect.suspend(() => {
      used -= bytes
      onChange(used)
      return changed.open
    })

  return { take, isSpent, release }
})
