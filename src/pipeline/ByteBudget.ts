/**
 * The memory that queued events may take, bounded by configuration (P7). An eighth of it is a reserve, in equal shares
 * that nobody else can take; the rest is for whoever comes first. So a table that cannot be written keeps no other one
 * waiting.
 */
import * as Effect from "effect/Effect"
import * as Latch from "effect/Latch"

export interface Share {
  /** So much fits at any time into a share that is empty. */
  readonly reserve: number
  /**
   * Waits until `bytes` are free and takes them; false where the share is empty and they still do not fit: a part of
   * them will.
   */
  readonly take: (bytes: number) => Effect.Effect<boolean>
  /** Takes `bytes` that are in the reserve; and one record that is larger, for nothing less will come of it. */
  readonly takePart: (bytes: number) => void
  /** Whether `take` would wait now. */
  readonly isSpent: (bytes: number) => boolean
  readonly release: (bytes: number) => Effect.Effect<void>
}

/** A share for each owner; `onChange` hears how much is taken in all. */
export const make = Effect.fnUntraced(function* <A>(
  maxBytes: number,
  owners: ReadonlyArray<A>,
  onChange: (used: number) => void
): Effect.fn.Return<ReadonlyArray<readonly [owner: A, share: Share]>> {
  const reserve = Math.floor(maxBytes / 8 / Math.max(1, owners.length))
  const common = maxBytes - reserve * owners.length
  /** What all have taken beyond their reserves. */
  let beyond = 0
  let total = 0
  const changed = yield* Latch.make()

  const makeShare = (): Share => {
    let used = 0
    const beyondWith = (bytes: number): number => Math.max(0, bytes - reserve)

    const fits = (bytes: number): boolean =>
      used + bytes <= reserve || beyond - beyondWith(used) + beyondWith(used + bytes) <= common

    const isSpent = (bytes: number): boolean => used > 0 && !fits(bytes)

    const move = (bytes: number): void => {
      beyond += beyondWith(used + bytes) - beyondWith(used)
      used += bytes
      total += bytes
      onChange(total)
    }

    const take = (bytes: number): Effect.Effect<boolean> =>
      Effect.suspend(() => {
        if (isSpent(bytes)) {
          changed.closeUnsafe()
          return Effect.andThen(changed.await, take(bytes))
        }
        if (!fits(bytes)) return Effect.succeed(false)
        move(bytes)
        return Effect.succeed(true)
      })

    const release = (bytes: number): Effect.Effect<void> =>
      Effect.suspend(() => {
        move(-bytes)
        return changed.open
      })

    return { reserve, take, takePart: move, isSpent, release }
  }

  return owners.map((owner) => [owner, makeShare()] as const)
})
