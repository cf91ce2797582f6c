/** Health, metrics, the live page and the API over HTTP; its failures do not stop the service. */
import { createServer } from "node:http"
import * as NodeHttpServer from "@effect/platform-node/NodeHttpServer"
import * as Effect from "effect/Effect"
import * as HttpRouter from "effect/http/HttpRouter"
import * as HttpServerRequest from "effect/http/HttpServerRequest"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import * as Layer from "effect/Layer"
import * as Schedule from "effect/Schedule"
import * as Stream from "effect/Stream"
import * as Instants from "../domain/Instants.ts"
import * as Secrets from "../domain/Secrets.ts"
import type { Verdict } from "../observe/Health.ts"
import { Progress } from "../observe/Progress.ts"
import { Settings } from "../settings/Settings.ts"
import * as Api from "./Api.ts"
import * as DeadLetters from "./DeadLetters.ts"
import * as Guard from "./Guard.ts"
import * as PageFiles from "./PageFiles.ts"
import * as PrometheusText from "./PrometheusText.ts"
import * as Rows from "./Rows.ts"
import * as Sampler from "./Sampler.ts"
import type { Snapshot } from "./Snapshot.ts"
import * as Topics from "./Topics.ts"

const routes = HttpRouter.use(
  Effect.fnUntraced(function* (router) {
    const progress = yield* Progress
    const sampler = yield* Sampler.make
    const scrape = PrometheusText.make(progress.registry)
    const probe = (of: (snapshot: Snapshot) => Verdict) =>
      Effect.sync(() => {
        const { ok, reasons } = of(sampler.look())
        return HttpServerResponse.text(toJson({ ok, reasons }), {
          status: ok ? 200 : 503,
          contentType: "application/json"
        })
      })
    yield* router.add(
      "GET",
      "/livez",
      probe(({ live }) => live)
    )
    yield* router.add(
      "GET",
      "/readyz",
      probe(({ ready }) => ready)
    )
    yield* router.add(
      "GET",
      "/metrics",
      Effect.sync(() => HttpServerResponse.text(scrape(sampler.look()), { contentType: PrometheusText.contentType }))
    )
    yield* router.add(
      "GET",
      "/api/snapshot",
      Effect.sync(() =>
        HttpServerResponse.text(toJson(Instants.inText(sampler.look())), { contentType: "application/json" })
      )
    )
    yield* router.add(
      "GET",
      "/api/events",
      Effect.sync(() =>
        HttpServerResponse.stream(
          Stream.suspend(() => Stream.make(event("hello", sampler.hello()), event("snapshot", sampler.look()))).pipe(
            Stream.concat(Stream.map(Stream.fromPubSub(sampler.changes), (snapshot) => event("snapshot", snapshot))),
            Stream.encodeText
          ),
          { contentType: "text/event-stream" }
        )
      )
    )
    for (const { content, contentType, gzip, path } of PageFiles.read())
      yield* router.add(
        "GET",
        path,
        Effect.map(HttpServerRequest.HttpServerRequest, ({ headers: { "accept-encoding": accepted } }) =>
          /\bgzip\b/.test(accepted ?? "")
            ? HttpServerResponse.uint8Array(gzip, {
                contentType,
                headers: { "content-encoding": "gzip", vary: "accept-encoding" }
              })
            : HttpServerResponse.uint8Array(content, { contentType, headers: { vary: "accept-encoding" } })
        )
      )
    // So that the guard sees what is not there, too; HEAD is what GET is.
    for (const method of ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"] as const)
      yield* router.add(method, "/*", HttpServerResponse.empty({ status: 404 }))
  })
)

/** Payloads are shown as they are, once HTTP_SHOW_EVENTS asks for them. */
const toJson = (data: unknown): string => Secrets.json(data, ["event"])

/** One server-sent event. */
const event = (name: string, data: unknown): string => `event: ${name}\ndata: ${toJson(data)}\n\n`

const server = Layer.unwrap(
  Effect.map(Settings, ({ http: { host, port } }) =>
    HttpRouter.serve(Layer.mergeAll(routes, Api.routes, DeadLetters.routes, Rows.routes, Topics.routes, Guard.layer), {
      disableLogger: true,
      disableListenLog: true
    }).pipe(
      // A viewer who stays connected does not hold up the end.
      Layer.provide(NodeHttpServer.layer(createServer, { host, port, gracefulShutdownTimeout: "100 millis" }))
    )
  )
)

/** How often a port that is taken is tried again: whoever has it may end. */
const interval = "10 seconds"

/**
 * Listens until it is interrupted. A port that is taken (a second member on this machine) costs the page, not the
 * service.
 */
export const run = Effect.gen(function* () {
  const { http } = yield* Settings
  const where = `http://${http.host}:${http.port}`
  let isTold = false
  const listen = Effect.logInfo(`Live page, health and metrics: ${where}`).pipe(
    Layer.effectDiscard,
    Layer.provideMerge(server),
    Layer.launch,
    Effect.tapErrorTag("ServeError", ({ cause }) => {
      if (isTold) return Effect.void
      isTold = true
      const said = cause instanceof Error ? cause.message : String(cause)
      return Effect.logWarning(
        `Cannot listen on ${where} (${said}): running without live page, health and metrics until it can; set HTTP_PORT to another port, or to 0`
      )
    })
  )
  return yield* Effect.retry(listen, Schedule.spaced(interval))
})
