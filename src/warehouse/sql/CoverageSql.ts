/**
 * The one statement behind an audit: rows, dead letters, ledger and gaps of every routed partition, as they stood in
 * the same instant.
 */
import { maxGaps } from "../../domain/Coverage.ts"
import type { Route } from "../../domain/Route.ts"
import { consumerOffsets, type Dialect, deadLetters } from "./Tables.ts"

export interface Query {
  readonly sql: string
  readonly binds: ReadonlyArray<string>
}

/** R counts the rows of an offset, D its pending dead letters, L all of its dead letters. */
const rowsOf = (names: Dialect, table: string): string =>
  `SELECT KAFKA_TOPIC AS TOPIC, KAFKA_PARTITION AS P, KAFKA_OFFSET AS O, 1 AS R, 0 AS D, 0 AS L FROM ${names.qualified(table)} WHERE KAFKA_TOPIC = ?`

const lettersOf = (names: Dialect): string =>
  `SELECT KAFKA_TOPIC, KAFKA_PARTITION, KAFKA_OFFSET, 0, CASE WHEN REPLAYED_AT IS NULL THEN 1 ELSE 0 END, 1 FROM ${names.qualified(deadLetters.name)} WHERE KAFKA_TOPIC = ?`

/** What a template stands for while no topic fits it. */
const nothing = (names: Dialect): string =>
  `SELECT KAFKA_TOPIC AS TOPIC, KAFKA_PARTITION AS P, KAFKA_OFFSET AS O, 0 AS R, 0 AS D, 0 AS L FROM ${names.qualified(deadLetters.name)} WHERE 1 = 0`

/** A row that no member of this version has claimed yet has not begun to count. */
const fromLedger = (names: Dialect): string =>
  `SELECT TOPIC, "PARTITION" AS P, COALESCE(START_OFFSET, NEXT_OFFSET) AS START_OFFSET, NEXT_OFFSET, COALESCE(SKIPPED, 0) AS SKIPPED, EPOCH, OWNER, TOPIC_ID
  FROM ${names.qualified(consumerOffsets.name)} WHERE CONSUMER_GROUP = ?`

/** In at-least-once delivery nothing says where a partition should begin and end but what is there. */
const fromPlaces =
  "SELECT TOPIC, P, MIN(O) AS START_OFFSET, MAX(O) + 1 AS NEXT_OFFSET, 0 AS SKIPPED, 0 AS EPOCH, '' AS OWNER, NULL AS TOPIC_ID FROM PLACES WHERE R + D > 0 GROUP BY TOPIC, P"

/** One row per partition and gap, and one for a partition without gaps. With a `group` its ledger is the measure. */
export const coverage = (names: Dialect, routes: ReadonlyArray<Route>, group: string | undefined): Query => {
  const sources = routes.flatMap(({ table }) => [rowsOf(names, table.name), lettersOf(names)])
  const topics = routes.flatMap(({ topic }) => [topic, topic])
  return {
    binds: [...topics, ...(group === undefined ? [] : [group])],
    sql: `WITH EVENTS AS (
  ${sources.length === 0 ? nothing(names) : sources.join("\n  UNION ALL\n  ")}
), PLACES AS (
  SELECT TOPIC, P, O, SUM(R) AS R, SUM(D) AS D, SUM(L) AS L FROM EVENTS GROUP BY TOPIC, P, O
), LEDGER AS (
  ${group === undefined ? fromPlaces : fromLedger(names)}
), EDGES AS (
  SELECT s.TOPIC, s.P, s.O FROM PLACES s JOIN LEDGER l ON s.TOPIC = l.TOPIC AND s.P = l.P
  WHERE s.R + s.D > 0 AND s.O >= l.START_OFFSET AND s.O < l.NEXT_OFFSET
  UNION ALL
  SELECT TOPIC, P, START_OFFSET - 1 FROM LEDGER
  UNION ALL
  SELECT TOPIC, P, NEXT_OFFSET FROM LEDGER
), HOLES AS (
  SELECT TOPIC, P, LAG(O) OVER (PARTITION BY TOPIC, P ORDER BY O) + 1 AS A, O - 1 AS B FROM EDGES
), GAPS AS (
  SELECT TOPIC, P, A, B, ROW_NUMBER() OVER (PARTITION BY TOPIC, P ORDER BY A) AS N, SUM(B - A + 1) OVER (PARTITION BY TOPIC, P) AS MISSING
  FROM HOLES WHERE A <= B
), TOTALS AS (
  SELECT TOPIC, P, SUM(R) AS R,
    COUNT(CASE WHEN R > 0 THEN 1 END) AS OFFSETS,
    MIN(CASE WHEN R + D > 0 THEN O END) AS FIRST_OFFSET,
    MAX(CASE WHEN R + D > 0 THEN O END) AS LAST_OFFSET,
    COUNT(CASE WHEN L > 0 THEN 1 END) AS LETTERS,
    COUNT(CASE WHEN D > 0 THEN 1 END) AS WAITING,
    COUNT(CASE WHEN R + D > 1 THEN 1 END) AS DUPLICATES
  FROM PLACES GROUP BY TOPIC, P
), PARTITIONS AS (
  SELECT TOPIC, P FROM TOTALS UNION SELECT TOPIC, P FROM LEDGER
)
SELECT k.TOPIC, k.P, COALESCE(t.R, 0) AS TOTAL, COALESCE(t.OFFSETS, 0) AS OFFSETS, t.FIRST_OFFSET, t.LAST_OFFSET,
  COALESCE(t.LETTERS, 0) AS LETTERS, COALESCE(t.WAITING, 0) AS WAITING, COALESCE(t.DUPLICATES, 0) AS DUPLICATES,
  l.START_OFFSET, l.NEXT_OFFSET, l.SKIPPED, l.EPOCH, l.OWNER, l.TOPIC_ID, COALESCE(g.MISSING, 0) AS MISSING, g.A, g.B
FROM PARTITIONS k
LEFT JOIN TOTALS t ON t.TOPIC = k.TOPIC AND t.P = k.P
LEFT JOIN LEDGER l ON l.TOPIC = k.TOPIC AND l.P = k.P
LEFT JOIN GAPS g ON g.TOPIC = k.TOPIC AND g.P = k.P AND g.N <= ${maxGaps}
ORDER BY k.TOPIC, k.P, g.A`
  }
}
