/**
 * What can be asked and done over HTTP besides looking: the dead letters and the other calls of the warehouse, for the
 * page and for commands while this process holds the DuckDB file, and a replay. Guard says who may.
 */
import * as ByteSize from "effect/ByteSize"
import * as Effect from "effect/Effect"
import * as HttpIncomingMessage from "effect/http/HttpIncomingMessage"
import * as HttpRouter from "effect/http/HttpRouter"
import * as HttpServerRequest from "effect/http/HttpServerRequest"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import * as Schema from "effect/Schema"
import * as Coordinates from "../domain/Coordinates.ts"
import { tablesOf } from "../domain/Route.ts"
import { hide } from "../domain/Secrets.ts"
import * as Replay from "../pipeline/Replay.ts"
import { Schemas } from "../schema/Schemas.ts"
import { Settings } from "../settings/Settings.ts"
import { Warehouse } from "../warehouse/Warehouse.ts"
import { WarehouseError } from "../warehouse/WarehouseError.ts"
import { calls, type Failure } from "./WarehouseCalls.ts"

/** The largest event that is replayed, in base64, and what stands around it. */
const maxBody = ByteSize.mebibytes(32)

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

const json = (body: unknown, status = 200) =>
  HttpServerResponse.text(JSON.stringify(body), {
    status,
    contentType: "application/json",
    headers: { "cache-control": "no-store", "x-content-type-options": "nosniff" }
  })

const failed = (error: unknown) => {
  const isFault = error instanceof WarehouseError
  const body: Failure = {
    error: hide(error instanceof Error ? error.message : String(error)),
    ...(isFault && { reason: error.reason }),
    ...(isFault && error.code !== undefined && { code: error.code })
  }
  return json(body, isFault ? (error.reason === "unavailable" ? 503 : 422) : 400)
}

/** A request whose body is JSON of this shape, and its answer as JSON; whatever fails says why. */
const answer = <A, B, I, R>(asks: Schema.Codec<A, I>, run: (asked: A) => Effect.Effect<B, unknown, R>) =>
  HttpServerRequest.schemaBodyJson(asks).pipe(
    Effect.flatMap(run),
    Effect.map((found) => json(found)),
    Effect.catch((error) => Effect.succeed(failed(error))),
    Effect.provideService(HttpIncomingMessage.MaxBodySize, maxBody)
  )

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
        answer(asks, (asked) => Effect.flatMap(run(asked), encode))
      )
    }
    yield* call("deadLetters", calls.deadLetters, ({ filter }) => warehouse.deadLetters(filter))
    yield* call("ledger", calls.ledger, () => warehouse.ledger)
    yield* call("coverage", calls.coverage, () => warehouse.coverage)
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
      "/api/replay",
      answer(
        ReplayAsked,
        Effect.fnUntraced(
          function* (asked) {
            const at = "at" in asked ? Coordinates.parse(asked.at) : undefined
            if ("at" in asked && at === undefined) return yield* Effect.fail("`at` is topic/partition@offset")
            const filter =
              "cause" in asked
                ? { cause: asked.cause, topic: asked.topic }
                : { at: at === undefined ? [] : [at], replayed: true }
            const letters = Replay.distinct(yield* warehouse.deadLetters({ ...filter, limit: most }))
            if (letters.length === 0) return yield* Effect.fail("there is no such dead letter")
            const payload = "payload" in asked && asked.payload !== undefined ? Buffer.from(asked.payload) : undefined
            const verdicts: Array<Replay.Verdict> = []
            yield* Replay.replay(letters, { dryRun: asked.dryRun === true, payload }, (verdict) =>
              Effect.sync(() => void verdicts.push(verdict))
            )
            const count = (result: Replay.Verdict["result"]) => verdicts.filter((one) => one.result === result).length
            return {
              ...{ replayed: count("replayed"), before: count("before") },
              ...{ would: count("would"), failed: count("failed") },
              letters: verdicts
            }
          },
          Effect.provideService(Settings, settings),
          Effect.provideService(Warehouse, warehouse),
          Effect.provideService(Schemas, schemas)
        )
      )
    )
  })
)
