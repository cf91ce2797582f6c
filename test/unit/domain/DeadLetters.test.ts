/** Sizes of base64 without decoding it, and payloads cut where they can be decoded again. */
import { assert, describe, it } from "@effect/vitest"
import { shortened, sizeOf } from "../../../src/domain/DeadLetters.ts"
import { letter } from "../../support/warehouse/batches.ts"

const base64 = (bytes: number) =>
  Buffer.from(Array.from({ length: bytes }, (_, index) => index % 251)).toString("base64")

describe("dead letters", () => {
  it("know the size of their payload", () => {
    for (let bytes = 0; bytes < 20; bytes++) {
      const text = base64(bytes)
      assert.strictEqual(sizeOf(text.length, text.slice(-2)), bytes)
    }
  })

  it("are cut to the first bytes, and say once how many there were", () => {
    const whole = letter({ payload: base64(1000), message: "too large" })
    assert.strictEqual(shortened(whole, 1000), whole)
    for (const room of [999, 500, 1, 0, -5]) {
      const cut = shortened(whole, room)
      const kept = Buffer.from(cut.payload ?? "", "base64")
      assert.isAtMost(kept.length, Math.max(0, room))
      assert.isAtLeast(kept.length, room - 2)
      assert.deepStrictEqual(kept, Buffer.from(whole.payload ?? "", "base64").subarray(0, kept.length))
      assert.isTrue(cut.truncated)
      assert.strictEqual(cut.message, "too large; of its 1000 bytes only the first are kept")
      assert.strictEqual(shortened(cut, 0).message, cut.message)
    }
  })

  it("without a payload stay as they are", () => {
    const tombstone = letter({ payload: null })
    assert.strictEqual(shortened(tombstone, 0), tombstone)
  })
})
