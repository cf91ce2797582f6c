/**
 * What is handed to Snowflake: the payload text untouched, everything else as data, and only SQL that Snowflake itself
 * takes.
 */
import { assert, describe, it } from "@effect/vitest"
import * as InsertBinds from "../../../../src/warehouse/snowflake/InsertBinds.ts"
import * as Sql from "../../../../src/warehouse/snowflake/Sql.ts"
import { rangesBind } from "../../../../src/warehouse/sql/Binds.ts"
import { row } from "../../../support/Outcomes.ts"
import { letter, tableOf } from "../../../support/warehouse/batches.ts"

const names = Sql.dialect("bronze_db", "bronze")

/** The bind of what fits into one statement. */
const rowsBind = (...given: Parameters<typeof InsertBinds.rows>): string => [...InsertBinds.rows(...given)].join("|")
const deadLettersBind = (...given: Parameters<typeof InsertBinds.deadLetters>): string =>
  [...InsertBinds.deadLetters(...given)].join("|")

describe("SnowflakeSql", () => {
  it("splices the payload text in as it is", () => {
    const event = '{ "z":9007199254740993,\n"a":1.10,"n":1e400,"dup":1,"dup":2,"u":"\\u00e9 ☃"}'
    const bind = rowsBind([row({ offset: 7, event }), row({ offset: 8, event: '"x"' })])
    assert.include(bind, `"v":${event}}`)
    assert.strictEqual(
      bind,
      `[{"n":"raw.orders.v1","p":0,"o":7,"t":1770460200000,"c":[null,null],"v":${event}},` +
        `{"n":"raw.orders.v1","p":0,"o":8,"t":1770460200000,"c":[null,null],"v":"x"}]`
    )
  })

  it("carries the id of a schema, for tables that have a column for it", () => {
    const [element, other] = JSON.parse(rowsBind([row({ schemaId: 7 }), row({})]))
    assert.strictEqual(element.s, 7)
    assert.isFalse(Object.hasOwn(other, "s"))
    const table = tableOf("ORDERS_RAW")
    assert.match(
      Sql.insertRows(names, { ...table, hasSchemaIds: true }),
      /"KAFKA_HEADERS", "KAFKA_SCHEMA_ID"\)\nSELECT .*, f\.value:s::NUMBER\nFROM/
    )
    assert.notInclude(Sql.insertRows(names, table), "KAFKA_SCHEMA_ID")
  })

  it("leaves a tombstone without a value, and gives the payload null one", () => {
    const bind = rowsBind([row({ event: null }), row({ event: "null" })])
    const [tombstone, nothing] = JSON.parse(bind)
    assert.isFalse(Object.hasOwn(tombstone, "v"))
    assert.isNull(nothing.v)
  })

  it("carries keys, headers and columns as JSON, whatever is in them", () => {
    const given = { key: `'; DROP TABLE "x" \\ \u0000`, headers: '{"a\'":"\\"b"}', columns: ["o'1", null] }
    const [element] = JSON.parse(rowsBind([row(given)]))
    assert.deepStrictEqual(element, {
      n: "raw.orders.v1",
      p: 0,
      o: 0,
      t: 1770460200000,
      k: given.key,
      h: { "a'": '"b' },
      c: given.columns,
      v: {}
    })
  })

  it("leaves out a time that no column holds", () => {
    for (const timestamp of [-1, Number.MAX_SAFE_INTEGER]) {
      const [element] = JSON.parse(rowsBind([row({ timestamp })]))
      assert.isFalse(Object.hasOwn(element, "t"))
    }
  })

  it("takes typed columns out of strings, so that none can fail", () => {
    const sql = Sql.insertRows(names, tableOf("ORDERS_RAW"))
    assert.include(
      sql,
      'INSERT INTO "BRONZE_DB"."BRONZE"."ORDERS_RAW" ("ORDER_ID", "USER_ID", "AMOUNT", "PAID", "PAID_AT", "ORDER", "RAW_EVENT"'
    )
    assert.include(
      sql,
      "f.value:c[0]::STRING, TRY_TO_NUMBER(f.value:c[1]::STRING, 38, 0), TRY_TO_DOUBLE(f.value:c[2]::STRING)"
    )
    assert.include(sql, "FROM TABLE(FLATTEN(INPUT => PARSE_JSON(?, 'd'))) f")
    assert.notMatch(sql, /VALUES/)
    assert.strictEqual(sql.match(/\?/g)?.length, 1)
  })

  it("gives a large write to Snowflake in statements of 1 MB; an event that is larger goes alone", () => {
    const rows = [300, 300, 300, 2000, 10].map((size, offset) =>
      row({ offset, event: JSON.stringify("é".repeat(size * 512)) })
    )
    const offsets = [...InsertBinds.rows(rows)].map((bind) =>
      JSON.parse(String(bind)).map((element: { o: number }) => element.o)
    )
    assert.deepStrictEqual(offsets, [[0, 1, 2], [3], [4]])
    assert.deepStrictEqual([...InsertBinds.rows([])], [])
  })

  it("writes dead letters with all they carry", () => {
    const [element] = JSON.parse(deadLettersBind("ORDERS_RAW", [letter({ message: `it's "bad"`, payload: null })]))
    assert.deepInclude(element, { a: "ORDERS_RAW", u: "not_json", m: `it's "bad"` })
    assert.isFalse(Object.hasOwn(element, "b"))
  })

  it("keeps of a payload what a column and a statement take: 16 MiB", () => {
    const payload = Buffer.alloc(20 * 1024 * 1024, "x").toString("base64")
    const bind = deadLettersBind("ORDERS_RAW", [letter({ payload, key: "k".repeat(1000), cause: "too_large" })])
    assert.isAtMost(Buffer.byteLength(bind), 16 * 1024 * 1024)
    assert.isAbove(bind.length, 15.9 * 1024 * 1024)
    const [element] = JSON.parse(bind)
    assert.strictEqual(element.x, true)
    assert.match(element.m, /of its 20971520 bytes only the first are kept$/)
    assert.match(Sql.insertDeadLetters(names), /COALESCE\(f\.value:x::BOOLEAN, FALSE\), NULL\n/)
    // A smaller one is whole, and is not marked.
    assert.notInclude(deadLettersBind("ORDERS_RAW", [letter({ payload: payload.slice(0, 4000) })]), '"x"')
  })

  it("moves a partition only from where it must stand", () => {
    const bind = rangesBind([{ topic: "t", partition: 3, epoch: 2, from: 10, next: 12, skipped: 1 }])
    assert.strictEqual(bind, '[{"n":"t","p":3,"e":2,"f":10,"x":12,"s":1}]')
    assert.match(Sql.advance(names), / EPOCH = s\.E AND NEXT_OFFSET = s\.F AND CURRENT_TRANSACTION\(\) = \?$/)
  })
})
