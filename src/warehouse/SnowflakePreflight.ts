/** What would stop a write to Snowflake, found before the first record is read, each with the statement that mends it. */
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { type Route, tablesOf } from "../domain/Route.ts"
import type { Settings, SnowflakeSettings } from "../Settings.ts"
import { decodeRows } from "./LedgerRows.ts"
import type { SnowflakeClient } from "./SnowflakeClient.ts"
import type { Session } from "./SnowflakeDriver.ts"
import * as Sql from "./SnowflakeSql.ts"
import { columnsByTable, consumerOffsets, missingFrom, shapesOf } from "./Tables.ts"
import type { Problem } from "./Warehouse.ts"
import type { WarehouseError } from "./WarehouseError.ts"

const decodeColumns = decodeRows(Schema.Struct({ TABLE_NAME: Schema.String, COLUMN_NAME: Schema.String }))
const decodeWarehouse = decodeRows(Schema.Struct({ NAME: Schema.NullOr(Schema.String) }))

/** The columns of each table of the schema. */
export const columnsOf = (session: Session, { database, schema }: SnowflakeSettings) =>
  session
    .query(Sql.columns(database), [schema.toUpperCase()])
    .pipe(Effect.flatMap(decodeColumns), Effect.map(columnsByTable))

export const preflight = (
  client: SnowflakeClient,
  sink: SnowflakeSettings,
  routes: ReadonlyArray<Route>,
  delivery: Settings["Service"]["delivery"]
): Effect.Effect<ReadonlyArray<Problem>, WarehouseError> => {
  const names = Sql.dialect(sink.database, sink.schema)
  const schema = sink.schema.toUpperCase()
  const role = sink.role ?? "<role>"
  const create = "node dist/main.js init"
  const shapes = shapesOf(routes).filter((shape) => delivery === "exactly-once" || shape !== consumerOffsets)

  /** A refusal becomes a problem; a fault of the network stays a failure, which the caller tries again. */
  const orProblem = <A>(effect: Effect.Effect<A, WarehouseError>, remedy: string) =>
    effect.pipe(
      Effect.as<ReadonlyArray<Problem>>([]),
      Effect.catchIf(
        (error) => error.reason === "denied",
        (error) => Effect.succeed<ReadonlyArray<Problem>>([{ what: error.message, remedy }])
      )
    )

  const warehouse = (session: Session) =>
    session.query("SELECT CURRENT_WAREHOUSE() AS NAME").pipe(
      Effect.flatMap(decodeWarehouse),
      Effect.map((rows) => rows.every(({ NAME }) => NAME !== null)),
      // An emulator may not have the function; that says nothing about the warehouse.
      Effect.catchIf(
        (error) => error.reason === "denied",
        () => Effect.succeed(true)
      ),
      Effect.map((selected): ReadonlyArray<Problem> => {
        if (selected) return []
        const name = sink.warehouse ?? "<warehouse>"
        const remedy = `GRANT USAGE ON WAREHOUSE ${name} TO ROLE ${role};${sink.warehouse === undefined ? " and set SNOWFLAKE_WAREHOUSE" : ""}`
        return [{ what: "no warehouse is selected", remedy }]
      })
    )

  const database = (session: Session) =>
    orProblem(
      session.query(Sql.schemata(sink.database), [schema]),
      `CREATE DATABASE IF NOT EXISTS ${sink.database}; GRANT USAGE ON DATABASE ${sink.database} TO ROLE ${role};`
    )

  const schemaAndTables = Effect.fnUntraced(function* (session: Session) {
    if ((yield* session.query(Sql.schemata(sink.database), [schema])).length === 0)
      return [
        {
          what: `schema ${sink.database}.${sink.schema} is missing or not visible`,
          remedy: `${create}, or GRANT USAGE ON SCHEMA ${sink.database}.${sink.schema} TO ROLE ${role};`
        }
      ]
    return missingFrom(names, shapes, yield* columnsOf(session, sink), create)
  })

  /** The statements of a write themselves, with nothing in them: what only a grant can forbid is found here. */
  const rehearsal = (session: Session) => {
    const grant = (table: string, rights: string) =>
      `GRANT ${rights} ON TABLE ${names.qualified(table)} TO ROLE ${role};`
    const empty = (sql: string, table: string) =>
      orProblem(session.execute(sql, ["[]"]), grant(table, "SELECT, INSERT"))
    return Effect.all([
      ...tablesOf(routes).map((table) => empty(Sql.insertRows(names, table), table.name)),
      empty(Sql.insertDeadLetters(names), "DEAD_LETTERS"),
      ...(delivery === "exactly-once"
        ? [
            orProblem(
              session.execute(Sql.advance(names), ["[]", ""]),
              grant(consumerOffsets.name, "SELECT, INSERT, UPDATE")
            )
          ]
        : [])
    ]).pipe(Effect.map((problems) => problems.flat()))
  }

  // Each look makes sense only when the one before it found nothing.
  const looks = [warehouse, database, schemaAndTables, rehearsal]
  return orProblemOfLogin(
    client.use((session) =>
      Effect.reduce(
        looks,
        () => noProblems,
        (problems, look) => (problems.length > 0 ? Effect.succeed(problems) : look(session))
      )
    ),
    sink
  )
}

const noProblems: ReadonlyArray<Problem> = []

const orProblemOfLogin = (
  look: Effect.Effect<ReadonlyArray<Problem>, WarehouseError>,
  sink: SnowflakeSettings
): Effect.Effect<ReadonlyArray<Problem>, WarehouseError> =>
  Effect.catchIf(
    look,
    (error) => error.reason === "denied",
    (error) =>
      Effect.succeed([
        {
          what: `Snowflake refused user ${sink.user}: ${error.message}`,
          remedy: "mend SNOWFLAKE_ACCOUNT, SNOWFLAKE_USER and the credentials, or run sql/snowflake/03_role.sql"
        }
      ])
  )
