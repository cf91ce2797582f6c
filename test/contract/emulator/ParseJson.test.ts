/** PARSE_JSON and VARIANT on the emulator are as strict as Snowflake's. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { emulator, session } from "../../support/emulator/EmulatorSession.ts"

describe("the emulator's PARSE_JSON", () => {
  it.live("refuses what Snowflake refuses, and keeps of the rest what a VARIANT keeps", () =>
    Effect.gen(function* () {
      const { url } = yield* emulator()
      const { execute, query } = yield* session(url)
      yield* execute("CREATE DATABASE IF NOT EXISTS DB")
      yield* execute("CREATE SCHEMA IF NOT EXISTS DB.BRONZE")
      yield* execute("CREATE TABLE DB.BRONZE.T (V VARIANT, N NUMBER(38,0))")
      const insert = (option: string, bind: string) =>
        execute(
          `INSERT INTO DB.BRONZE.T SELECT f.value:v, TRY_TO_NUMBER(f.value:n::STRING, 38, 0) FROM TABLE(FLATTEN(INPUT => PARSE_JSON(?${option}))) f`,
          [bind]
        )
      const refused = function* (bind: string, option = "", as = "refused") {
        const { code, reason } = yield* Effect.flip(insert(option, bind))
        assert.deepStrictEqual([reason, code], [as, "100069"], bind.slice(0, 100))
      }
      for (const bind of ['[{"a":1,"b":{"c":1,"c":1}}]', '["\\ud800"]', "[NaN]", '[{"a":1,}]', "[1] [2]"])
        yield* refused(bind)
      yield* refused(`["${"x".repeat(16 * 1024 * 1024)}"]`, ", 'd'", "too_large")
      const kept: ReadonlyArray<readonly [string, string]> = [
        ['{"z":1,"a":2,"z":3}', '{"a":2,"z":3}'],
        [" [1.10, 1.0, -0, 0.0010] ", "[1.1,1,0,0.001]"],
        ["1.912e2", "191.2"],
        ["9".repeat(38), "9".repeat(38)],
        ["9".repeat(39), "1e39"]
      ]
      for (const [text, expected] of kept) {
        yield* execute("DELETE FROM DB.BRONZE.T")
        yield* insert(", 'd'", `[{"v":${text},"n":"${"9".repeat(38)}"}]`)
        assert.deepStrictEqual(yield* query("SELECT TO_JSON(V) AS V, N FROM DB.BRONZE.T"), [
          { V: expected, N: "9".repeat(38) }
        ])
      }
    }).pipe(Effect.scoped)
  )
})
