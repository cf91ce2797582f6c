// The DuckDB file as its user sees it: the queries of sql/duckdb/queries, each printed above its result.
import { readFile } from "node:fs/promises"
import { join } from "node:path"
import { type DuckDBConnection, DuckDBInstance } from "@duckdb/node-api"
import { projectRoot } from "../support/paths.ts"
import { duckDbFile } from "./folder.ts"
import { verbose } from "./options.ts"
import { say, showRows, showSql } from "./page.ts"

export interface Table {
  readonly columns: ReadonlyArray<string>
  readonly rows: ReadonlyArray<ReadonlyArray<string>>
}

export type Query = (sql: string) => Promise<Table>

/** The file belongs to one process at a time: only while the service does not run. */
export const readTables = async <A>(read: (query: Query) => Promise<A>): Promise<A> => {
  const instance = await DuckDBInstance.create(duckDbFile, { access_mode: "READ_ONLY" })
  const connection = await instance.connect()
  try {
    return await read((sql) => ask(connection, sql))
  } finally {
    connection.closeSync()
    instance.closeSync()
  }
}

const ask = async (connection: DuckDBConnection, sql: string): Promise<Table> => {
  const reader = await connection.runAndReadAll(sql)
  return {
    columns: reader.columnNames(),
    rows: reader.getRows().map((row) => row.map((value) => (value === null ? "NULL" : String(value))))
  }
}

const show = async (query: Query, sql: string, limit?: number): Promise<void> => {
  showSql(sql)
  const { columns, rows } = await query(sql)
  showRows(columns, rows, limit)
}

const showFile = async (query: Query, name: string, limit?: number): Promise<void> => {
  const path = `sql/duckdb/queries/${name}`
  const sql = await readFile(join(projectRoot, path), "utf8")
  await show(query, `-- ${path}\n${sql}`, limit)
}

const NEW_FIELDS = `-- Fields that the tables have never heard of, and a number that JavaScript would have rounded.
SELECT ORDER_ID, RAW_EVENT ->> '$.loyalty.tier' AS TIER, RAW_EVENT ->> '$.coupons[0]' AS COUPON,
  RAW_EVENT ->> '$.trace_id' AS TRACE_ID
FROM BRONZE.ORDERS_RAW
WHERE json_exists(RAW_EVENT, '$.loyalty')
ORDER BY KAFKA_PARTITION, KAFKA_OFFSET
LIMIT 3;`

const DEAD_LETTERS = `-- Every dead letter: where it stood in Kafka, and how its original bytes begin.
SELECT concat(KAFKA_TOPIC, '/', KAFKA_PARTITION, '@', KAFKA_OFFSET) AS COORDINATES, CAUSE, MESSAGE,
  left(PAYLOAD_BASE64, 8) AS BASE64
FROM BRONZE.DEAD_LETTERS
ORDER BY KAFKA_TOPIC, KAFKA_PARTITION, KAFKA_OFFSET;`

/** The rows that a second look is worth; with --verbose every query of the folder. */
export const showTables = (): Promise<void> =>
  readTables(async (query) => {
    if (!verbose) {
      const { columns, rows } = await query(NEW_FIELDS)
      showRows(columns, rows)
      const causes = await query("SELECT CAUSE, COUNT(*) FROM BRONZE.DEAD_LETTERS GROUP BY CAUSE ORDER BY CAUSE")
      say(`Dead letters: ${causes.rows.map(([cause, number]) => `${number} ${cause}`).join(", ")}`)
      return say("Queries for more: sql/duckdb/queries")
    }
    await showFile(query, "01_counts.sql")
    await showFile(query, "02_recent_events.sql", 3)
    await showFile(query, "04_new_fields.sql", 20)
    await show(query, NEW_FIELDS)
    await showFile(query, "08_dead_letters.sql")
    await show(query, DEAD_LETTERS)
  })
