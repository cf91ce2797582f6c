/**
 * What can be asked and done over HTTP besides looking: the dead letters and the other calls of the warehouse, for the
 * page and for commands while this process holds the DuckDB file, and a replay. Guard says who may.
 */
import * as Effect from "effect/Effect"
import * as HttpRouter from "effect/http/HttpRouter"
import * as Schema from "effect/Schema"
import { tablesOf } from "../domain/Route.ts"
import * as LettersAt from "../pipeline/LettersAt.ts"
import * as Replay from "../pipeline/Replay.ts"
import { Schemas } from "../schema/Schemas.ts"
import { withTopics } from "../settings/Discovery.ts"
import { Settings } from "../settings/Settings.ts"
import { queryLimit, Warehouse } from "../warehouse/Warehouse.ts"
import { WarehouseError } from "../warehouse/WarehouseError.ts"
import * as Place from "./Place.ts"
import * as Reply from "./Reply.ts"
import { type Call, calls } from "./WarehouseCalls.ts"

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

/** As many as one request replays. */
const most = 10_000

export const routes = HttpRouter.use(
  Effect.fnUntraced(function* (router) {
    const settings = yield* Settings
    const warehouse = yield* Warehouse
    const schemas = yield* Schemas

    /** A call of the warehouse, by its path. */
    const call = <A, B, IA, IB>(
      { answers, asks, path }: Call<A, B, IA, IB>,
      run: (asked: A) => Effect.Effect<B, WarehouseError>
    ) => {
      const encode = Schema.encodeEffect(answers)
      return router.add(
        "POST",
        path,
        Reply.toBody(asks, (asked) => Effect.flatMap(run(asked), encode))
      )
    }
    yield* call(calls.deadLetters, ({ filter }) => warehouse.deadLetters(filter))
    yield* call(calls.ledger, () => warehouse.ledger)
    yield* call(calls.coverage, () => warehouse.coverage)
    yield* call(calls.summary, () => warehouse.summary)
    yield* call(calls.query, ({ limit = queryLimit.byDefault, sql }) => warehouse.query(sql, limit))
    yield* call(calls.reset, ({ owner, positions }) => Effect.as(warehouse.reset(positions, owner), null))
    yield* call(calls.replay, ({ rows, table: name }) => {
      const { routes } = withTopics(
        settings,
        rows.map(({ topic }) => topic)
      )
      const table = tablesOf(routes).find((table) => table.name === name)
      return table === undefined
        ? Effect.fail(new WarehouseError({ reason: "denied", message: `the service writes to no table ${name}` }))
        : Effect.as(warehouse.replay(table, rows), null)
    })

    yield* router.add(
      "POST",
      "/api/replay",
      Reply.toBody(
        ReplayAsked,
        Effect.fnUntraced(
          function* (asked) {
            const letters =
              "cause" in asked
                ? LettersAt.distinct(
                    yield* warehouse.deadLetters({ cause: asked.cause, topic: asked.topic, limit: most })
                  )
                : yield* LettersAt.find([yield* Place.parse(asked.at)], { payload: false })
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
