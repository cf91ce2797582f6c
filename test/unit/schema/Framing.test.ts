/** How a record says which schema it was written with. */
import { assert, describe, it } from "@effect/vitest"
import * as Framing from "../../../src/schema/Framing.ts"

const bytes = (hex: string) => Buffer.from(hex, "hex")

describe("a schema id", () => {
  it("is the four bytes after a zero byte, for value and key alike", () => {
    assert.deepStrictEqual(Framing.find(bytes("000000010203"), {}, "value"), { id: 258, at: 5, rest: undefined })
    assert.deepStrictEqual(Framing.find(bytes("007fffffff"), {}, "key"), { id: 2_147_483_647, at: 5, rest: undefined })
  })

  it("is in no other bytes", () => {
    for (const other of ["", "00", "00000001", "7b22613a317d", "0000000000", "00ffffffff", "0100000001"])
      assert.isUndefined(Framing.find(bytes(other), {}, "value"))
  })

  it("may be in a header, with the path to a message after it", () => {
    const headers = { __value_schema_id: bytes("0000000007040002"), __key_schema_id: bytes("0000000008") }
    assert.deepStrictEqual(Framing.find(bytes("02"), headers, "value"), { id: 7, at: 0, rest: bytes("040002") })
    assert.deepStrictEqual(Framing.find(bytes("02"), headers, "key"), { id: 8, at: 0, rest: bytes("") })
  })

  it("may be a GUID there", () => {
    const headers = { __value_schema_id: bytes("0100112233445566778899aabbccddeeff") }
    assert.deepStrictEqual(Framing.find(bytes("02"), headers, "value"), {
      id: "00112233-4455-6677-8899-aabbccddeeff",
      at: 0,
      rest: bytes("")
    })
  })

  it("is in the body where a header of that name holds something else", () => {
    const framed = { id: 1, at: 5, rest: undefined }
    for (const header of [null, "7", bytes("07"), [bytes("07")]])
      assert.deepStrictEqual(Framing.find(bytes("0000000001"), { __value_schema_id: header }, "value"), framed)
  })
})
