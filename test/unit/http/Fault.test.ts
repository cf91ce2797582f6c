/** The place of a fault in an event, as a person has to find it. */
import { assert, describe, it } from "@effect/vitest"
import * as Fault from "../../../src/http/Fault.ts"

const of = (text: string): string | undefined => Fault.of(Buffer.from(text))

describe("the fault of an event", () => {
  it("is at the byte where it stops being JSON, whatever stands before", () => {
    assert.isUndefined(of('{"a":1}'))
    assert.match(of('{"a": 1, b}') ?? "", /at byte 9$/)
    assert.match(of('{"ä🎉": 1, b}') ?? "", /at byte 14$/)
    assert.strictEqual(of('{"order_id": 42, "status": "new"'), "the JSON ends too early, at byte 32")
    assert.strictEqual(of(""), "the JSON ends too early, at byte 0")
  })
  it("is at an unexpected token, which the parser gives no place for", () => {
    for (const [text, at] of [
      ["order 7: 2 x Chicken Biryani", 0],
      [" x", 1],
      ['{"a": 1, "b": tru}', 17],
      ['{"ä🎉": nope, "ccccccccccccccccccccccccccccccccccccccccccccccccccccccccccc": 3}', 12],
      ["[1,]", 3],
      ['{"a": "\\u00e4", "b": 1, "c": ?}', 29],
      [`[${"1,".repeat(40_000)}]`, 80_001]
    ] as const)
      assert.match(of(text) ?? "", new RegExp(`^Unexpected token '.', at byte ${at}$`), text.slice(0, 80))
  })
  it("quotes nothing of the event", () => {
    assert.notInclude(of('{"card": "4111", secret}') ?? "", "4111")
    assert.notInclude(of("hunter2") ?? "", "hunter2")
  })
  it("is the first byte that is not UTF-8", () => {
    assert.strictEqual(Fault.of(Buffer.from([0x22, 0xc3, 0xa4, 0xff, 0x22])), "not UTF-8 at byte 3")
    assert.strictEqual(Fault.of(Buffer.from([0xef, 0xbf, 0xbd, 0xc3])), "not UTF-8 at byte 3")
  })
})
