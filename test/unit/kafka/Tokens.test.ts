/** One token for all connections: requested once, renewed before it ends, kept while it is valid, dropped when rejected. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Redacted from "effect/Redacted"
import * as TestClock from "effect/testing/TestClock"
import { KafkaError } from "../../../src/kafka/KafkaError.ts"
import * as Tokens from "../../../src/kafka/Tokens.ts"

const away = new KafkaError({ reason: "unavailable", message: "the token endpoint is down" })
const refused = new KafkaError({ reason: "denied", message: "invalid_client" })

/** Tokens of an hour, numbered; `fail` says how the next requests end, and `requests` counts them. */
const setUp = Effect.fnUntraced(function* (life = 3_600_000) {
  const state = { requests: 0, fail: undefined as KafkaError | undefined }
  const tokens = yield* Tokens.make(
    Effect.gen(function* () {
      state.requests += 1
      yield* Effect.sleep("100 millis")
      if (state.fail !== undefined) return yield* state.fail
      return {
        value: Redacted.make(`token ${state.requests}`),
        expiresAt: (yield* Effect.clockWith((clock) => clock.currentTimeMillis)) + life
      }
    })
  )
  const waitFor = <A, E>(effect: Effect.Effect<A, E>) =>
    Effect.gen(function* () {
      const fiber = yield* Effect.forkChild(effect, { startImmediately: true })
      yield* TestClock.adjust("100 millis")
      return yield* Fiber.join(fiber)
    })
  const use = waitFor(tokens.use(({ value }) => Effect.succeed(Redacted.value(value))))
  const reject = waitFor(Effect.flip(tokens.use(() => Effect.fail(refused))))
  return { state, tokens, use, reject, waitFor }
})

describe("a token", () => {
  it.effect("is requested once, however many connections wait for it", () =>
    Effect.gen(function* () {
      const { waitFor, state, tokens } = yield* setUp()
      const logins = Array.from({ length: 20 }, () => tokens.use(({ value }) => Effect.succeed(Redacted.value(value))))
      const used = yield* waitFor(Effect.all(logins, { concurrency: "unbounded" }))
      assert.deepStrictEqual([...new Set(used)], ["token 1"])
      assert.strictEqual(state.requests, 1)
    })
  )

  it.effect("serves for four fifths of its life, and the next one from then on", () =>
    Effect.gen(function* () {
      const { use } = yield* setUp()
      assert.strictEqual(yield* use, "token 1")
      yield* TestClock.adjust("47 minutes")
      assert.strictEqual(yield* use, "token 1")
      yield* TestClock.adjust("1 minute")
      assert.strictEqual(yield* use, "token 2")
    })
  )

  it.effect("of a few seconds has half of them left whenever it is used", () =>
    Effect.gen(function* () {
      const { use } = yield* setUp(8000)
      assert.strictEqual(yield* use, "token 1")
      yield* TestClock.adjust("3800 millis")
      assert.strictEqual(yield* use, "token 1")
      yield* TestClock.adjust("200 millis")
      assert.strictEqual(yield* use, "token 2")
    })
  )

  it.effect("serves until its end while it cannot be renewed, and not longer", () =>
    Effect.gen(function* () {
      const { state, use } = yield* setUp()
      yield* use
      for (const fault of [away, refused]) {
        state.fail = fault
        yield* TestClock.adjust("5 minutes")
        assert.strictEqual(yield* use, "token 1")
      }
      state.fail = away
      yield* TestClock.adjust("52 minutes")
      assert.strictEqual((yield* Effect.flip(use)).message, away.message)
      state.fail = undefined
      yield* TestClock.adjust("1 second")
      assert.match(yield* use, /^token/)
    })
  )

  it.effect("is requested once a second while the endpoint is down", () =>
    Effect.gen(function* () {
      const { state, tokens } = yield* setUp()
      state.fail = away
      const fiber = yield* Effect.forkChild(
        Effect.forever(Effect.andThen(Effect.ignore(tokens.use(() => Effect.void)), Effect.sleep("50 millis")))
      )
      yield* TestClock.adjust("30 seconds")
      yield* Fiber.interrupt(fiber)
      assert.isAtLeast(state.requests, 25)
      assert.isAtMost(state.requests, 30)
    })
  )

  it.effect("that a broker rejects is dropped, and the next one comes after a pause that doubles up to a minute", () =>
    Effect.gen(function* () {
      const { reject, state, use } = yield* setUp()
      yield* reject
      assert.strictEqual((yield* Effect.flip(use)).message, refused.message)
      assert.strictEqual(state.requests, 1)
      yield* TestClock.adjust("1 second")
      yield* reject
      yield* TestClock.adjust("1 second")
      assert.strictEqual((yield* Effect.flip(use)).message, refused.message)
      yield* TestClock.adjust("1 second")
      // A broker took it: the next rejection is the first again.
      assert.strictEqual(yield* use, "token 3")
      yield* reject
      yield* TestClock.adjust("1 second")
      assert.strictEqual(yield* use, "token 4")
      for (let count = 0; count < 10; count++) {
        yield* reject
        yield* TestClock.adjust("1 minute")
      }
      assert.strictEqual(yield* use, "token 14")
    })
  )

  it.effect("that one connection could not send stays", () =>
    Effect.gen(function* () {
      const { waitFor, tokens, use } = yield* setUp()
      assert.strictEqual((yield* waitFor(Effect.flip(tokens.use(() => Effect.fail(away))))).message, away.message)
      assert.strictEqual(yield* use, "token 1")
    })
  )
})
