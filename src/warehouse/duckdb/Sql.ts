/** The SQL that the DuckDB layer sends, as pure text; rows do not go through it but through the appender. */
import { parse } from "node:path"
import type { Route } from "../../domain/Route.ts"
import {
  consumerOffsets,
  createTable,
  type Ddl,
  type Dialect,
  deadLetters,
  quoted,
  shapesOf,
  upgrades
} from "../sql/Tables.ts"

/** What tables are qualified with: the same schema as on Snowflake, so that queries carry over. */
const schema = "BRONZE"

/**
 * The schema that the tables of a file stand in. DuckDB names a file's catalog after the file: in `bronze.duckdb`, `BRONZE.ORDERS_RAW`
 * means the catalog, and a schema of that name would make it ambiguous. So `BRONZE.ORDERS_RAW` works in every file.
 */
export const schemaOf = (path: string): string => (parse(path).name.toUpperCase() === schema ? "main" : schema)

export const dialect: Dialect = {
  types: {
    STRING: "VARCHAR",
    NUMBER: "DECIMAL(38,0)",
    FLOAT: "DOUBLE",
    BOOLEAN: "BOOLEAN",
    TIMESTAMP: "TIMESTAMP",
    JSON: "JSON",
    INT: "INTEGER",
    OFFSET: "BIGINT"
  },
  qualified: (table) => `${quoted(schema)}.${quoted(table)}`,
  millis: (expression) => `epoch_ms(${expression})`,
  jsonText: (expression) => `${expression}::VARCHAR`
}

/** The schema of the file at `path`, then every table, then what older tables lack; each statement may be run again. */
export const ddl = (path: string, routes: ReadonlyArray<Route>): Ddl => ({
  create: [
    ...(schemaOf(path) === schema ? [`CREATE SCHEMA IF NOT EXISTS ${quoted(schema)}`] : []),
    ...shapesOf(routes).map((shape) => createTable(dialect, shape))
  ],
  upgrade: upgrades(dialect, shapesOf(routes))
})

const ledger = dialect.qualified(consumerOffsets.name)

/**
 * Moves each range from where it must stand. DuckDB looks for conflicts column by column, so an UPDATE of one column and a claim that sets
 * another would both be committed, and the records of the write come twice: this one and `claim` set both NEXT_OFFSET and EPOCH, as they are.
 * Binds: group, time, ranges.
 */
export const advance = `UPDATE ${ledger} t SET NEXT_OFFSET = s.r.x, EPOCH = t.EPOCH, SKIPPED = COALESCE(t.SKIPPED, 0) + s.r.s, UPDATED_AT = epoch_ms($2::BIGINT)
FROM (SELECT unnest(from_json($3, '[{"n":"VARCHAR","p":"INTEGER","e":"BIGINT","f":"BIGINT","x":"BIGINT","s":"BIGINT"}]')) AS r) s
WHERE t.CONSUMER_GROUP = $1 AND t.TOPIC = s.r.n AND t.PARTITION = s.r.p AND t.EPOCH = s.r.e AND t.NEXT_OFFSET = s.r.f`

/** Makes the rows of partitions that have none. Binds: group, time, positions, owner. */
export const addMissing = `INSERT INTO ${ledger} (CONSUMER_GROUP, TOPIC, PARTITION, NEXT_OFFSET, EPOCH, OWNER, UPDATED_AT, START_OFFSET, SKIPPED, TOPIC_ID)
SELECT $1, s.r.n, s.r.p, s.r.o, 0, $4, epoch_ms($2::BIGINT), s.r.o, 0, s.r.i
FROM (SELECT unnest(from_json($3, '[{"n":"VARCHAR","p":"INTEGER","o":"BIGINT","i":"VARCHAR"}]')) AS r) s
ON CONFLICT DO NOTHING`

/**
 * Raises the epoch of each position's partition; a row of an older version begins to count here. Neither ON CONFLICT DO UPDATE
 * nor RETURNING: with them DuckDB takes the row out and puts it in again, which conflicts with no open UPDATE, and that one's change is lost. Binds: group, time, positions, owner.
 */
export const claim = `UPDATE ${ledger} t SET EPOCH = t.EPOCH + 1, NEXT_OFFSET = t.NEXT_OFFSET, OWNER = $4, UPDATED_AT = epoch_ms($2::BIGINT),
  START_OFFSET = COALESCE(t.START_OFFSET, t.NEXT_OFFSET), SKIPPED = COALESCE(t.SKIPPED, 0), TOPIC_ID = COALESCE(s.r.i, t.TOPIC_ID)
FROM (SELECT unnest(from_json($3, '[{"n":"VARCHAR","p":"INTEGER","o":"BIGINT","i":"VARCHAR"}]')) AS r) s
WHERE t.CONSUMER_GROUP = $1 AND t.TOPIC = s.r.n AND t.PARTITION = s.r.p`

/** Moves partitions that were claimed to other offsets, and counts from there. Binds: group, time, positions. */
export const reset = `UPDATE ${ledger} t SET NEXT_OFFSET = s.r.o, EPOCH = t.EPOCH, START_OFFSET = s.r.o, SKIPPED = 0, TOPIC_ID = s.r.i, UPDATED_AT = epoch_ms($2::BIGINT)
FROM (SELECT unnest(from_json($3, '[{"n":"VARCHAR","p":"INTEGER","o":"BIGINT","i":"VARCHAR"}]')) AS r) s
WHERE t.CONSUMER_GROUP = $1 AND t.TOPIC = s.r.n AND t.PARTITION = s.r.p`

/** Bind: group. */
export const readLedger = `SELECT TOPIC, PARTITION, NEXT_OFFSET, EPOCH, OWNER, TOPIC_ID FROM ${ledger} WHERE CONSUMER_GROUP = $1 ORDER BY TOPIC, PARTITION`

/** Marks dead letters that wait as put back. Binds: time, positions. */
export const markReplayed = `UPDATE ${dialect.qualified(deadLetters.name)} t SET REPLAYED_AT = epoch_ms($1::BIGINT)
FROM (SELECT unnest(from_json($2, '[{"n":"VARCHAR","p":"INTEGER","o":"BIGINT"}]')) AS r) s
WHERE t.KAFKA_TOPIC = s.r.n AND t.KAFKA_PARTITION = s.r.p AND t.KAFKA_OFFSET = s.r.o AND t.REPLAYED_AT IS NULL`

/** Rows and last write of each table, in one statement. */
export const summary = (tables: ReadonlyArray<string>): string =>
  tables
    .map(
      (table) =>
        `SELECT '${table}' AS TABLE_NAME, COUNT(*) AS TOTAL, epoch_ms(MAX(INGESTION_TIMESTAMP)) AS LAST_WRITE FROM ${dialect.qualified(table)}`
    )
    .join("\nUNION ALL\n")

/** The columns of every table of the schema, in their order. Bind: schema. */
export const columns = `SELECT table_name AS TABLE_NAME, column_name AS COLUMN_NAME FROM information_schema.columns
WHERE table_schema = $1 ORDER BY table_name, ordinal_position`
