import { assert, describe, it } from "@effect/vitest"
import { heldBytes, type Skip, writtenBytes } from "../../../src/domain/Outcome.ts"
import * as GroupCommit from "../../../src/pipeline/GroupCommit.ts"
import { row } from "../../support/Outcomes.ts"

const limits = { maxRows: 1000, maxBytes: 100_000 }
const rows = (partition: number, from: number, count: number, bytes = 10) =>
  Array.from({ length: count }, (_, index) => row({ partition, offset: from + index, bytes }))
const skip = (offset: number): Skip => ({
  ...{ _tag: "Skip", topic: "raw.orders.v1", partition: 0, offset, reason: "control", bytes: 0 }
})
const offsets = (taken: GroupCommit.Taken | undefined) =>
  taken?.outcomes.map(({ offset, partition }) => `${partition}:${offset}`)

describe("GroupCommit", () => {
  it("gives one group per write while no write has kept groups waiting", () => {
    const pending = GroupCommit.make(limits)
    pending.add(rows(0, 0, 3), "size")
    pending.add(rows(1, 0, 2), "size")
    assert.deepStrictEqual(offsets(pending.take()), ["0:0", "0:1", "0:2"])
    assert.deepStrictEqual(offsets(pending.take()), ["1:0", "1:1"], "another partition goes side by side")
    assert.isUndefined(pending.take())
    assert.isTrue(pending.isEmpty())
  })

  it("leaves a partition alone while its write is in flight, so that order is kept", () => {
    const pending = GroupCommit.make(limits)
    pending.add(rows(0, 0, 2), "size")
    pending.add(rows(0, 2, 2), "size")
    const first = pending.take()
    assert.isDefined(first)
    assert.isUndefined(pending.take())
    if (first !== undefined) pending.release(first)
    assert.deepStrictEqual(offsets(pending.take()), ["0:2", "0:3"])
  })

  it("takes all groups that had to wait for a write at once: group commit", () => {
    const pending = GroupCommit.make(limits)
    for (let group = 0; group < 5; group++) pending.add(rows(0, group * 2, 2), "size")
    const first = pending.take()
    assert.lengthOf(first?.outcomes ?? [], 2)
    if (first !== undefined) pending.release(first)
    assert.lengthOf(pending.take()?.outcomes ?? [], 8)
    assert.isTrue(pending.isEmpty())
  })

  it("fills a write from one partition before the next, so that others stay free for other writers", () => {
    const pending = GroupCommit.make({ maxRows: 4, maxBytes: 100_000 })
    pending.add(rows(9, 0, 1), "size")
    const first = pending.take()
    for (let group = 0; group < 3; group++) pending.add([...rows(0, group * 2, 2), ...rows(1, group * 2, 2)], "size")
    if (first !== undefined) pending.release(first)
    assert.deepStrictEqual(offsets(pending.take()), ["0:0", "0:1", "0:2", "0:3"])
    assert.deepStrictEqual(offsets(pending.take()), ["1:0", "1:1", "1:2", "1:3"])
    assert.isUndefined(pending.take(), "both partitions are in flight")
  })

  it("keeps a write within its bytes, and lets an event through that is larger than all of them", () => {
    const pending = GroupCommit.make({ maxRows: 1000, maxBytes: 2.5 * writtenBytes(row({ bytes: 40 })) })
    pending.add([...rows(0, 0, 5, 40), ...rows(0, 5, 1, 5000), ...rows(0, 6, 1, 40)], "size")
    const counts: Array<number> = []
    for (let taken = pending.take(); taken !== undefined; taken = pending.take()) {
      counts.push(taken.outcomes.length)
      pending.release(taken)
    }
    assert.deepStrictEqual(counts, [2, 2, 1, 1, 1])
  })

  it("hands out each outcome once, in order within its partition, under random load", () => {
    let seed = 42
    const random = (below: number) => {
      seed = (seed * 1_103_515_245 + 12_345) % 2_147_483_648
      return seed % below
    }
    const pending = GroupCommit.make({ maxRows: 7, maxBytes: 800 })
    const next = [0, 0, 0]
    const seen: Array<Array<number>> = [[], [], []]
    const flying: Array<GroupCommit.Taken> = []
    for (let step = 0; step < 3000; step++) {
      const partition = random(3)
      const count = 1 + random(4)
      if (random(3) === 0) {
        pending.add(rows(partition, next[partition] ?? 0, count, 1 + random(90)), "size")
        next[partition] = (next[partition] ?? 0) + count
      }
      const taken = pending.take()
      if (taken !== undefined) flying.push(taken)
      for (const { offset, partition } of taken?.outcomes ?? []) seen[partition]?.push(offset)
      if (flying.length > 0 && random(2) === 0) {
        const [done] = flying.splice(random(flying.length), 1)
        if (done !== undefined) pending.release(done)
      }
    }
    for (const done of flying.splice(0)) pending.release(done)
    for (let taken = pending.take(); taken !== undefined; taken = pending.take()) {
      for (const { offset, partition } of taken.outcomes) seen[partition]?.push(offset)
      pending.release(taken)
    }
    assert.deepStrictEqual(
      seen,
      next.map((count) => Array.from({ length: count }, (_, offset) => offset))
    )
    assert.isTrue(pending.isEmpty())
  })

  it("gives back the whole of the byte budget that its outcomes hold", () => {
    const pending = GroupCommit.make(limits)
    const added = [...rows(0, 0, 4, 25), skip(4)]
    const held = added.reduce((sum, outcome) => sum + heldBytes(outcome), 0)
    assert.strictEqual(pending.add(added, "size"), held)
    assert.strictEqual(pending.discard(), held)
    pending.add(added, "size")
    assert.strictEqual(pending.take()?.bytes, held)
    pending.discard()
    assert.isTrue(pending.isEmpty())
    assert.isUndefined(pending.take())
  })
})
