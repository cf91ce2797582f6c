/**
 * The tables of the warehouse, described once for every dialect: what `ddl` creates, `preflight` looks for and a write
 * fills.
 */
import {
  type ColumnType,
  type Route,
  schemaIdColumn,
  standardColumns,
  type Table,
  tablesOf
} from "../../domain/Route.ts"
import { latest } from "../../domain/Timestamps.ts"
import type { InitReport, Problem } from "../Warehouse.ts"

/** What a field holds; a dialect names its own type for each. `INT` counts partitions and schemas, `OFFSET` records. */
export type FieldType = ColumnType | "JSON" | "INT" | "OFFSET"

export interface Field {
  readonly name: string
  readonly type: FieldType
  readonly required?: boolean
  /** Came after the first version: a table that was made before gets it from `init`. */
  readonly added?: boolean
  /** A typed column: the route may have got it after the table was made, and then `init` adds it as well. */
  readonly ofRoute?: boolean
}

/** A table as the warehouse has it. */
export interface Shape {
  readonly name: string
  readonly fields: ReadonlyArray<Field>
  readonly key?: ReadonlyArray<string>
}

const standardFields: Readonly<Record<(typeof standardColumns)[number], Omit<Field, "name">>> = {
  RAW_EVENT: { type: "JSON" },
  INGESTION_TIMESTAMP: { type: "TIMESTAMP", required: true },
  KAFKA_TOPIC: { type: "STRING", required: true },
  KAFKA_PARTITION: { type: "INT", required: true },
  KAFKA_OFFSET: { type: "OFFSET", required: true },
  KAFKA_TIMESTAMP: { type: "TIMESTAMP" },
  KAFKA_KEY: { type: "STRING" },
  KAFKA_HEADERS: { type: "JSON" }
}

/** A raw table: its typed columns first, then those that every raw table has. */
export const rawShape = (table: Table): Shape => ({
  name: table.name,
  fields: [
    ...table.columns.map((column) => ({ ...column, ofRoute: true })),
    ...standardColumns.map((name) => ({ name, ...standardFields[name] })),
    ...(table.hasSchemaIds === true ? [{ name: schemaIdColumn, type: "INT" as const, added: true }] : [])
  ]
})

export const deadLetters: Shape = {
  name: "DEAD_LETTERS",
  fields: [
    { name: "TABLE_NAME", type: "STRING", required: true },
    { name: "KAFKA_TOPIC", type: "STRING", required: true },
    { name: "KAFKA_PARTITION", type: "INT", required: true },
    { name: "KAFKA_OFFSET", type: "OFFSET", required: true },
    { name: "KAFKA_TIMESTAMP", type: "TIMESTAMP" },
    { name: "KAFKA_KEY", type: "STRING" },
    { name: "KAFKA_HEADERS", type: "JSON" },
    { name: "PAYLOAD_BASE64", type: "STRING" },
    { name: "CAUSE", type: "STRING", required: true },
    { name: "MESSAGE", type: "STRING" },
    { name: "INGESTION_TIMESTAMP", type: "TIMESTAMP", required: true },
    { name: "PAYLOAD_TRUNCATED", type: "BOOLEAN", added: true },
    { name: "REPLAYED_AT", type: "TIMESTAMP", added: true }
  ]
}

/** NEXT_OFFSET - START_OFFSET = rows + pending dead letters + SKIPPED, for each partition and at any time. */
export const consumerOffsets: Shape = {
  name: "CONSUMER_OFFSETS",
  fields: [
    { name: "CONSUMER_GROUP", type: "STRING", required: true },
    { name: "TOPIC", type: "STRING", required: true },
    { name: "PARTITION", type: "INT", required: true },
    { name: "NEXT_OFFSET", type: "OFFSET", required: true },
    { name: "EPOCH", type: "OFFSET", required: true },
    { name: "OWNER", type: "STRING", required: true },
    { name: "UPDATED_AT", type: "TIMESTAMP", required: true },
    { name: "START_OFFSET", type: "OFFSET", added: true },
    { name: "SKIPPED", type: "OFFSET", added: true },
    { name: "TOPIC_ID", type: "STRING", added: true }
  ],
  key: ["CONSUMER_GROUP", "TOPIC", "PARTITION"]
}

/** All tables that the routes need, the service's own last. */
export const shapesOf = (routes: ReadonlyArray<Route>): ReadonlyArray<Shape> => [
  ...tablesOf(routes).map(rawShape),
  deadLetters,
  consumerOffsets
]

/** How a dialect writes names and types. */
export interface Dialect {
  readonly types: Readonly<Record<FieldType, string>>
  /** The full name of a table, quoted. */
  readonly qualified: (table: string) => string
  /** A time as milliseconds since 1970. */
  readonly millis: (expression: string) => string
  /** JSON as its text. */
  readonly jsonText: (expression: string) => string
}

/**
 * Whether a timestamp lies in the years 1970 to 9999; producers may send anything, and what no column holds is left out
 * rather than refused.
 */
export const isStorable = (timestamp: number): boolean => timestamp >= 0 && timestamp <= latest

/**
 * Quoted, so that a column may be called ORDER; names are upper case, so `order_id` and ORDER_ID still find it without
 * quotes.
 */
export const quoted = (name: string): string => `"${name.replaceAll('"', '""')}"`

/** `CREATE TABLE IF NOT EXISTS …` for a shape. */
export const createTable = (dialect: Dialect, shape: Shape): string => {
  const lines = shape.fields.map(
    (field) => `  ${quoted(field.name)} ${dialect.types[field.type]}${field.required === true ? " NOT NULL" : ""}`
  )
  if (shape.key !== undefined) lines.push(`  PRIMARY KEY (${shape.key.map(quoted).join(", ")})`)
  return `CREATE TABLE IF NOT EXISTS ${dialect.qualified(shape.name)} (\n${lines.join(",\n")}\n)`
}

/**
 * What `init` runs: `create` always, of `upgrade` what is needed, because altering a table takes rights that creating
 * one does not.
 */
export interface Ddl {
  readonly create: ReadonlyArray<string>
  readonly upgrade: ReadonlyArray<string>
}

/** Whether `init` adds it to a table that was made without it. */
const comesLate = ({ added, ofRoute }: Field): boolean => added === true || ofRoute === true

/** A column that came after a table was made; a service of an older version does not mind it. */
const addColumn = (dialect: Dialect, table: string, field: Field): string =>
  `ALTER TABLE ${dialect.qualified(table)} ADD COLUMN IF NOT EXISTS ${quoted(field.name)} ${dialect.types[field.type]}`

/**
 * The statements that bring tables of an older version up to date; with what was `found` in them, only those that have
 * something to do.
 */
export const upgrades = (
  dialect: Dialect,
  shapes: ReadonlyArray<Shape>,
  found?: ReadonlyMap<string, ReadonlySet<string>>
): ReadonlyArray<string> =>
  shapes.flatMap(({ fields, name }) =>
    fields
      .filter((field) => (found === undefined ? field.added === true : comesLate(field)))
      .filter((field) => found?.get(name)?.has(field.name) !== true)
      .map((field) => addColumn(dialect, name, field))
  )

/** What `init` does where these columns were found per table. */
export const initReport = (
  shapes: ReadonlyArray<Shape>,
  found: ReadonlyMap<string, ReadonlySet<string>>
): InitReport => ({
  created: shapes.map(({ name }) => name).filter((name) => !found.has(name)),
  added: shapes.flatMap(({ fields, name }) =>
    fields
      .filter((field) => comesLate(field) && found.get(name)?.has(field.name) === false)
      .map((field) => `${name}.${field.name}`)
  ),
  present: shapes.map(({ name }) => name).filter((name) => found.has(name))
})

/**
 * What is missing of `shapes`, given the columns that were found per table; a missing table is one problem, a missing
 * column another.
 */
export const missingFrom = (
  dialect: Dialect,
  shapes: ReadonlyArray<Shape>,
  found: ReadonlyMap<string, ReadonlySet<string>>,
  createRemedy: string
): ReadonlyArray<Problem> =>
  shapes.flatMap((shape) => {
    const columns = found.get(shape.name)
    const table = dialect.qualified(shape.name)
    if (columns === undefined)
      return [{ what: `table ${table} is missing or not visible`, remedy: createRemedy, table: shape.name }]
    return shape.fields
      .filter((field) => !columns.has(field.name))
      .map((field) => ({
        what: `table ${table} has no column ${field.name}`,
        remedy: `${comesLate(field) ? `${createRemedy}, or ` : ""}${addColumn(dialect, shape.name, field)};`,
        table: shape.name
      }))
  })

/** The columns per table, from rows of INFORMATION_SCHEMA.COLUMNS. */
export const columnsByTable = (
  rows: ReadonlyArray<{ readonly TABLE_NAME: string; readonly COLUMN_NAME: string }>
): ReadonlyMap<string, ReadonlySet<string>> => {
  const tables = new Map<string, Set<string>>()
  for (const { COLUMN_NAME, TABLE_NAME } of rows) {
    const columns = tables.get(TABLE_NAME)
    if (columns === undefined) tables.set(TABLE_NAME, new Set([COLUMN_NAME]))
    else columns.add(COLUMN_NAME)
  }
  return tables
}
