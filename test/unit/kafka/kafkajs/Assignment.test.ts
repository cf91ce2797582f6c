/** What kafkajs says out of turn is not believed: offsets are skipped only from where the assignment is. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Queue from "effect/Queue"
import * as Assignment from "../../../../src/kafka/kafkajs/Assignment.ts"

const place = { topic: "t", partition: 0 }

const assignmentOf = (seeks: Queue.Queue<string>) =>
  Assignment.make({
    consumer: {
      pause: () => undefined,
      resume: () => undefined,
      seek: ({ offset }) => void Queue.offerUnsafe(seeks, offset),
      commitOffsets: () => Promise.resolve()
    },
    memberId: "member-1",
    assigned: [place],
    partitions: Effect.succeed({
      mine: [{ ...place, committed: undefined, low: 0, stable: 100, high: 100 }],
      others: []
    }),
    committing: "ledger",
    onCommitFailed: () => undefined,
    onUnreadable: () => Effect.void
  })

describe("an assignment", () => {
  it.effect("seeks back each time that something ahead of it is skipped, and skips what is next", () =>
    Effect.gen(function* () {
      const seeks = yield* Queue.unbounded<string>()
      const handed = yield* Queue.unbounded<readonly [from: number, next: number]>()
      const assignment = assignmentOf(seeks)
      const fetching = yield* Effect.forkChild(
        assignment.fetch([{ ...place, offset: 10 }], ({ from, next }) =>
          Effect.asVoid(Queue.offer(handed, [from, next] as const))
        )
      )
      assert.strictEqual(yield* Queue.take(seeks), "10")
      // Left over from an assignment that is over, or fetched before a seek: twice, as kafkajs may have two under way.
      for (const firstOffset of ["20", "30"]) {
        assignment.pass({ ...place, firstOffset, lastOffset: "35" })
        assert.strictEqual(yield* Queue.take(seeks), "10")
      }
      assignment.pass({ ...place, firstOffset: "10", lastOffset: "15" })
      assert.deepStrictEqual(yield* Queue.take(handed), [10, 16])
      yield* Fiber.interrupt(fetching)
    })
  )
})
