/**
 * The token that logs in to the brokers: one for all connections, requested once however many wait for it, renewed
 * before it ends, and dropped when a broker rejects it.
 */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import type * as Redacted from "effect/Redacted"
import * as Result from "effect/Result"
import * as Semaphore from "effect/Semaphore"
import * as Retry from "../Retry.ts"
import type { KafkaError } from "./KafkaError.ts"

export interface Token {
  readonly value: Redacted.Redacted
  /** Milliseconds since 1970, by the clock of this machine. */
  readonly expiresAt: number
}

export interface Tokens {
  /** A token that lasts for a while. */
  readonly current: Effect.Effect<Token, KafkaError>
  /** Logs in with it; a denied login drops it. */
  readonly use: <A>(login: (token: Token) => Effect.Effect<A, KafkaError>) => Effect.Effect<A, KafkaError>
}

/** Milliseconds until the next request after one that failed; after a denied one doubled each time, up to the last. */
const [first, longest] = [1_000, 60_000]

/** A token with less left, in milliseconds, is not worth a login: brokers refuse a second one within a second. */
const least = 2_000

/** A fifth of its life before a token ends, and at least 10 seconds, unless that is more than half of its life. */
const renewAt = (now: number, { expiresAt }: Token): number => {
  const life = expiresAt - now
  return expiresAt - Math.max(life / 5, Math.min(life / 2, 10_000))
}

/** Keeps what `request` brings; while it fails, the last token serves until its end. */
export const make = Effect.fnUntraced(function* (request: Effect.Effect<Token, KafkaError>): Effect.fn.Return<Tokens> {
  const one = yield* Semaphore.make(1)
  const mentioned: Retry.Mentioned = new Map()
  let held: { readonly token: Token; readonly renewAt: number } | undefined
  let failure: { readonly error: KafkaError; readonly until: number } | undefined
  let pause = first

  const remember = (error: KafkaError, now: number): void => {
    failure = { error, until: now + (error.isRetryable ? first : pause) }
    if (!error.isRetryable) pause = Math.min(2 * pause, longest)
  }

  const renewed = Effect.fnUntraced(function* (now: number) {
    if (failure !== undefined && now < failure.until) return yield* failure.error
    const answer = yield* Effect.result(request)
    const then = yield* Clock.currentTimeMillis
    if (Result.isFailure(answer)) {
      remember(answer.failure, then)
      return yield* answer.failure
    }
    failure = undefined
    held = { token: answer.success, renewAt: renewAt(then, answer.success) }
    return answer.success
  })

  const current = Effect.gen(function* () {
    const now = yield* Clock.currentTimeMillis
    if (held !== undefined && now < held.renewAt) return held.token
    const last = held?.token
    const request = renewed(now)
    if (last === undefined || last.expiresAt - now < least) return yield* request
    return yield* Effect.catch(request, ({ message }) =>
      Effect.as(
        Retry.isDue(mentioned, message, now)
          ? Effect.logWarning(`Could not renew the token for Kafka: ${message}. Retrying; the last one is still valid`)
          : Effect.void,
        last
      )
    )
  }).pipe(one.withPermits(1))

  return {
    current,
    use: (login) =>
      Effect.flatMap(current, (token) =>
        login(token).pipe(
          Effect.tap(() =>
            Effect.sync(() => {
              pause = first
            })
          ),
          Effect.tapError((error) =>
            Effect.map(Clock.currentTimeMillis, (now) => {
              // Another connection may have renewed it meanwhile.
              if (error.reason !== "denied" || held?.token !== token) return
              held = undefined
              remember(error, now)
            })
          )
        )
      )
  }
})
