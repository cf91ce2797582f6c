/** The writers of a table: all of them work, none sleeps while there is something to write, and none wakes for nothing. */
import { assert, describe, it } from "@effect/vitest"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Latch from "effect/Latch"
import * as ByteBudget from "../../../src/pipeline/ByteBudget.ts"
import * as TableLane from "../../../src/pipeline/TableLane.ts"
import { route, row } from "../../support/Outcomes.ts"

const { table } = route("raw.orders.v1=ORDERS_RAW")
const writers = 64
const settings = {
  batch: { size: 10, timeout: Duration.seconds(5) },
  write: { maxRows: 100, maxBytes: 1_000_000, concurrency: writers }
}

const start = Effect.fnUntraced(function* (write: Effect.Effect<void>) {
  const [entry] = yield* ByteBudget.make(1_000_000_000, [table], () => undefined)
  if (entry === undefined) return yield* Effect.die("no share")
  let looks = 0
  let written = 0
  const lane = yield* TableLane.make({
    ...{ table, settings, share: entry[1], writers },
    isHeld: () => {
      looks += 1
      return true
    },
    write: ({ outcomes }) =>
      Effect.map(write, () => {
        written += outcomes.length
        return Effect.void
      })
  })
  const draining = yield* Effect.forkChild(lane.drain)
  return { lane, draining, looks: () => looks, written: () => written }
})

const rows = (partition: number, from: number, count: number) =>
  Array.from({ length: count }, (_, index) => row({ partition, offset: from + index, bytes: 10 }))

describe("the writers of a table", () => {
  it.effect("wake one by one, and write all", () =>
    Effect.gen(function* () {
      const { draining, lane, looks, written } = yield* start(Effect.yieldNow)
      const groups = 200
      for (let group = 0; group < groups; group++) {
        yield* lane.offer(rows(group % 8, group * 10, 10), 100)
        yield* Effect.yieldNow
      }
      yield* lane.end("shutdown")
      yield* Fiber.join(draining)
      assert.strictEqual(written(), groups * 10)
      assert.isBelow(looks(), 2 * writers + 5 * groups)
    })
  )

  it.effect("are as many as there are partitions to write", () =>
    Effect.gen(function* () {
      const open = yield* Latch.make()
      const all = yield* Latch.make()
      let waiting = 0
      const { draining, lane, written } = yield* start(
        Effect.suspend(() => {
          waiting += 1
          return Effect.andThen(waiting === 20 ? all.open : Effect.void, open.await)
        })
      )
      for (let partition = 0; partition < 20; partition++) yield* lane.offer(rows(partition, 0, 10), 100)
      yield* all.await
      yield* open.open
      yield* lane.end("shutdown")
      yield* Fiber.join(draining)
      assert.strictEqual(written(), 200)
    })
  )
})
