/** The tables of an open DuckDB file as they are, whoever made them: how rows get in, and what would keep them out. */
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { decodeRows } from "../sql/LedgerRows.ts"
import { columnsByTable, type FieldType, quoted, type Shape } from "../sql/Tables.ts"
import type { Problem } from "../Warehouse.ts"
import type { WarehouseError } from "../WarehouseError.ts"
import type { Connection } from "./Client.ts"
import * as Sql from "./Sql.ts"

export interface Column {
  readonly name: string
  readonly type: string
  /** Takes no NULL and has no default. */
  readonly mustBeFilled: boolean
}

/** The columns of each table, in their order. */
export type Found = ReadonlyMap<string, ReadonlyArray<Column>>

const decodeColumns = decodeRows(
  Schema.Struct({
    TABLE_NAME: Schema.String,
    COLUMN_NAME: Schema.String,
    DATA_TYPE: Schema.String,
    MUST_BE_FILLED: Schema.Boolean
  })
)

export const read = Effect.fnUntraced(function* (connection: Connection) {
  const rows = yield* decodeColumns(yield* connection.query(Sql.columns, [connection.schema]))
  const found = new Map<string, Array<Column>>()
  for (const row of rows) {
    const columns = found.get(row.TABLE_NAME) ?? []
    columns.push({ name: row.COLUMN_NAME, type: row.DATA_TYPE, mustBeFilled: row.MUST_BE_FILLED })
    found.set(row.TABLE_NAME, columns)
  }
  return { found, names: columnsByTable(rows) }
})

const decodeViews = decodeRows(Schema.Struct({ VIEW_NAME: Schema.String }))

/** Those of our tables that are views: no column can be added to one, and no row. */
export const views = Effect.fnUntraced(function* (connection: Connection, shapes: ReadonlyArray<Shape>) {
  const rows = yield* decodeViews(yield* connection.query(Sql.views, [connection.schema]))
  return shapes.filter(({ name }) => rows.some(({ VIEW_NAME }) => VIEW_NAME === name))
})

export const isView = ({ name }: Shape): Problem => ({
  what: `${Sql.dialect.qualified(name)} is a view, and rows can be added to a table only`,
  remedy: otherName(name),
  table: name
})

const otherName = (name: string): string =>
  `rename or drop what is called ${name}, then bronze-consumer init; or name another table in BRONZE_ROUTES`

/** Whether the appender can fill it as it is: it knows no names and no defaults, and casts nothing. */
export const isPlain = (shape: Shape, columns: ReadonlyArray<Column>): boolean => {
  const types = new Map(shape.fields.map(({ name, type }) => [name, Sql.dialect.types[type]]))
  return columns.every(({ name, type }) => types.has(name) && plain(types.get(name)) === plain(type))
}

/** JSON is text, for the appender. */
const plain = (type: string | undefined): string | undefined => (type === "JSON" ? "VARCHAR" : type)

/** Types of a table made by hand that hold our values: what is too large for one becomes NULL in a typed column. */
const takes: Readonly<Record<FieldType, RegExp>> = {
  STRING: /^VARCHAR$/,
  NUMBER: /^(DECIMAL\(\d+,\d+\)|(HUGE|BIG|SMALL|TINY)?INT|INTEGER|DOUBLE)$/,
  FLOAT: /^(DOUBLE|FLOAT|DECIMAL\(\d+,\d+\))$/,
  BOOLEAN: /^BOOLEAN$/,
  TIMESTAMP: /^TIMESTAMP$/,
  JSON: /^(JSON|VARCHAR)$/,
  INT: /^(INTEGER|BIGINT|HUGEINT)$/,
  OFFSET: /^(BIGINT|HUGEINT)$/
}

/** What would keep every row out of a table that has all our columns, each with its remedy. */
export const problems = Effect.fnUntraced(function* (
  connection: Connection,
  shape: Shape,
  columns: ReadonlyArray<Column>
): Effect.fn.Return<ReadonlyArray<Problem>, WarehouseError> {
  const table = Sql.dialect.qualified(shape.name)
  const about = (problem: Problem): Problem => ({ ...problem, table: shape.name })
  const ours = new Map(shape.fields.map(({ name, type }) => [name, type]))
  const found = columns.flatMap(({ mustBeFilled, name, type }): ReadonlyArray<Problem> => {
    const field = ours.get(name)
    if (field === undefined && mustBeFilled) return [about(foreign(table, name))]
    if (field === undefined || takes[field].test(type)) return []
    const wanted = Sql.dialect.types[field]
    return [
      about({
        what: `column ${name} of table ${table} has type ${type}, and ${wanted} is written to it`,
        remedy: `ALTER TABLE ${table} ALTER COLUMN ${quoted(name)} TYPE ${wanted};`
      })
    ]
  })
  if (found.length > 0) return found
  return yield* connection.query(Sql.rehearsal(shape)).pipe(
    Effect.as<ReadonlyArray<Problem>>([]),
    Effect.catchIf(
      ({ reason }) => reason === "denied" || reason === "refused",
      ({ message }) =>
        Effect.succeed([
          about({
            what: `no row can be added to ${table}: ${message}`,
            remedy: otherName(shape.name)
          })
        ])
    )
  )
})

/** A column of somebody else that only they can fill. */
export const foreign = (table: string, column: string): Problem => ({
  what: `column ${column} of table ${table} takes no NULL and has no default, and the service does not fill it`,
  remedy: `ALTER TABLE ${table} ALTER COLUMN ${quoted(column)} DROP NOT NULL; or ALTER COLUMN ${quoted(column)} SET DEFAULT …;`
})
