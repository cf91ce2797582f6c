/** Large binds: what arrives is what was bound, byte for byte, although the driver never saw it. */
import { assert, describe, it } from "@effect/vitest"
import { filled, jsonArrays, lend, RowBind } from "../../../../src/warehouse/snowflake/RowBinds.ts"

const request = (...values: ReadonlyArray<unknown>) => ({
  sqlText: "INSERT …",
  bindings: Object.fromEntries(values.map((value, index) => [index + 1, { type: "TEXT", value }])),
  queryContextDTO: { entries: [] }
})

describe("a large bind", () => {
  it("is in the request as the text that it is, whatever that holds", () => {
    const controls = String.fromCharCode(...Array.from({ length: 0x20 }, (_, code) => code))
    const text = `${controls}"quoted" \\ back / é ☃ 味噌 🍛 \u2028 \u007f`
    const { lent, takeBack } = lend([new RowBind(Buffer.from(text)), "small", 7])
    const body = filled(request(...lent))
    takeBack()
    assert.instanceOf(body, Buffer)
    assert.deepStrictEqual(JSON.parse(String(body)), request(text, "small", 7))
  })

  it("is whole wherever it is cut to be escaped", () => {
    for (const start of ["", "a", "ab", "abc"]) {
      const text = `${start}${'"\\\n味🍛é'.repeat(30_000)}`
      const { lent, takeBack } = lend([new RowBind(Buffer.from(text))])
      const body = filled(request(...lent))
      takeBack()
      assert.isTrue(JSON.parse(String(body)).bindings[1].value === text)
    }
  })

  it("may be one among others, and none is one too", () => {
    const { lent, takeBack } = lend(["small", new RowBind(Buffer.from("[1]"))])
    assert.deepStrictEqual(JSON.parse(String(filled(request(...lent)))), request("small", "[1]"))
    takeBack()
    for (const data of [request("small"), { sqlText: "COMMIT" }, undefined, Buffer.from("{}")])
      assert.strictEqual(filled(data), data)
  })

  it("is forgotten when it is taken back", () => {
    const { lent, takeBack } = lend([new RowBind(Buffer.from("[]"))])
    takeBack()
    const data = request(...lent)
    assert.strictEqual(filled(data), data)
  })

  it("holds its elements whole, however large they are and however many bytes their characters take", () => {
    const items = ["a", "é".repeat(3000), "味".repeat(30_000), "🍛".repeat(3_000_000), "z"]
    const binds = [
      ...jsonArrays(
        items,
        (item) => [JSON.stringify(item).slice(0, 1), Buffer.from(JSON.stringify(item).slice(1))],
        () => 100_000
      )
    ]
    assert.deepStrictEqual(
      binds.map((bind) => JSON.parse(String(bind))),
      [items.slice(0, 3), items.slice(3, 4), items.slice(4)]
    )
  })
})
