/**
 * The columns that the tables of the routes have on Snowflake, whoever made them; among them those that would keep
 * every row out.
 */
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import type { Route } from "../../domain/Route.ts"
import type { SnowflakeSettings } from "../../settings/Model.ts"
import { decodeRows } from "../sql/LedgerRows.ts"
import { columnsByTable, quoted, type Shape, shapesOf } from "../sql/Tables.ts"
import type { Problem } from "../Warehouse.ts"
import { WarehouseError } from "../WarehouseError.ts"
import type { SnowflakeClient } from "./Client.ts"
import type { Session } from "./Driver.ts"
import * as Sql from "./Sql.ts"

const decodeColumns = decodeRows(
  Schema.Struct({
    TABLE_NAME: Schema.String,
    COLUMN_NAME: Schema.String,
    IS_NULLABLE: Schema.String,
    COLUMN_DEFAULT: Schema.NullOr(Schema.String),
    // An emulator need not know it.
    IS_IDENTITY: Schema.optionalKey(Schema.NullOr(Schema.String))
  })
)

/**
 * The columns of each table that the routes need, where it is there; and those of others that take no NULL and have
 * nothing else to hold.
 */
export const read = Effect.fnUntraced(function* (
  session: Session,
  { database, schema }: SnowflakeSettings,
  routes: ReadonlyArray<Route>
) {
  const shapes = shapesOf(routes)
  const sql = Sql.columns(
    database,
    shapes.map(({ name }) => name)
  )
  const rows = yield* Effect.flatMap(session.query(sql, [schema.toUpperCase()]), decodeColumns)
  const foreign = rows.filter(
    ({ COLUMN_DEFAULT, COLUMN_NAME, IS_IDENTITY, IS_NULLABLE, TABLE_NAME }) =>
      IS_NULLABLE === "NO" &&
      COLUMN_DEFAULT === null &&
      IS_IDENTITY !== "YES" &&
      isForeign(shapes, TABLE_NAME, COLUMN_NAME)
  )
  const names = Sql.dialect(database, schema)
  return {
    found: columnsByTable(rows),
    closed: foreign.map(({ COLUMN_NAME, TABLE_NAME }) => ({
      table: TABLE_NAME,
      problem: closedBy(names.qualified(TABLE_NAME), COLUMN_NAME)
    }))
  }
})

const isForeign = (shapes: ReadonlyArray<Shape>, table: string, column: string): boolean =>
  shapes.some(({ fields, name }) => name === table && fields.every((field) => field.name !== column))

/** Snowflake gives a column that is there no default; the other way is to make it again. */
const closedBy = (table: string, column: string): Problem => ({
  what: `column ${column} of table ${table} takes no NULL and has no default, and the service does not fill it`,
  remedy: `ALTER TABLE ${table} ALTER COLUMN ${quoted(column)} DROP NOT NULL;`
})

/** "NULL result in a non-nullable column": it does not say which. */
const nullRefused = "100072"

/**
 * A write that got a NULL refused for a column of others is the table's fault, not the record's: nothing of it becomes
 * a dead letter.
 */
export const blaming =
  (client: SnowflakeClient, sink: SnowflakeSettings, routes: ReadonlyArray<Route>) =>
  <A>(table: string, write: Effect.Effect<A, WarehouseError>): Effect.Effect<A, WarehouseError> =>
    Effect.catchIf(
      write,
      ({ code, reason }) => reason === "refused" && code === nullRefused,
      Effect.fnUntraced(function* (error: WarehouseError): Effect.fn.Return<never, WarehouseError> {
        const { closed } = yield* client.use((session) => read(session, sink, routes))
        const named = closed.find((column) => column.table === table || column.table === "DEAD_LETTERS")
        if (named === undefined) return yield* error
        const { remedy, what } = named.problem
        return yield* new WarehouseError({ reason: "denied", code: nullRefused, message: `${what}: ${remedy}` })
      })
    )
