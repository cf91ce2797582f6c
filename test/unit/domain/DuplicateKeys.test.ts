/** Documents with the same key twice, and without: what is kept is what JSON.parse reads. */
import { assert, describe, it } from "@effect/vitest"
import * as DuplicateKeys from "../../../src/domain/DuplicateKeys.ts"
import * as Random from "../../chaos/Random.ts"

const cases: ReadonlyArray<readonly [text: string, kept: string]> = [
  ['{"a":1,"a":2}', '{"a":2}'],
  ['{"a" : 1 , "b":0, "a" : 2}', '{ "b":0, "a" : 2}'],
  ['{"a":1,"a":2,"a":3}', '{"a":3}'],
  ['{"a":{"x":1,"x":2},"a":[{"y":1,"y":{"z":0,"z":1}}]}', '{"a":[{"y":{"z":1}}]}'],
  ['{"\\u0061":1,"a":2}', '{"a":2}'],
  ['{"__proto__":1,"__proto__":2}', '{"__proto__":2}'],
  ['{"a":"}\\",:{","b":9007199254740993,"a":1.10}', '{"b":9007199254740993,"a":1.10}'],
  ['[{"a":1,"a":2},{"a":3}]', '[{"a":2},{"a":3}]'],
  ['{"a:b":1,"a:b"\n\t:":",":":2}', '{"a:b"\n\t:":",":":2}']
]

describe("a key that is named twice", () => {
  it.each(cases)("%s is %s", (text, kept) => {
    assert.isTrue(DuplicateKeys.isPossible(text, JSON.parse(text)))
    assert.strictEqual(DuplicateKeys.without(text), kept)
    assert.deepStrictEqual(JSON.parse(kept), JSON.parse(text))
  })

  it.each([
    '{"a":{"b":[{"c":1},{"c":2}]},"d":"x"}',
    '"text"',
    "null",
    "[]",
    "17",
    '{"when":"10:30:00","url":"http://x:80"}',
    '{"note":"to all : hello","a:b":1,"x":{"c":[{"y":"z :"}]}}'
  ])("%s has none", (text) => {
    assert.isFalse(DuplicateKeys.isPossible(text, JSON.parse(text)))
    assert.strictEqual(DuplicateKeys.without(text), text)
  })

  it("is found in whatever is generated, and only the last one stays", () => {
    const random = Random.make(11)
    const names = ['"a"', '"b"', '"a\\":"', '"\\u0061"', '"c" ', '""']
    const value = (depth: number): string => {
      const kind = random.below(depth > 3 ? 3 : 5)
      if (kind < 3) return random.pick(["1", '"\\":"', "null"])
      const inner = Array.from({ length: random.below(5) }, () => value(depth + 1))
      return kind === 3
        ? `[${inner.join(",")}]`
        : `{${inner.map((each) => `${random.pick(names)}:${each}`).join(" ,")}}`
    }
    for (let round = 0; round < 3000; round++) {
      const text = value(0)
      const parsed: unknown = JSON.parse(text)
      const kept = DuplicateKeys.without(text)
      assert.deepStrictEqual(JSON.parse(kept), parsed, text)
      // A second look finds nothing to drop.
      assert.strictEqual(DuplicateKeys.without(kept), kept, text)
      if (kept !== text) assert.isTrue(DuplicateKeys.isPossible(text, parsed), text)
    }
  })

  it("is found at any depth that is an event", () => {
    const depth = 10_000
    const text = `${'{"a":'.repeat(depth)}{"b":1,"b":2}${"}".repeat(depth)}`
    assert.isTrue(DuplicateKeys.isPossible(text, JSON.parse(text)))
    assert.include(DuplicateKeys.without(text), '{"b":2}')
  })
})
