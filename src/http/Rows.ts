/** What the tables hold: the row of a record, and how many rows there are; counted at most once in a while. */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as HttpRouter from "effect/http/HttpRouter"
import * as Schema from "effect/Schema"
import * as Coordinates from "../domain/Coordinates.ts"
import * as Instants from "../domain/Instants.ts"
import { Settings } from "../settings/Settings.ts"
import { Warehouse } from "../warehouse/Warehouse.ts"
import * as Place from "./Place.ts"
import * as Reply from "./Reply.ts"

export const routes = HttpRouter.use(
  Effect.fnUntraced(function* (router) {
    const settings = yield* Settings
    const warehouse = yield* Warehouse
    const tables = new Map(settings.routes.map(({ table, topic }) => [topic, table.name]))

    yield* router.add(
      "GET",
      "/api/row",
      Reply.toParameters(Place.Asked, ({ at: text }) =>
        Effect.gen(function* () {
          const at = yield* Place.parse(text)
          const table = tables.get(at.topic)
          if (table === undefined)
            return yield* new Reply.NotFound({ message: `BRONZE_ROUTES has no route for ${at.topic}` })
          const columns = yield* warehouse.row(table, at)
          if (columns === undefined)
            return yield* new Reply.NotFound({ message: `there is no row of ${Coordinates.format(at)} in ${table}` })
          return { row: { table, columns } }
        })
      )
    )

    const stored = yield* Effect.cachedWithTTL(
      Effect.gen(function* () {
        const tables = yield* warehouse.summary
        const pendingDeadLetters = yield* warehouse.pendingDeadLetters
        return Instants.inText({ at: yield* Clock.currentTimeMillis, tables, pendingDeadLetters })
      }),
      // Each count on Snowflake keeps a warehouse running, which is paid for.
      settings.sink._tag === "DuckDb" ? "3 seconds" : "1 minute"
    )
    yield* router.add(
      "GET",
      "/api/stored",
      Reply.toParameters(Schema.Struct({}), () => stored)
    )
  })
)
