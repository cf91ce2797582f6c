import { assert, describe, it } from "@effect/vitest"
import { typedColumns } from "../src/TypedColumns.ts"
import { route } from "./support/Outcomes.ts"

const extract = (columns: string, event: string) =>
  typedColumns(route(`t=T(${columns})`).table.columns, JSON.parse(event), event)

describe("typedColumns", () => {
  it.each([
    ["A=a", '{"a":"x"}', "x"],
    ["A=a", '{"a":12}', "12"],
    ["A=a", '{"a":false}', "false"],
    ["A=a", '{"a":{"b":1}}', null],
    ["A=a", '{"a":9007199254740993}', "9007199254740993"],
    ["A=a:NUMBER", '{"a":7}', "7"],
    ["A=a:NUMBER", '{"a":9007199254740993}', "9007199254740993"],
    ["A=a:NUMBER", '{"a":"9007199254740993"}', "9007199254740993"],
    ["A=a:NUMBER", '{"a":"abc"}', null],
    ["A=a:NUMBER", '{"a":12.5}', null],
    ["A=a:NUMBER", '{"a":1e40}', null],
    ["A=a:NUMBER", '{"a":true}', null],
    ["A=a:FLOAT", '{"a":12.5}', "12.5"],
    ["A=a:FLOAT", '{"a":"1e400"}', null],
    ["A=a:FLOAT", '{"a":"NaN"}', null],
    ["A=a:BOOLEAN", '{"a":"TRUE"}', "true"],
    ["A=a:BOOLEAN", '{"a":1}', null],
    ["A=a:TIMESTAMP", '{"a":"2026-02-07T10:30:00+02:00"}', "2026-02-07 08:30:00.000"],
    ["A=a:TIMESTAMP", '{"a":"2026-02-07 10:30:00.123456"}', "2026-02-07 10:30:00.123"],
    ["A=a:TIMESTAMP", '{"a":"2026-02-07"}', "2026-02-07 00:00:00.000"],
    ["A=a:TIMESTAMP", '{"a":1770460200000}', "2026-02-07 10:30:00.000"],
    ["A=a:TIMESTAMP", '{"a":"yesterday"}', null],
    ["A=a:TIMESTAMP", '{"a":"2026-13-40T00:00:00Z"}', null],
    ["A=a:TIMESTAMP", '{"a":1e300}', null],
    ["A=a.b.c", '{"a":{"b":{"c":"deep"}}}', "deep"],
    ["A=a.b", '{"a":null}', null],
    ["A=constructor", "{}", null],
    ["A=a", "[1]", null],
    ["A=a", "null", null],
    ["A=a", '"text"', null]
  ])("%s of %s is %j", (columns, event, expected) => {
    assert.deepStrictEqual(extract(columns, event), [expected])
  })
})
