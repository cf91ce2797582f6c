/** The warehouses of a fuzz run: a DuckDB file, or the Snowflake emulator. */
import { join } from "node:path"
import * as Inspect from "../support/Inspect.ts"
import { snowflakeAt } from "../support/Job.ts"
import type { Sink } from "./Fuzz.ts"

export const duckDb = (folder: string): Sink => {
  const path = join(folder, "fuzz.duckdb")
  return {
    name: "duckdb",
    env: { SINK: "duckdb", DUCKDB_PATH: path },
    keepsText: true,
    userId: "NUMBER",
    millis: (column) => `epoch_ms(${column})`,
    json: (column) => `${column}::VARCHAR`,
    inspect: () => Inspect.duckDb(path)
  }
}

export const snowflake = (url: string): Sink => ({
  name: "snowflake",
  env: snowflakeAt(url),
  keepsText: false,
  userId: "STRING",
  millis: (column) => `DATE_PART(EPOCH_MILLISECOND, ${column})`,
  json: (column) => `CASE WHEN ${column} IS NOT NULL THEN TO_JSON(${column}) END`,
  inspect: () => Inspect.snowflake(url, "LAKE")
})
