/** What `query` sends to Snowflake, by the text of the statement; the role decides the rest. */
import { assert, describe, it } from "@effect/vitest"
import { refusal } from "../../../../src/warehouse/snowflake/Query.ts"

describe("a statement for Snowflake", () => {
  it("passes when it only reads, whatever its texts, names and comments hold", () => {
    for (const sql of [
      "SELECT 1",
      "  -- DELETE\n(select 1);",
      "WITH a AS (SELECT 1) SELECT * FROM a;  -- done",
      "SELECT 'it''s; ->> DELETE', \"a;b\", $$ CALL x() $$ FROM t",
      "SELECT 'a\\'; DELETE'",
      "/* ; */ SHOW TABLES",
      "DESCRIBE TABLE t",
      "EXPLAIN SELECT RAW_EVENT:system::STRING FROM t",
      "VALUES (1)"
    ])
      assert.isUndefined(refusal(sql), sql)
  })
  it("is refused when it is of another kind, or hides one", () => {
    for (const sql of [
      "",
      "DELETE FROM t",
      "/* SELECT */ DROP TABLE t",
      "// SELECT\nDROP TABLE t",
      "CALL p()",
      "BEGIN SELECT 1; END",
      "SELECT 1; DELETE FROM t",
      "SELECT ';' ; DELETE FROM t",
      "SELECT 1 ->> DELETE FROM t",
      "WITH p AS PROCEDURE () RETURNS INT LANGUAGE SQL AS $$ DELETE FROM t $$ CALL p()",
      "SELECT SYSTEM$CANCEL_ALL_QUERIES(1)",
      "SELECT 'open",
      "SELECT /* open",
      "EXECUTE IMMEDIATE $$ DELETE FROM t $$"
    ])
      assert.isDefined(refusal(sql), sql)
  })
})
