/**
 * What closes a group says so: its size, its age, the byte budget, or the end of the assignment; and nothing that was
 * offered is left behind.
 */
import { assert, describe, it } from "@effect/vitest"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as TestClock from "effect/testing/TestClock"
import * as OpenGroup from "../../../src/pipeline/OpenGroup.ts"
import { row } from "../../support/Outcomes.ts"

const rows = (from: number, count: number) =>
  Array.from({ length: count }, (_, index) => row({ offset: from + index, bytes: 10 }))

const start = Effect.gen(function* () {
  const open = yield* OpenGroup.make({ size: 3, timeout: Duration.seconds(5) })
  const groups: Array<readonly [trigger: string, ...offsets: ReadonlyArray<number>]> = []
  const gathering = yield* Effect.forkChild(
    open.run((group, trigger) => {
      groups.push([trigger, ...group.map(({ offset }) => offset)])
      return group.length * 10
    })
  )
  const offer = (from: number, count: number) =>
    Effect.andThen(open.offer(rows(from, count), count * 10), TestClock.adjust(0))
  return { ...open, offer, groups, gathering }
})

describe("the open group", () => {
  it.effect("is closed by its size, its age, the byte budget and the end, whichever comes first", () =>
    Effect.gen(function* () {
      const { close, end, gathering, groups, offer } = yield* start
      yield* offer(0, 4)
      yield* TestClock.adjust("5 seconds")
      yield* offer(4, 2)
      yield* close
      yield* offer(6, 4)
      yield* end("rebalance")
      yield* Fiber.join(gathering)
      assert.deepStrictEqual(groups, [
        ["size", 0, 1, 2],
        ["time", 3],
        ["bytes", 4, 5],
        ["size", 6, 7, 8],
        ["rebalance", 9]
      ])
    })
  )

  it.effect("gives all of a backlog, in order", () =>
    Effect.gen(function* () {
      const { end, gathering, groups, offer } = yield* start
      yield* offer(0, 100)
      yield* offer(100, 31)
      yield* end("shutdown")
      yield* Fiber.join(gathering)
      assert.deepStrictEqual(
        groups.flatMap(([, ...offsets]) => offsets),
        rows(0, 131).map(({ offset }) => offset)
      )
      assert.deepStrictEqual(
        groups.map(([trigger, ...offsets]) => [trigger, offsets.length]),
        [...Array.from({ length: 43 }, () => ["size", 3]), ["shutdown", 2]]
      )
    })
  )

  it.effect("is not closed while nothing is in it, nor after its end", () =>
    Effect.gen(function* () {
      const { close, end, gathering, groups, offer } = yield* start
      yield* close
      yield* offer(0, 3)
      yield* close
      yield* offer(3, 1)
      yield* end("shutdown")
      yield* close
      yield* Fiber.join(gathering)
      assert.deepStrictEqual(groups, [
        ["size", 0, 1, 2],
        ["shutdown", 3]
      ])
    })
  )
})
