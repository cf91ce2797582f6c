/** How dead letters are asked for, in every dialect: what narrows the choice is bound, never spliced. */
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { type DeadLetterFilter, type StoredDeadLetter, sizeOf } from "../../domain/DeadLetters.ts"
import { decodeRows, Integer } from "./LedgerRows.ts"
import { type Dialect, deadLetters } from "./Tables.ts"

export interface Query {
  readonly sql: string
  readonly binds: ReadonlyArray<string | number>
}

type Condition = readonly [sql: string, ...binds: ReadonlyArray<string | number>]

export const select = (names: Dialect, filter: DeadLetterFilter): Query => {
  const ingested = names.millis("INGESTION_TIMESTAMP")
  const place = "(KAFKA_TOPIC = ? AND KAFKA_PARTITION = ? AND KAFKA_OFFSET = ?)"
  const { at, cause, limit, payload, replayed, search, since, topic, until } = filter
  const conditions: ReadonlyArray<Condition> = [
    ...(topic === undefined ? [] : [["KAFKA_TOPIC = ?", topic] as const]),
    ...(cause === undefined ? [] : [["CAUSE = ?", cause] as const]),
    ...(search === undefined
      ? []
      : [
          ["POSITION(LOWER(?) IN LOWER(COALESCE(KAFKA_KEY, '') || ' ' || COALESCE(MESSAGE, ''))) > 0", search] as const
        ]),
    ...(since === undefined ? [] : [[`${ingested} >= ?`, since] as const]),
    ...(until === undefined ? [] : [[`${ingested} < ?`, until] as const]),
    ...(replayed === true ? [] : [["REPLAYED_AT IS NULL"] as const]),
    ...(at === undefined
      ? []
      : [
          [
            at.length === 0 ? "FALSE" : `(${at.map(() => place).join(" OR ")})`,
            ...at.flatMap(({ offset, partition, topic }) => [topic, partition, offset])
          ] as const
        ])
  ]
  const where = conditions.length === 0 ? "" : `\nWHERE ${conditions.map(([sql]) => sql).join(" AND ")}`
  return {
    binds: conditions.flatMap(([, ...binds]) => binds),
    sql: `SELECT TABLE_NAME, KAFKA_TOPIC, KAFKA_PARTITION, KAFKA_OFFSET, ${names.millis("KAFKA_TIMESTAMP")} AS STAMP, KAFKA_KEY,
  CASE WHEN KAFKA_HEADERS IS NOT NULL THEN ${names.jsonText("KAFKA_HEADERS")} END AS HEADERS, CAUSE, MESSAGE,
  LENGTH(PAYLOAD_BASE64) AS CHARACTERS, RIGHT(PAYLOAD_BASE64, 2) AS ENDING, ${payload === true ? "PAYLOAD_BASE64" : "NULL"} AS PAYLOAD,
  CASE WHEN PAYLOAD_TRUNCATED THEN 1 ELSE 0 END AS CUT, ${ingested} AS INGESTED, ${names.millis("REPLAYED_AT")} AS REPLAYED
FROM ${names.qualified(deadLetters.name)}${where}
ORDER BY INGESTION_TIMESTAMP DESC, KAFKA_TOPIC, KAFKA_PARTITION, KAFKA_OFFSET
LIMIT ${Math.max(0, Math.trunc(limit))}`
  }
}

export const pending = (names: Dialect): string =>
  `SELECT COUNT(*) AS PENDING FROM ${names.qualified(deadLetters.name)} WHERE REPLAYED_AT IS NULL`

const decodePending = decodeRows(Schema.Struct({ PENDING: Integer }))

/** The answer of `pending`. */
export const toPending = (answer: ReadonlyArray<unknown>) =>
  Effect.map(decodePending(answer), ([row]) => row?.PENDING ?? 0)

const Text = Schema.NullOr(Schema.String)
const Row = Schema.Struct({
  TABLE_NAME: Schema.String,
  KAFKA_TOPIC: Schema.String,
  KAFKA_PARTITION: Integer,
  KAFKA_OFFSET: Integer,
  STAMP: Schema.NullOr(Integer),
  KAFKA_KEY: Text,
  HEADERS: Text,
  CAUSE: Schema.String,
  MESSAGE: Text,
  CHARACTERS: Schema.NullOr(Integer),
  ENDING: Text,
  PAYLOAD: Text,
  CUT: Integer,
  INGESTED: Integer,
  REPLAYED: Schema.NullOr(Integer)
})

const decode = decodeRows(Row)

export const toDeadLetters = (answer: ReadonlyArray<unknown>) =>
  Effect.map(decode(answer), (rows) =>
    rows.map(
      (row): StoredDeadLetter => ({
        table: row.TABLE_NAME,
        topic: row.KAFKA_TOPIC,
        partition: row.KAFKA_PARTITION,
        offset: row.KAFKA_OFFSET,
        timestamp: row.STAMP,
        key: row.KAFKA_KEY,
        headers: row.HEADERS,
        cause: row.CAUSE,
        message: row.MESSAGE,
        bytes: row.CHARACTERS === null ? null : sizeOf(row.CHARACTERS, row.ENDING ?? ""),
        truncated: row.CUT === 1,
        payload: row.PAYLOAD,
        ingestedAt: row.INGESTED,
        replayedAt: row.REPLAYED
      })
    )
  )
