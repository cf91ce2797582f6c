// The tables as their user sees them: the queries of sql/, each printed above its result.
import { readFile } from "node:fs/promises"
import { join } from "node:path"
import { projectRoot } from "../support/paths.ts"
import { verbose } from "./options.ts"
import { say, showRows, showSql } from "./page.ts"
import type { Query, Warehouse } from "./warehouse.ts"

const show = async (query: Query, sql: string, limit?: number): Promise<void> => {
  showSql(sql)
  const { columns, rows } = await query(sql)
  showRows(columns, rows, limit)
}

const NEW_FIELDS = `-- Fields that the tables have never heard of, and a number that JavaScript would have rounded.
SELECT ORDER_ID, RAW_EVENT ->> '$.loyalty.tier' AS TIER, RAW_EVENT ->> '$.coupons[0]' AS COUPON,
  RAW_EVENT ->> '$.trace_id' AS TRACE_ID
FROM BRONZE.ORDERS_RAW
WHERE json_exists(RAW_EVENT, '$.loyalty')
ORDER BY KAFKA_PARTITION, KAFKA_OFFSET
LIMIT 3;`

const NEW_FIELDS_SNOWFLAKE = `-- Fields that the tables have never heard of, and a number that JavaScript would have rounded.
SELECT ORDER_ID, RAW_EVENT:loyalty.tier::STRING AS TIER, RAW_EVENT:coupons[0]::STRING AS COUPON,
  RAW_EVENT:trace_id::STRING AS TRACE_ID
FROM BRONZE.ORDERS_RAW
WHERE RAW_EVENT:loyalty IS NOT NULL
ORDER BY KAFKA_PARTITION, KAFKA_OFFSET
LIMIT 3;`

const DEAD_LETTERS = `-- Every dead letter: where it stood in Kafka, and how its original bytes begin.
SELECT concat(KAFKA_TOPIC, '/', KAFKA_PARTITION, '@', KAFKA_OFFSET) AS COORDINATES, CAUSE, MESSAGE,
  left(PAYLOAD_BASE64, 8) AS BASE64
FROM BRONZE.DEAD_LETTERS
ORDER BY KAFKA_TOPIC, KAFKA_PARTITION, KAFKA_OFFSET;`

/** The rows that a second look is worth; with --verbose every query of the folder. */
export const showTables = ({ queries, read, settings }: Warehouse): Promise<void> =>
  read(async (query) => {
    const newFields = settings["SINK"] === "duckdb" ? NEW_FIELDS : NEW_FIELDS_SNOWFLAKE
    if (!verbose) {
      const { columns, rows } = await query(newFields)
      showRows(columns, rows)
      const causes = await query(
        "SELECT CAUSE, COUNT(*) AS TOTAL FROM BRONZE.DEAD_LETTERS GROUP BY CAUSE ORDER BY CAUSE"
      )
      say(`Dead letters: ${causes.rows.map(([cause, number]) => `${number} ${cause}`).join(", ")}`)
      return say(`Queries for more: ${queries}`)
    }
    const showFile = async (name: string, limit?: number): Promise<void> => {
      const path = `${queries}/${name}`
      await show(query, `-- ${path}\n${await readFile(join(projectRoot, path), "utf8")}`, limit)
    }
    await showFile("01_counts.sql")
    await showFile("02_recent_events.sql", 3)
    await showFile("04_new_fields.sql", 20)
    await show(query, newFields)
    await showFile("08_dead_letters.sql")
    await show(query, DEAD_LETTERS)
  })
