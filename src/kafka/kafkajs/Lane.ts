/**
 * The deliveries of one topic, in their order. A topic that has to wait for room is paused, and the others are fetched
 * meanwhile.
 */
import * as Effect from "effect/Effect"
import * as Queue from "effect/Queue"

interface Delivery {
  /** May be called again, to no effect. */
  readonly done: (handled: boolean) => void
}

export interface Lane<D extends Delivery> {
  readonly offer: (delivery: D) => void
  /** Whether it has to wait for room, and resumes by itself. */
  readonly isWaiting: () => boolean
  /**
   * Handles one after the other; a failure is that of the whole assignment. Whatever is left at its end has to be
   * fetched again.
   */
  readonly run: <E>(hand: (delivery: D) => Effect.Effect<boolean, E>) => Effect.Effect<never, E>
}

/** How long a delivery may keep the fetches of all topics waiting, in milliseconds. */
const patience = 1000

export const make = <D extends Delivery>(options: {
  /** Undefined where there are no other topics. */
  readonly pause: (() => void) | undefined
  readonly resume: () => void
}): Lane<D> => {
  const { pause, resume } = options
  const queue = Effect.runSync(Queue.unbounded<D>())
  const held = new Set<D>()
  let paused = false

  const offer = (delivery: D): void => {
    held.add(delivery)
    if (paused) delivery.done(true)
    Queue.offerUnsafe(queue, delivery)
  }

  /**
   * kafkajs fetches on from here; what is held is handled nevertheless, or all is read again from where the ledger is.
   */
  const letOthersPass = (): void => {
    paused = true
    pause?.()
    for (const delivery of held) delivery.done(true)
  }

  const settle = (delivery: D, handled: boolean): void => {
    held.delete(delivery)
    delivery.done(handled)
    if (!paused || held.size > 0) return
    paused = false
    resume()
  }

  return {
    offer,
    isWaiting: () => paused,
    run: (hand) =>
      Queue.take(queue).pipe(
        Effect.flatMap((delivery) =>
          Effect.suspend(() => {
            const timer = pause === undefined || paused ? undefined : setTimeout(letOthersPass, patience)
            return Effect.ensuring(
              hand(delivery),
              Effect.sync(() => clearTimeout(timer))
            )
          }).pipe(Effect.tap((handled) => Effect.sync(() => settle(delivery, handled))))
        ),
        Effect.forever,
        // Interrupted or failed: whoever comes next has it delivered again.
        Effect.ensuring(
          Effect.sync(() => {
            for (const delivery of held) delivery.done(false)
          })
        )
      )
  }
}
