/** `topic/partition@offset`, as it is written and as people type it. */
import { assert, describe, it } from "@effect/vitest"
import * as Result from "effect/Result"
import * as Coordinates from "../../../src/domain/Coordinates.ts"

const place = { topic: "raw.orders.v1", partition: 2, offset: 57 }
const spelt = "raw.orders.v1/2@57"
const all = (...words: ReadonlyArray<string>) => Coordinates.parseAll(words)

describe("a place", () => {
  it("is read back as it was written, with or without blanks around the @", () => {
    assert.strictEqual(Coordinates.format(place), spelt)
    for (const text of [spelt, "raw.orders.v1/2 @ 57", ` ${spelt} `])
      assert.deepStrictEqual(Coordinates.parse(text), place)
  })
  it("is nothing else", () => {
    for (const text of [
      "",
      "a",
      "a/0",
      "a@1",
      "a/0@",
      "a/x@1",
      "a/0@-1",
      "a/0@1.5",
      "a/b/0@1",
      "ä/0@1",
      "a/0@99999999999999999"
    ])
      assert.isUndefined(Coordinates.parse(text), text)
  })
})

describe("places in the words of a command line", () => {
  it("are in either spelling, several, mixed", () => {
    const other = { topic: "a", partition: 0, offset: 1 }
    for (const words of [
      [spelt],
      ["raw.orders.v1/2", "@", "57"],
      ["raw.orders.v1/2@", "57"],
      ["raw.orders.v1", "2", "57"]
    ]) {
      assert.deepStrictEqual(all(...words), Result.succeed([place]))
      assert.deepStrictEqual(all(...words, "a/0@1"), Result.succeed([place, other]))
      assert.deepStrictEqual(all("a", "0", "1", ...words), Result.succeed([other, place]))
    }
    assert.deepStrictEqual(all(), Result.succeed([]))
  })
  it("that are not whole are named", () => {
    const asked = "expected topic/partition@offset, or TOPIC PARTITION OFFSET, got"
    assert.deepStrictEqual(all("a/0"), Result.fail(`${asked} "a/0"`))
    assert.deepStrictEqual(all(spelt, "a", "0"), Result.fail(`${asked} "a 0"`))
    assert.deepStrictEqual(all("a", "x", "1"), Result.fail(`${asked} "a x 1"`))
  })
})
