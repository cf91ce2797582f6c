/**
 * Looks into the tables on the emulator past the contract; the session is opened by the same SnowflakeDriver as in
 * production.
 */
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import type { SnowflakeSettings } from "../../../src/settings/Model.ts"
import { connect } from "../../../src/warehouse/snowflake/Driver.ts"
import { columnsOf } from "./Subject.ts"

const Text = Schema.NullOr(Schema.String)
const Place = {
  TOPIC: Schema.String,
  PART: Schema.NumberFromString,
  AT: Schema.NumberFromString,
  STAMP: Text,
  KAFKA_KEY: Text,
  HEADERS: Text
}
const stamp = (column: string) => `TO_VARCHAR(${column}, 'YYYY-MM-DD HH24:MI:SS.FF3')`
const place = `KAFKA_TOPIC AS TOPIC, KAFKA_PARTITION AS PART, KAFKA_OFFSET AS AT, ${stamp("KAFKA_TIMESTAMP")} AS STAMP, KAFKA_KEY, CASE WHEN KAFKA_HEADERS IS NOT NULL THEN TO_JSON(KAFKA_HEADERS) END AS HEADERS`
const decodeRows = Schema.decodeUnknownSync(
  Schema.Array(Schema.StructWithRest(Schema.Struct({ ...Place, EVENT: Text }), [Schema.Record(Schema.String, Text)]))
)
const decodeLetters = Schema.decodeUnknownSync(
  Schema.Array(
    Schema.Struct({ ...Place, TABLE_NAME: Schema.String, PAYLOAD_BASE64: Text, CAUSE: Schema.String, MESSAGE: Text })
  )
)

const placeOf = (row: typeof PlaceRow.Type) => ({
  topic: row.TOPIC,
  partition: row.PART,
  offset: row.AT,
  // The emulator leaves a fraction of nothing out.
  timestamp: row.STAMP === null || row.STAMP.includes(".") ? row.STAMP : `${row.STAMP}.000`,
  key: row.KAFKA_KEY,
  headers: row.HEADERS
})
const PlaceRow = Schema.Struct(Place)

/** With the zeros that the emulator leaves out. */
const micros = (text: string): string => (text.includes(".") ? text : `${text}.`).padEnd(26, "0")

/** For the tables of `testRoutes` in this database; each look is a session of its own. */
export const make = (sink: SnowflakeSettings) => {
  const query = (sql: string) =>
    Effect.acquireUseRelease(
      connect(sink),
      (session) => session.query(sql),
      (session) => session.close
    ).pipe(Effect.orDie)
  const tables = `${sink.database}.${sink.schema}.`
  const text = (name: string) =>
    name === "PAID_AT" ? `TO_VARCHAR(${name}, 'YYYY-MM-DD HH24:MI:SS.FF6')` : `"${name}"::STRING`
  return {
    rows: (table: string) =>
      query(
        `SELECT ${place}, CASE WHEN RAW_EVENT IS NOT NULL THEN TO_JSON(RAW_EVENT) END AS EVENT, ${columnsOf(table)
          .map((name, index) => `${text(name)} AS C${index}`)
          .join(", ")} FROM ${tables}${table} ORDER BY KAFKA_PARTITION, KAFKA_OFFSET`
      ).pipe(
        Effect.map((rows) =>
          decodeRows(rows).map((row) => ({
            ...placeOf(row),
            event: row.EVENT,
            columns: columnsOf(table).map((name, index) => {
              const value = row[`C${index}`] ?? null
              return name === "PAID_AT" && value !== null ? micros(value) : value
            })
          }))
        )
      ),
    deadLetters: query(
      `SELECT ${place}, TABLE_NAME, PAYLOAD_BASE64, CAUSE, MESSAGE FROM ${tables}DEAD_LETTERS ORDER BY KAFKA_PARTITION, KAFKA_OFFSET`
    ).pipe(
      Effect.map((rows) =>
        decodeLetters(rows).map((row) => ({
          ...placeOf(row),
          table: row.TABLE_NAME,
          payload: row.PAYLOAD_BASE64,
          cause: row.CAUSE,
          message: row.MESSAGE
        }))
      )
    ),
    run: (sql: string) => Effect.asVoid(query(sql.replaceAll("{T}", tables)))
  }
}
