/**
 * `init` on Snowflake: creates only what is missing, so that a role without privileges to create is enough when nothing
 * is.
 */
import * as Effect from "effect/Effect"
import type { Route } from "../../domain/Route.ts"
import type { SnowflakeSettings } from "../../settings/Model.ts"
import { runAll } from "../sql/RunAll.ts"
import { consumerOffsets, initReport, shapesOf } from "../sql/Tables.ts"
import { WarehouseError } from "../WarehouseError.ts"
import type { SnowflakeClient } from "./Client.ts"
import * as Columns from "./Columns.ts"
import type { Session } from "./Driver.ts"
import * as Sql from "./Sql.ts"

export const make = (client: SnowflakeClient, sink: SnowflakeSettings, routes: ReadonlyArray<Route>) => {
  const names = Sql.dialect(sink.database, sink.schema)

  const look = Effect.fnUntraced(function* (session: Session) {
    const schemata = yield* session.query(Sql.schemata(sink.database), [sink.schema.toUpperCase()])
    return { schema: schemata.length > 0, tables: (yield* Columns.read(session, sink, routes)).found }
  })

  /** A database that cannot be seen may be missing; creating one takes a right that this role may rightly lack. */
  const found = (session: Session) =>
    Effect.catchIf(
      look(session),
      ({ reason }) => reason === "denied",
      (error) =>
        session.execute(Sql.createDatabase(sink.database)).pipe(
          Effect.mapError(() => error),
          Effect.andThen(look(session))
        )
    )

  const run = (session: Session, statements: ReadonlyArray<string>) => runAll(statements, session.execute)

  const init = client.use((session) =>
    Effect.flatMap(found(session), (there) =>
      Effect.as(
        run(session, Sql.missing(sink.database, sink.schema, routes, there)),
        initReport(shapesOf(routes), there.tables)
      )
    )
  )

  const createHybridLedger = client.use(
    Effect.fnUntraced(function* (session: Session) {
      const there = yield* found(session)
      if (there.tables.has(consumerOffsets.name))
        return yield* new WarehouseError({
          reason: "denied",
          message: `${names.qualified(consumerOffsets.name)} already exists, and a table cannot become a hybrid table; docs/how-to/snowflake.md says how to replace it`
        })
      const [schema] = there.schema ? [] : Sql.missing(sink.database, sink.schema, [], there)
      yield* run(session, [...(schema === undefined ? [] : [schema]), Sql.createHybridLedger(names)])
    })
  )

  return { init, createHybridLedger }
}
