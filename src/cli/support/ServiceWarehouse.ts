/**
 * The warehouse of a command: the one of the settings, or, while a running service holds the DuckDB file, that service,
 * which is asked over HTTP. Commands do not know the difference.
 */
import * as Effect from "effect/Effect"
import * as FetchHttpClient from "effect/http/FetchHttpClient"
import * as HttpClient from "effect/http/HttpClient"
import * as HttpClientRequest from "effect/http/HttpClientRequest"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import * as Layers from "../../app/Layers.ts"
import { hide } from "../../domain/Secrets.ts"
import { type Call, calls, Failure } from "../../http/WarehouseCalls.ts"
import { Settings } from "../../settings/Settings.ts"
import { Warehouse } from "../../warehouse/Warehouse.ts"
import { WarehouseError } from "../../warehouse/WarehouseError.ts"
import { ask, type RunningService } from "./RunningService.ts"

const unreachable = (url: string, cause: unknown): WarehouseError =>
  new WarehouseError({ reason: "unavailable", message: `the service at ${url} does not answer`, cause })

const decodeFailure = Schema.decodeUnknownEffect(Schema.fromJsonString(Failure))

/** What the service does not do for others is left as it is: it would only say that the file is held. */
const over = ({ url }: RunningService, inner: Warehouse["Service"]) =>
  Effect.gen(function* () {
    const { http } = yield* Settings
    const client = yield* HttpClient.HttpClient

    const call =
      <A, B, IA, IB>({ answers, asks, path }: Call<A, B, IA, IB>) =>
      (asked: A): Effect.Effect<B, WarehouseError> =>
        Effect.gen(function* () {
          const body = yield* Effect.orDie(Schema.encodeEffect(asks)(asked))
          const request = HttpClientRequest.post(`${url}${path}`).pipe(
            HttpClientRequest.bodyText(JSON.stringify(body), "application/json"),
            http.token === undefined ? (same) => same : HttpClientRequest.bearerToken(Redacted.value(http.token))
          )
          const { status, text } = yield* client.execute(request).pipe(
            Effect.flatMap((answer) => Effect.map(answer.text, (text) => ({ status: answer.status, text }))),
            Effect.mapError((cause) => unreachable(url, cause))
          )
          if (status === 200)
            return yield* Effect.mapError(Schema.decodeEffect(Schema.fromJsonString(answers))(text), (cause) =>
              unreachable(url, cause)
            )
          const failure = yield* Effect.orElseSucceed(
            decodeFailure(text),
            (): Failure => ({ error: text.trim() || `the service at ${url} answers ${path} with status ${status}` })
          )
          const { code, error, reason = "denied" } = failure
          return yield* new WarehouseError({ reason, message: error, ...(code !== undefined && { code }) })
        })

    const replay = call(calls.replay)
    const reset = call(calls.reset)
    const deadLetters = call(calls.deadLetters)
    const query = call(calls.query)
    return Warehouse.of({
      ...inner,
      deadLetters: (filter) => deadLetters({ filter }),
      replay: (table, rows) => Effect.asVoid(replay({ table: table.name, rows })),
      reset: (positions, owner) => Effect.asVoid(reset({ positions, owner })),
      ledger: call(calls.ledger)({}),
      coverage: call(calls.coverage)({}),
      summary: call(calls.summary)({}),
      query: (sql, limit) => query({ sql, limit })
    })
  })

/** The service that holds this DuckDB file, and answers in its place; a service of the same group may write to another. */
export const holding = Effect.fnUntraced(function* (target: string) {
  const { sink } = yield* Settings
  const running = sink._tag === "DuckDb" ? yield* ask : undefined
  return running?.writes === hide(target) ? running : undefined
})

export const layer: Layer.Layer<Warehouse, never, Settings> = Layer.effect(
  Warehouse,
  Effect.gen(function* () {
    const inner = yield* Warehouse
    const running = yield* holding(inner.target)
    return running === undefined ? inner : yield* over(running, inner)
  })
).pipe(Layer.provide(Layers.warehouse), Layer.provide(FetchHttpClient.layer))
