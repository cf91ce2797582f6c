// The shop's API: an order or a click becomes an event, and 201 means that Kafka has acknowledged it; everything else
// is reported as a problem (RFC 9457) with its reason.
import { randomUUID } from "node:crypto"
import { STATUS_CODES } from "node:http"
import * as ByteSize from "effect/ByteSize"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as HttpRouter from "effect/http/HttpRouter"
import type { HttpServerError } from "effect/http/HttpServerError"
import * as HttpServerRequest from "effect/http/HttpServerRequest"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import * as ProblemDetails from "effect/http/ProblemDetails"
import * as Layer from "effect/Layer"
import * as Coordinates from "../../src/domain/Coordinates.ts"
import type { Admin } from "../../src/kafka/Admin.ts"
import type { KafkaError } from "../../src/kafka/KafkaError.ts"
import type { Producer } from "../../src/kafka/Producer.ts"
import type { Settings } from "../../src/settings/Settings.ts"
import * as Events from "./events.ts"
import * as Kafka from "./kafka.ts"
import * as Landed from "./landed.ts"

const maxBody = ByteSize.kibibytes(16)
const help =
  "POST /api/v1/orders/, POST /api/v1/clicks/, POST /api/v1/broken/, GET /api/v1/landed and GET /healthz are what this API knows"
/** Where a record is in Kafka: `raw.clicks.v1/0@57`. */
const recordHeader = "kafka-record"

type Response = HttpServerResponse.HttpServerResponse

const problem = (status: number, detail: string, more: Readonly<Record<string, unknown>> = {}): Response =>
  ProblemDetails.toResponse({
    type: ProblemDetails.blankType,
    title: STATUS_CODES[status] ?? "",
    status,
    detail,
    ...more
  })

const away = ({ message }: KafkaError): Response => problem(503, message)

const badRequest = ({ faults }: Events.BadRequest): Response =>
  problem(422, faults.map(({ field, message }) => (field === "" ? message : `${field}: ${message}`)).join("; "), {
    errors: faults
  })

const unreadable = ({ reason }: HttpServerError): Response =>
  reason._tag === "RequestParseError" && reason.reason === "BodyTooLarge"
    ? problem(413, `expected a body of at most ${ByteSize.toBigInt(maxBody)} bytes`)
    : problem(400, "the body could not be read")

/** The body as JSON; the failure is the answer. */
const json = Effect.fnUntraced(function* (request: HttpServerRequest.HttpServerRequest) {
  const type = request.headers["content-type"]
  if (!/^application\/json\s*(;|$)/i.test(type ?? ""))
    return yield* Effect.fail(
      problem(415, `expected Content-Type: application/json, got ${type === undefined ? "none" : JSON.stringify(type)}`)
    )
  const charset = [...(type ?? "").matchAll(/;\s*charset\s*=\s*"?([^\s;"]*)/gi)].map(([, name = ""]) => name)
  if (charset.some((name) => !/^utf-?8$/i.test(name)))
    return yield* Effect.fail(problem(415, `expected JSON in UTF-8, got the charset ${charset.join(", ")}`))
  const encoding = request.headers["content-encoding"]
  if (encoding !== undefined && !/^\s*identity\s*$/i.test(encoding))
    return yield* Effect.fail(
      HttpServerResponse.setHeader(
        problem(415, `expected a body without Content-Encoding, got ${JSON.stringify(encoding)}`),
        "accept-encoding",
        "identity"
      )
    )
  const bytes = yield* request.arrayBuffer.pipe(
    Effect.provideService(HttpServerRequest.MaxBodySize, maxBody),
    Effect.mapError(unreadable)
  )
  return yield* Effect.try({
    try: (): Events.Body => {
      const text = new TextDecoder("utf-8", { fatal: true }).decode(bytes)
      return { text, parsed: JSON.parse(text) }
    },
    catch: (error) => problem(400, `expected JSON in UTF-8: ${error instanceof Error ? error.message : String(error)}`)
  })
})

/** Reads, decodes, sends, and says 201 with the event. */
const take = (
  name: string,
  topic: string,
  make: (body: Events.Body, id: string, at: string) => Effect.Effect<Events.Event, Events.BadRequest>,
  contentType = "application/json"
) =>
  Effect.fnUntraced(function* (request: HttpServerRequest.HttpServerRequest) {
    const body = yield* json(request)
    const id = randomUUID()
    const at = new Date(yield* Clock.currentTimeMillis).toISOString()
    const event = yield* Effect.mapError(make(body, id, at), badRequest)
    const place = yield* Kafka.send(topic, event).pipe(
      Effect.tapError(({ message }) => Effect.logError(`${name} answered with 503: ${message}`)),
      Effect.mapError(away)
    )
    yield* Effect.logInfo(`${name} ${id}: ${event.about} -> ${topic}`)
    const response = HttpServerResponse.text(event.value, { status: 201, contentType })
    return place === undefined
      ? response
      : HttpServerResponse.setHeader(response, recordHeader, Coordinates.format(place))
  })

const landed = Effect.fnUntraced(function* (request: HttpServerRequest.HttpServerRequest) {
  const at = Coordinates.parse(new URL(request.url, "http://localhost").searchParams.get("at") ?? "")
  return at === undefined
    ? yield* Effect.fail(problem(422, "at: expected topic/partition@offset"))
    : HttpServerResponse.jsonUnsafe(yield* Landed.ask(at), { headers: { "cache-control": "no-store" } })
})

const methods = { GET: ["GET", "HEAD"], POST: ["POST"] } as const

/** One path with one method: any other gets 405, and a failure is the answer. */
const endpoint = <R>(
  path: `/${string}`,
  method: keyof typeof methods,
  handle: (request: HttpServerRequest.HttpServerRequest) => Effect.Effect<Response, Response, R>
) =>
  HttpRouter.use((router) =>
    Effect.flatMap(Effect.context<R>(), (context) =>
      router.add("*", path, (request) =>
        methods[method].some((allowed) => allowed === request.method)
          ? Effect.catch(Effect.provideContext(handle(request), context), Effect.succeed)
          : Effect.succeed(
              HttpServerResponse.setHeader(
                problem(405, `${path} takes ${method}, not ${request.method}`),
                "allow",
                [...methods[method], "OPTIONS"].join(", ")
              )
            )
      )
    )
  )

const nowhere = HttpRouter.add("*", "/*", (request) => Effect.succeed(problem(404, `no ${request.url}: ${help}`)))

/** The whole API, for requests of the page at these origins. */
export const layer = (
  topics: Kafka.Topics,
  origins: ReadonlyArray<string>
): Layer.Layer<never, never, HttpRouter.HttpRouter | Admin | Producer | Settings> =>
  Layer.mergeAll(
    endpoint("/api/v1/orders", "POST", take("Order", topics.orders, Events.order)),
    endpoint("/api/v1/clicks", "POST", take("Click", topics.clicks, Events.click)),
    endpoint("/api/v1/broken", "POST", take("Broken event", topics.orders, Events.broken, "text/plain")),
    endpoint("/api/v1/landed", "GET", landed),
    endpoint("/healthz", "GET", () =>
      Kafka.check(topics).pipe(Effect.mapError(away), Effect.as(HttpServerResponse.jsonUnsafe({ ok: true, topics })))
    ),
    nowhere,
    HttpRouter.cors({
      allowedOrigins: origins,
      allowedMethods: ["GET", "POST"],
      allowedHeaders: ["content-type"],
      exposedHeaders: [recordHeader],
      maxAge: 600
    })
  )
