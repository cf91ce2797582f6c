/** An emulator with a table DB.BRONZE.T to stream into, an SQL session on it, and the streaming API of that table. */
import * as Effect from "effect/Effect"
import type { EmulatorOptions } from "../../../scripts/emulator/emulator.ts"
import { emulator, session } from "./EmulatorSession.ts"
import { streaming } from "./StreamingClient.ts"

export const given = Effect.fnUntraced(function* (options: EmulatorOptions = {}) {
  const started = yield* emulator(options)
  const sql = yield* session(started.url)
  yield* sql.execute("CREATE DATABASE IF NOT EXISTS DB")
  yield* sql.execute("CREATE SCHEMA IF NOT EXISTS DB.BRONZE")
  yield* sql.execute("CREATE TABLE DB.BRONZE.T (ID NUMBER(38,0) NOT NULL, V VARIANT, TS TIMESTAMP_NTZ)")
  return { started, url: started.url, sql, api: yield* streaming(started.url) }
})

/** The IDs in the table, in order. */
export const ids = ({ query }: { query: (sql: string) => Effect.Effect<ReadonlyArray<unknown>, unknown> }) =>
  Effect.map(query("SELECT LISTAGG(ID, ',') WITHIN GROUP (ORDER BY ID) AS IDS FROM DB.BRONZE.T"), (found) => found[0])
