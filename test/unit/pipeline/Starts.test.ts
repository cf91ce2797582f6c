/** Where a partition starts that the ledger does not have, and when Kafka no longer has the next records. */
import { assert, describe, it } from "vitest"
import * as CommitNote from "../../../src/kafka/CommitNote.ts"
import * as Losses from "../../../src/pipeline/Losses.ts"
import { decide, outdated } from "../../../src/pipeline/Starts.ts"
import { partition } from "../../support/Flow.ts"

const settings = { autoOffsetReset: "latest", ledgerMissing: "stop" } as const
const log = { low: 10, high: 600, stable: 500, topicId: "now" }
const ours = (kind: "ledger" | "rows" | "start", topicId = "now") => ({ kind, topicId })

describe("a ledger is out of date", () => {
  const told = (given: object, next: number) => outdated(partition(0, { ...log, ...given }), next) !== undefined

  it("when the group has committed more without it, and not when it has kept up or another has committed", () => {
    assert.isTrue(told({ committed: 70, note: ours("rows") }, 69))
    assert.isFalse(told({ committed: 70, note: ours("rows") }, 70))
    assert.isFalse(told({ committed: 70, note: ours("ledger") }, 69))
    assert.isFalse(told({ committed: 70 }, 69))
    assert.isFalse(told({}, 69))
  })
})

describe("a partition that the ledger does not have starts", () => {
  const start = (...[given, isKnown = false, with_ = {}]: [object, boolean?, object?]) => {
    const decision = decide(partition(0, { ...log, ...given }), isKnown, { ...settings, ...with_ })
    return decision._tag === "Start"
      ? [decision.start.offset, decision.start.topicId, decision.why === undefined ? "silently" : "told"]
      : [decision._tag, decision.why]
  }

  it("where records can be read that come from now on, not behind an open transaction", () => {
    assert.deepStrictEqual(start({}), [500, "now", "silently"])
  })
  it("at its beginning with earliest, and when it is new in a topic that is read already", () => {
    assert.deepStrictEqual(start({}, false, { autoOffsetReset: "earliest" }), [10, "now", "silently"])
    assert.deepStrictEqual(start({}, true), [10, "now", "silently"])
  })
  it("at what another consumer committed, which is reported", () => {
    assert.deepStrictEqual(start({ committed: 70 }), [70, "now", "told"])
    assert.deepStrictEqual(start({ committed: 70, note: ours("rows") }), [70, "now", "told"])
    assert.deepStrictEqual(start({ committed: 70 }, false, { ledgerMissing: "earliest" }), [10, "now", "told"])
  })
  it("nowhere when another ledger has read it, unless LEDGER_MISSING says so", () => {
    const given = { committed: 70, note: ours("ledger") }
    assert.deepStrictEqual(start(given), [
      "Undecided",
      "topic=raw.orders.v1 partition=0: the group has committed offset 70, but this ledger has no row (committed by this service with another ledger)"
    ])
    assert.deepStrictEqual(start(given, false, { ledgerMissing: "committed" }), [70, "now", "told"])
    assert.deepStrictEqual(start(given, false, { ledgerMissing: "earliest" }), [10, "now", "told"])
  })
  it("at the commit when nothing is left out, or when that is where reading begins", () => {
    assert.deepStrictEqual(start({ committed: 10, note: ours("ledger") }), [10, "now", "silently"])
    assert.deepStrictEqual(start({ committed: 70, note: ours("start") }), [70, "now", "silently"])
  })
  it("with the id of the topic that the commit counts in", () => {
    assert.deepStrictEqual(start({ committed: 70, note: ours("rows", "before") }), [70, "before", "told"])
    assert.deepStrictEqual(start({ committed: 700 }), [700, undefined, "told"])
  })
})

describe("what comes next is lost", () => {
  const told = (next: number, topicId?: string) => Losses.describe(partition(0, log), { next, topicId })

  it.each([
    ["never while Kafka has it", 600, "now", undefined],
    ["by retention", 9, "now", /^offsets 9 to 9 of partition 0 are no longer in Kafka/],
    [
      "when the topic was recreated, though it is larger",
      300,
      "before",
      /^the topic was recreated: .* up to offset 300/
    ],
    ["not when nothing was read of the topic that was deleted", 0, "before", /no longer in Kafka/],
    ["when the log was cut", 601, "now", /truncated \(unclean leader election\)$/],
    ["when it ends too early and ids are not known", 601, undefined, /recreated, or its log truncated/]
  ])("%s", (_, next, topicId, expected) => {
    const text = told(next, topicId)
    if (expected === undefined) assert.isUndefined(text)
    else assert.match(text ?? "", expected)
    assert.strictEqual(Losses.isLost(partition(0, log), { next, topicId }), expected !== undefined)
  })
})

describe("the note beside a commit", () => {
  it("comes back as it was written; what others write is none", () => {
    for (const kind of ["ledger", "rows", "start"] as const)
      for (const topicId of [undefined, "AAAA-_x"])
        assert.deepStrictEqual(CommitNote.decode(CommitNote.encode({ kind, topicId })), { kind, topicId })
    for (const other of [null, "", "bronze-consumer", "spark ledger x", '{"a":1}'])
      assert.isUndefined(CommitNote.decode(other))
  })
})
