/**
 * What can be asked and done over HTTP besides looking: the dead letters and the other calls of the warehouse, for the
 * page and for commands while this process holds the DuckDB file, and a replay. Guard says who may.
 */
import * as Effect from "effect/Effect"
import * as HttpRouter from "effect/http/HttpRouter"
import * as Schema from "effect/Schema"
import { tablesOf } from "../domain/Route.ts"
import * as Replay from "../pipeline/Replay.ts"
import { Schemas } from "../schema/Schemas.ts"
import { Settings } from "../settings/Settings.ts"
import { Warehouse } from "../warehouse/Warehouse.ts"
import { WarehouseError } from "../warehouse/WarehouseError.ts"
import * as Place from "./Place.ts"
import * as Reply from "./Reply.ts"
import { calls } from "./WarehouseCalls.ts"

const ReplayAsked = Schema.Union([
  Schema.Struct({
    at: Schema.String,
    payload: Schema.optionalKey(Schema.String),
    dryRun: Schema.optionalKey(Schema.Boolean)
  }),
  Schema.Struct({
    cause: Schema.String,
    topic: Schema.optionalKey(Schema.String),
    dryRun: Schema.optionalKey(Schema.Boolean)
  })
])

const Query = Schema.Struct({
  sql: Schema.String,
  limit: Schema.optionalKey(Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 10_000 })))
})

/** As many as one request replays. */
const most = 10_000

export const routes = HttpRouter.use(
  Effect.fnUntraced(function* (router) {
    const settings = yield* Settings
    const warehouse = yield* Warehouse
    const schemas = yield* Schemas
    const tables = new Map(tablesOf(settings.routes).map((table) => [table.name, table]))

    /** A call of the warehouse, by its name. */
    const call = <A, B, IA, IB>(
      name: string,
      { answers, asks }: { readonly asks: Schema.Codec<A, IA>; readonly answers: Schema.Codec<B, IB> },
      run: (asked: A) => Effect.Effect<B, WarehouseError>
    ) => {
      const encode = Schema.encodeEffect(answers)
      return router.add(
        "POST",
        `/api/warehouse/${name}`,
        Reply.toBody(asks, (asked) => Effect.flatMap(run(asked), encode))
      )
    }
    yield* call("deadLetters", calls.deadLetters, ({ filter }) => warehouse.deadLetters(filter))
    yield* call("ledger", calls.ledger, () => warehouse.ledger)
    yield* call("coverage", calls.coverage, () => warehouse.coverage)
    yield* call("summary", calls.summary, () => warehouse.summary)
    yield* call("query", calls.query, ({ limit, sql }) => warehouse.query(sql, limit))
    yield* call("reset", calls.reset, ({ owner, positions }) => Effect.as(warehouse.reset(positions, owner), null))
    yield* call("replay", calls.replay, ({ rows, table: name }) => {
      const table = tables.get(name)
      return table === undefined
        ? Effect.fail(new WarehouseError({ reason: "denied", message: `the service writes to no table ${name}` }))
        : Effect.as(warehouse.replay(table, rows), null)
    })

    yield* router.add(
      "POST",
      "/api/query",
      Reply.toBody(Query, ({ limit = 1000, sql }) => warehouse.query(sql, limit))
    )
    yield* router.add(
      "POST",
      "/api/replay",
      Reply.toBody(
        ReplayAsked,
        Effect.fnUntraced(
          function* (asked) {
            const filter =
              "cause" in asked
                ? { cause: asked.cause, topic: asked.topic }
                : { at: [yield* Place.parse(asked.at)], replayed: true }
            const letters = Replay.distinct(yield* warehouse.deadLetters({ ...filter, limit: most }))
            if (letters.length === 0 && "at" in asked)
              return yield* new Reply.NotFound({ message: "there is no such dead letter" })
            const payload = "payload" in asked && asked.payload !== undefined ? Buffer.from(asked.payload) : undefined
            const verdicts: Array<Replay.Verdict> = []
            yield* Replay.replay(letters, { dryRun: asked.dryRun === true, payload }, (verdict) =>
              Effect.sync(() => void verdicts.push(verdict))
            )
            return { ...Replay.countsOf(verdicts), letters: verdicts }
          },
          Effect.provideService(Settings, settings),
          Effect.provideService(Warehouse, warehouse),
          Effect.provideService(Schemas, schemas)
        )
      )
    )
  })
)
