/** What the live page is greeted with: the last 15 minutes by the second, 6 hours by the half minute, and no more. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as TestClock from "effect/testing/TestClock"
import * as Sampler from "../../../src/http/Sampler.ts"
import { start } from "../../support/Flow.ts"

describe("the samples", () => {
  it.effect("are kept finely for 15 minutes and coarsely for 6 hours", () =>
    Effect.gen(function* () {
      const flow = yield* start()
      const sampler = yield* Effect.provide(Sampler.make, flow.parts)
      yield* TestClock.adjust("7 hours")
      const { samples } = sampler.hello()
      const ages = samples.map(({ at }) => (7 * 3_600_000 - at) / 1000)
      const fine = ages.filter((age) => age < 15 * 60)
      const coarse = ages.filter((age) => age >= 15 * 60)
      assert.closeTo(fine.length, 900, 2)
      assert.closeTo(coarse.length, 720, 2)
      assert.isAtMost(Math.max(...ages), 6.3 * 3600)
      assert.isAtLeast(Math.max(...ages), 6 * 3600)
      assert.deepStrictEqual(
        ages,
        [...ages].sort((a, b) => b - a),
        "oldest first"
      )
    })
  )
})
