/** The SQL that the DuckDB layer sends, as pure text; rows do not go through it but through the appender. */
import { basename } from "node:path"
import type { Route } from "../../domain/Route.ts"
import {
  consumerOffsets,
  createTable,
  type Ddl,
  type Dialect,
  deadLetters,
  type Field,
  quoted,
  type Shape,
  shapesOf,
  upgrades
} from "../sql/Tables.ts"

/** What tables are qualified with: the same schema as on Snowflake, so that queries carry over. */
const schema = "BRONZE"

/**
 * The schema that the tables of a file stand in. DuckDB names a file's catalog after the file: in `bronze.duckdb`,
 * `BRONZE.ORDERS_RAW` means the catalog, and a schema of that name would make it ambiguous. So `BRONZE.ORDERS_RAW`
 * works in every file.
 */
export const schemaIn = (catalog: string): string => (catalog.toUpperCase() === schema ? "main" : schema)

/** The same for a file that is not open: DuckDB takes its name up to the first dot. */
export const schemaOf = (path: string): string =>
  schemaIn(
    basename(path)
      .split(".")
      .find((part) => part !== "") ?? ""
  )

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
  create: create(schemaOf(path), routes),
  upgrade: upgrades(dialect, shapesOf(routes))
})

/** What makes the tables of a file in which they are in this schema. */
export const create = (tablesIn: string, routes: ReadonlyArray<Route>): ReadonlyArray<string> => [
  ...(tablesIn === schema ? [`CREATE SCHEMA IF NOT EXISTS ${quoted(schema)}`] : []),
  ...shapesOf(routes).map((shape) => createTable(dialect, shape))
]

const ledger = dialect.qualified(consumerOffsets.name)

/**
 * Moves each range from where it must stand. DuckDB looks for conflicts column by column, so an UPDATE of one column
 * and a claim that sets another would both be committed, and the records of the write come twice: this one and `claim`
 * set both NEXT_OFFSET and EPOCH, as they are. Binds: group, time, ranges.
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
 * Raises the epoch of each position's partition; a row of an older version begins to count here. Neither ON CONFLICT DO
 * UPDATE nor RETURNING: with them DuckDB takes the row out and puts it in again, which conflicts with no open UPDATE,
 * and that one's change is lost. Binds: group, time, positions, owner.
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

/** Marks pending dead letters as replayed. Binds: time, positions. */
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

/**
 * The columns of every table of the schema, in their order; DuckDB finds names in either case. By the function, because
 * in a file called `information_schema.duckdb` the schema of that name is ambiguous. Bind: schema.
 */
export const columns = `SELECT upper(table_name) AS TABLE_NAME, upper(column_name) AS COLUMN_NAME, data_type AS DATA_TYPE,
  NOT is_nullable AND column_default IS NULL AS MUST_BE_FILLED
FROM duckdb_columns() WHERE database_name = current_database() AND upper(schema_name) = upper($1)
ORDER BY table_name, column_index`

/** The names of the views of the schema. Bind: schema. */
export const views = `SELECT upper(view_name) AS VIEW_NAME FROM duckdb_views()
WHERE database_name = current_database() AND upper(schema_name) = upper($1)`

/** Where rows stand for a moment on their way into a table that has columns of others; each connection has its own. */
export const stage = "BRONZE_STAGE"

export const createStage = (shape: Shape): string =>
  `CREATE OR REPLACE TEMP TABLE ${stage} (${shape.fields.map(({ name, type }) => `${quoted(name)} ${dialect.types[type]}`).join(", ")})`

/**
 * Columns that are not of the shape take their default; a typed column of another type is NULL where the value does not
 * fit.
 */
export const insertStaged = (shape: Shape, typeOf: (column: string) => string | undefined): string => {
  const value = ({ name, required, type }: Field): string => {
    const found = typeOf(name)
    const isOther = required !== true && found !== undefined && found !== dialect.types[type]
    return isOther ? `TRY_CAST(${quoted(name)} AS ${found})` : quoted(name)
  }
  return `INSERT INTO ${dialect.qualified(shape.name)} (${shape.fields.map(({ name }) => quoted(name)).join(", ")})
SELECT ${shape.fields.map(value).join(", ")} FROM temp.main.${stage}`
}

export const dropStage = `DROP TABLE temp.main.${stage}`

/**
 * Plans a write and does nothing: what no row can be added to is refused here, views and generated columns among it.
 */
export const rehearsal = (shape: Shape): string => {
  const names = shape.fields.map(({ name }) => quoted(name)).join(", ")
  return `EXPLAIN INSERT INTO ${dialect.qualified(shape.name)} (${names}) SELECT ${names} FROM ${dialect.qualified(shape.name)} WHERE false`
}
