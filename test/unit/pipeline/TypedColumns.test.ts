import { assert, describe, it } from "@effect/vitest"
import * as TypedColumns from "../../../src/pipeline/TypedColumns.ts"
import { lines } from "../../support/documentedColumns.ts"
import { route } from "../../support/Outcomes.ts"

const extract = (columns: string, event: string) =>
  TypedColumns.make(route(`t=T(${columns})`).table.columns)(JSON.parse(event), event)

describe("typed columns", () => {
  it.each([
    ["A=a", '{"a":"x"}', "x"],
    ["A=a", '{"a":12}', "12"],
    ["A=a", '{"a":false}', "false"],
    ["A=a", '{"a": {"b" : 9007199254740993, "c": " x \\" "}}', '{"b":9007199254740993,"c":" x \\" "}'],
    ["A=a", '{"a":[1, 2.50,\n3]}', "[1,2.50,3]"],
    ["A=a", '{"a":9007199254740993}', "9007199254740993"],
    ["A=a", '{"a":1e400}', "1e400"],
    ["A=a", '{"a":12.50}', "12.50"],
    ["A=a", '{"a":-0}', "-0"],
    ["A=a", '{"a":0.1234567890123456789}', "0.1234567890123456789"],
    ["A=a", '{"a":12345678901234567890123456789012345678}', "12345678901234567890123456789012345678"],
    ["A=a:NUMBER", '{"a":7}', "7"],
    ["A=a:NUMBER", '{"a":9007199254740993}', "9007199254740993"],
    ["A=a:NUMBER", '{"a":1,"x":{"a":3},"a":9007199254740993,"b":[{"a":4}]}', "9007199254740993"],
    ["A=a:NUMBER", '{"\\u0061":9007199254740993 }', "9007199254740993"],
    ["A=a:NUMBER", '{"x\\"a":"\\\\","a":9007199254740993}', "9007199254740993"],
    ["A=a:NUMBER", '{"n":1,"n":2,"a":9007199254740993}', "9007199254740993"],
    ["A=a.b:NUMBER", '{"a":{"b":1},"a":{"b":9007199254740995,"c":"}"}}', "9007199254740995"],
    ["A=a.b:NUMBER", '{"a":{"b":9007199254740995},"a":{"c":1}}', null],
    ["A=a.b:NUMBER,B=a", '{"a":{"b":9007199254740995}}', "9007199254740995", '{"b":9007199254740995}'],
    ["A=a:NUMBER", `{"a":9007199254740993,"deep":${"[".repeat(5000)}${"]".repeat(5000)}}`, "9007199254740993"],
    ["A=__proto__:NUMBER", '{"__proto__":9007199254740993}', "9007199254740993"],
    ["A=a.b.c", '{"a":{"b":{"c":"deep"}}}', "deep"],
    ["A=a.1.b,B=a.0,C=a.2:NUMBER", '{"a":[ 1.50 , {"b":12} ,9007199254740993]}', "12", "1.50", "9007199254740993"],
    ["A=a.0.1,B=a.1.0", '{"a":[[],[ 2.50,[3]]],"b":1}', null, "2.50"],
    ["A=a.length,B=a.00,C=a.1", '{"a":["x"]}', null, null, null],
    ["A=a.b", '{"a":null}', null],
    ["A=constructor", "{}", null],
    ["A=a", "[1]", null],
    ["A=a", "null", null],
    ["A=a", '"text"', null]
  ])("%s of %s is %j", (columns, event, ...expected) => {
    assert.deepStrictEqual(extract(columns, event), expected)
  })

  it.each(lines)("$type of $json is $expected, as docs/reference/columns.md says", ({ expected, json, type }) => {
    const [column] = extract(`A=a:${type}`, `{"a":${json}}`)
    assert.strictEqual(column, type === "FLOAT" ? (expected?.replace("Infinity", "inf") ?? null) : expected)
  })

  it("takes long integers out of an event in one pass, however many columns ask", () => {
    const names = Array.from({ length: 50 }, (_, index) => `c${index}`)
    const columns = names.map((name) => `${name}=${name}:NUMBER`).join(",")
    const event = `{"filler":[${"1,".repeat(500_000)}1],${names.map((name) => `"${name}":9007199254740993`).join(",")}}`
    const started = performance.now()
    assert.deepStrictEqual(
      extract(columns, event),
      names.map(() => "9007199254740993")
    )
    // Fifty passes over a megabyte would take longer than this on any machine.
    assert.isBelow(performance.now() - started, 1000)
  })
})
