// An HTTP server on 127.0.0.1 that stops in the orderly way: requests under way are answered first, and no idle
// connection holds it up.
import { createServer, type IncomingMessage, type Server } from "node:http"
import type { Socket } from "node:net"
import * as NodeHttpServer from "@effect/platform-node/NodeHttpServer"
import * as Effect from "effect/Effect"
import * as HttpRouter from "effect/http/HttpRouter"
import * as HttpServer from "effect/http/HttpServer"
import * as HttpServerRequest from "effect/http/HttpServerRequest"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import * as Hosts from "../../src/domain/Hosts.ts"

export class CannotListen extends Schema.TaggedError<CannotListen>()("CannotListen", { message: Schema.String }) {}

const reasonOf = (cause: unknown): string => {
  const code: unknown = cause instanceof Error ? Reflect.get(cause, "code") : undefined
  if (code === "EADDRINUSE") return "is in use by another program"
  if (code === "EACCES") return "may not be used by this user"
  return `cannot be used: ${cause instanceof Error ? cause.message : String(cause)}`
}

/** Longer than a request may take that waits for Kafka. */
const grace = "12 seconds"

const listen = (server: Server, port: number, variable: string) =>
  NodeHttpServer.layerServer(() => server, { host: "127.0.0.1", port, gracefulShutdownTimeout: grace }).pipe(
    Layer.catchTag("ServeError", ({ cause }) =>
      Layer.effect(
        HttpServer.HttpServer,
        new CannotListen({
          message: `Port ${port} ${reasonOf(cause)}. Choose another one: ${variable}=${port + 1} npm run shop`
        })
      )
    )
  )

/** How long the rest of a request that is under way may take once the server stops, in milliseconds. */
const patience = 2000

/**
 * What is not answered at the end: a browser opens connections ahead of time, and Node takes one without a request for
 * a busy one, which it would wait a minute for; and a request whose body does not come is no request.
 */
const closeUnused = (server: Server) => {
  const requests = new Map<Socket, IncomingMessage | "none yet" | "answered">()
  server.on("connection", (socket) => {
    requests.set(socket, "none yet")
    socket.once("close", () => requests.delete(socket))
  })
  server.on("request", (request, response) => {
    const { socket } = request
    requests.set(socket, request)
    response.once("close", () => {
      if (requests.get(socket) === request) requests.set(socket, "answered")
    })
  })
  return Layer.effectDiscard(
    Effect.addFinalizer(() =>
      Effect.sync(() => {
        for (const [socket, request] of requests) if (request === "none yet") socket.destroy()
        setTimeout(() => {
          for (const [socket, request] of requests)
            if (typeof request === "string" || !request.complete) socket.destroy()
        }, patience).unref()
      })
    )
  )
}

/** A name that somebody points at this machine reads and orders nothing here. */
const localNamesOnly = HttpRouter.middleware(
  (app) =>
    Effect.flatMap(HttpServerRequest.HttpServerRequest, ({ headers }) =>
      Hosts.isLocalName(headers["host"]) ? app : Effect.succeed(HttpServerResponse.text(Hosts.refusal, { status: 421 }))
    ),
  { global: true }
)

const options = { routerConfig: { ignoreTrailingSlash: true }, disableLogger: true, disableListenLog: true }

/** `variable` is the setting that names another port. */
export const serve = <A, E, R>(app: Layer.Layer<A, E, R>, port: number, variable: string) => {
  const server = createServer()
  return closeUnused(server).pipe(
    Layer.provide(HttpRouter.serve(Layer.merge(app, localNamesOnly), options)),
    Layer.provide([listen(server, port, variable), NodeHttpServer.layerHttpServices])
  )
}
