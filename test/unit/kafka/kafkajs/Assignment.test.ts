/** What kafkajs says out of turn is not believed: offsets are skipped only from where the assignment is. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Queue from "effect/Queue"
import * as Assignment from "../../../../src/kafka/kafkajs/Assignment.ts"

const place = { topic: "t", partition: 0 }

const assignmentOf = (
  seeks: Queue.Queue<string>,
  { fetched = new Set<string>(), paused = new Set<string>() }: { fetched?: Set<string>; paused?: Set<string> } = {}
) =>
  Assignment.make({
    consumer: {
      pause: (places) => {
        for (const { topic } of places) fetched.delete(topic)
      },
      resume: (places) => {
        for (const { topic } of places) fetched.add(topic)
      },
      seek: ({ offset }) => void Queue.offerUnsafe(seeks, offset),
      commitOffsets: () => Promise.resolve()
    },
    memberId: "member-1",
    assigned: [place],
    partitions: Effect.succeed({
      mine: [{ ...place, committed: undefined, low: 0, stable: 100, high: 100 }],
      others: []
    }),
    isPaused: (topic) => paused.has(topic),
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

  it.effect("fetches nothing of a topic that is paused by request, from its beginning on, until it is resumed", () =>
    Effect.gen(function* () {
      const seeks = yield* Queue.unbounded<string>()
      const [fetched, paused] = [new Set<string>(), new Set(["t"])]
      const assignment = assignmentOf(seeks, { fetched, paused })
      paused.clear()
      assignment.repause()
      assert.deepStrictEqual([...fetched], [], "where to fetch from is not known yet")
      paused.add("t")
      const fetching = yield* Effect.forkChild(assignment.fetch([{ ...place, offset: 10 }], () => Effect.void))
      assert.strictEqual(yield* Queue.take(seeks), "10")
      assert.deepStrictEqual([...fetched], [])
      paused.delete("t")
      assignment.repause()
      assert.deepStrictEqual([...fetched], ["t"])
      paused.add("t")
      assignment.repause()
      assert.deepStrictEqual([...fetched], [])
      yield* Fiber.interrupt(fetching)
    })
  )
})
