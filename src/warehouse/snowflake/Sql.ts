/** The SQL that the Snowflake layer sends, as pure text; whatever comes from a record travels as data in one bind. */
import type { Column, ColumnType, Route, Table } from "../../domain/Route.ts"
import {
  consumerOffsets,
  createTable,
  type Ddl,
  type Dialect,
  deadLetters,
  quoted,
  rawShape,
  shapesOf,
  upgrades
} from "../sql/Tables.ts"

export const dialect = (database: string, schema: string): Dialect => ({
  types: {
    STRING: "STRING",
    NUMBER: "NUMBER(38,0)",
    FLOAT: "FLOAT",
    BOOLEAN: "BOOLEAN",
    TIMESTAMP: "TIMESTAMP_NTZ",
    JSON: "VARIANT",
    INT: "NUMBER(38,0)",
    OFFSET: "NUMBER(38,0)"
  },
  qualified: (table) => [database.toUpperCase(), schema.toUpperCase(), table].map(quoted).join("."),
  millis: (expression) => `DATE_PART(EPOCH_MILLISECOND, ${expression})`,
  jsonText: (expression) => `TO_JSON(${expression})`
})

const createSchema = (database: string, schema: string): string =>
  `CREATE SCHEMA IF NOT EXISTS ${quoted(database.toUpperCase())}.${quoted(schema.toUpperCase())}`

/**
 * What `init` runs, given what there is: each statement takes a right of its own even where it would have nothing to
 * do, and a role that may fill the tables may rightly lack it.
 */
export const missing = (
  database: string,
  schema: string,
  routes: ReadonlyArray<Route>,
  found: { readonly schema: boolean; readonly tables: ReadonlyMap<string, ReadonlySet<string>> }
): ReadonlyArray<string> => {
  const names = dialect(database, schema)
  const shapes = shapesOf(routes)
  const [here, absent] = [
    shapes.filter(({ name }) => found.tables.has(name)),
    shapes.filter(({ name }) => !found.tables.has(name))
  ]
  return [
    ...(found.schema ? [] : [createSchema(database, schema)]),
    ...absent.map((shape) => createTable(names, shape)),
    ...upgrades(names, here, found.tables)
  ]
}

/**
 * The ledger as a table whose rows are locked one by one; only where the account has hybrid tables, and only before
 * there is a ledger.
 */
export const createHybridLedger = (names: Dialect): string =>
  createTable(names, consumerOffsets).replace("CREATE TABLE", "CREATE HYBRID TABLE")

/** `CREATE SCHEMA`, then every table, then what older tables lack; each may be run again. */
export const ddl = (database: string, schema: string, routes: ReadonlyArray<Route>): Ddl => ({
  create: [
    createSchema(database, schema),
    ...shapesOf(routes).map((shape) => createTable(dialect(database, schema), shape))
  ],
  upgrade: upgrades(dialect(database, schema), shapesOf(routes))
})

// TRY_TO_… on strings: a value that does not fit is NULL and never fails the statement. Casts of VARIANT have no such
// form.
const typed: Readonly<Record<ColumnType, (text: string) => string>> = {
  STRING: (text) => text,
  NUMBER: (text) => `TRY_TO_NUMBER(${text}, 38, 0)`,
  FLOAT: (text) => `TRY_TO_DOUBLE(${text})`,
  BOOLEAN: (text) => `TRY_TO_BOOLEAN(${text})`,
  TIMESTAMP: (text) => `TRY_TO_TIMESTAMP_NTZ(${text}, 'YYYY-MM-DD HH24:MI:SS.FF6')`
}

const typedColumn = ({ type }: Column, index: number): string => typed[type](`f.value:c[${index}]::STRING`)

/**
 * One row per element of the array that is bound. VALUES and array binds do not take PARSE_JSON on Snowflake; FLATTEN
 * does. Of two keys that are the same the last one counts ('d'); without that Snowflake would refuse the event, and all
 * that came with it.
 */
const fromBind = "FROM TABLE(FLATTEN(INPUT => PARSE_JSON(?, 'd'))) f"

// SYSDATE() is UTC whatever the session's time zone.
const coordinates =
  "f.value:n::STRING, f.value:p::NUMBER, f.value:o::NUMBER, TO_TIMESTAMP_NTZ(f.value:t::NUMBER, 3), f.value:k::STRING, f.value:h"

const insertInto = (names: Dialect, shape: { name: string; fields: ReadonlyArray<{ name: string }> }, select: string) =>
  `INSERT INTO ${names.qualified(shape.name)} (${shape.fields.map((field) => quoted(field.name)).join(", ")})\nSELECT ${select}\n${fromBind}`

export const insertRows = (names: Dialect, table: Table): string =>
  insertInto(
    names,
    rawShape(table),
    [
      ...[...table.columns.map(typedColumn), "f.value:v", "SYSDATE()", coordinates],
      ...(table.hasSchemaIds === true ? ["f.value:s::NUMBER"] : [])
    ].join(", ")
  )

export const insertDeadLetters = (names: Dialect): string =>
  insertInto(
    names,
    deadLetters,
    `f.value:a::STRING, ${coordinates}, f.value:b::STRING, f.value:u::STRING, f.value:m::STRING, SYSDATE(), COALESCE(f.value:x::BOOLEAN, FALSE), NULL`
  )

const ledger = (names: Dialect): string => names.qualified(consumerOffsets.name)

/**
 * Moves each range from where it must stand; what is elsewhere, or under another epoch, is not touched and so not
 * counted. In another transaction than this one nothing is moved. Binds: ranges, group, transaction.
 */
export const advance = (names: Dialect): string =>
  `UPDATE ${ledger(names)} SET NEXT_OFFSET = s.X, SKIPPED = COALESCE(SKIPPED, 0) + s.S, UPDATED_AT = SYSDATE()
FROM (SELECT f.value:n::STRING AS N, f.value:p::NUMBER AS P, f.value:e::NUMBER AS E, f.value:f::NUMBER AS F, f.value:x::NUMBER AS X, f.value:s::NUMBER AS S ${fromBind}) s
WHERE CONSUMER_GROUP = ? AND TOPIC = s.N AND "PARTITION" = s.P AND EPOCH = s.E AND NEXT_OFFSET = s.F AND CURRENT_TRANSACTION() = ?`

/**
 * Raises the epoch of each position's partition, or makes its row; a row of an older version begins to count here.
 * Binds: positions, group, owner, group, owner.
 */
export const claim = (names: Dialect): string =>
  `MERGE INTO ${ledger(names)} AS t
USING (SELECT f.value:n::STRING AS N, f.value:p::NUMBER AS P, f.value:o::NUMBER AS O, f.value:i::STRING AS I ${fromBind}) AS s
ON t.CONSUMER_GROUP = ? AND t.TOPIC = s.N AND t."PARTITION" = s.P
WHEN MATCHED THEN UPDATE SET EPOCH = t.EPOCH + 1, OWNER = ?, UPDATED_AT = SYSDATE(),
  START_OFFSET = COALESCE(t.START_OFFSET, t.NEXT_OFFSET), SKIPPED = COALESCE(t.SKIPPED, 0), TOPIC_ID = COALESCE(s.I, t.TOPIC_ID)
WHEN NOT MATCHED THEN INSERT (CONSUMER_GROUP, TOPIC, "PARTITION", NEXT_OFFSET, EPOCH, OWNER, UPDATED_AT, START_OFFSET, SKIPPED, TOPIC_ID)
VALUES (?, s.N, s.P, s.O, 1, ?, SYSDATE(), s.O, 0, s.I)`

/** Moves partitions that were claimed to other offsets, and counts from there. Binds: positions, group. */
export const reset = (names: Dialect): string =>
  `UPDATE ${ledger(names)} SET NEXT_OFFSET = s.O, START_OFFSET = s.O, SKIPPED = 0, TOPIC_ID = s.I, UPDATED_AT = SYSDATE()
FROM (SELECT f.value:n::STRING AS N, f.value:p::NUMBER AS P, f.value:o::NUMBER AS O, f.value:i::STRING AS I ${fromBind}) s
WHERE CONSUMER_GROUP = ? AND TOPIC = s.N AND "PARTITION" = s.P`

/** Bind: group. */
export const readLedger = (names: Dialect): string =>
  `SELECT TOPIC, "PARTITION", NEXT_OFFSET, EPOCH, OWNER, TOPIC_ID FROM ${ledger(names)} WHERE CONSUMER_GROUP = ? ORDER BY TOPIC, "PARTITION"`

/**
 * Marks pending dead letters as replayed; takes the lock of their table, so that of two replays one comes after the
 * other. Bind: positions.
 */
export const markReplayed = (names: Dialect): string =>
  `UPDATE ${names.qualified(deadLetters.name)} SET REPLAYED_AT = SYSDATE()
FROM (SELECT f.value:n::STRING AS N, f.value:p::NUMBER AS P, f.value:o::NUMBER AS O ${fromBind}) s
WHERE KAFKA_TOPIC = s.N AND KAFKA_PARTITION = s.P AND KAFKA_OFFSET = s.O AND REPLAYED_AT IS NULL`

/** Rows and last write of each table, in one statement. */
export const summary = (names: Dialect, tables: ReadonlyArray<string>): string =>
  tables
    .map(
      (table) =>
        `SELECT ${literal(table)} AS TABLE_NAME, COUNT(*) AS TOTAL, DATE_PART(EPOCH_MILLISECOND, MAX(INGESTION_TIMESTAMP)) AS LAST_WRITE FROM ${names.qualified(table)}`
    )
    .join("\nUNION ALL\n")

export const createDatabase = (database: string): string =>
  `CREATE DATABASE IF NOT EXISTS ${quoted(database.toUpperCase())}`

/** Bind: schema. */
export const schemata = (database: string): string =>
  `SELECT SCHEMA_NAME FROM ${quoted(database.toUpperCase())}.INFORMATION_SCHEMA.SCHEMATA WHERE SCHEMA_NAME = ?`

/** Of these tables alone, for a schema may hold thousands. Bind: schema. */
export const columns = (database: string, tables: ReadonlyArray<string>): string =>
  `SELECT TABLE_NAME, COLUMN_NAME, IS_NULLABLE, COLUMN_DEFAULT, IS_IDENTITY FROM ${quoted(database.toUpperCase())}.INFORMATION_SCHEMA.COLUMNS
WHERE TABLE_SCHEMA = ? AND TABLE_NAME IN (${tables.map(literal).join(", ")})`

/** A string as a literal; backslashes escape on Snowflake. */
const literal = (text: string): string => `'${text.replaceAll("\\", "\\\\").replaceAll("'", "''")}'`

/** The indexes of those events that are not JSON to Snowflake. Bind: events. */
export const unparsable = `SELECT f.value:i::NUMBER AS N ${fromBind} WHERE TRY_PARSE_JSON(f.value:v::STRING, 'd') IS NULL`
