// An HTTP server on 127.0.0.1 that stops in the orderly way: requests under way are answered first, and no idle connection holds it up.
import { createServer, type Server } from "node:http"
import type { Socket } from "node:net"
import * as NodeHttpServer from "@effect/platform-node/NodeHttpServer"
import * as Effect from "effect/Effect"
import * as HttpRouter from "effect/http/HttpRouter"
import * as HttpServer from "effect/http/HttpServer"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"

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

/** A browser opens connections ahead of time; Node takes one without a request for a busy one, and would wait a minute for it. */
const closeUnused = (server: Server) => {
  const unused = new Set<Socket>()
  server.on("connection", (socket) => {
    unused.add(socket)
    socket.once("close", () => unused.delete(socket))
  })
  server.on("request", ({ socket }) => unused.delete(socket))
  return Layer.effectDiscard(
    Effect.addFinalizer(() =>
      Effect.sync(() => {
        for (const socket of unused) socket.destroy()
      })
    )
  )
}

const options = { routerConfig: { ignoreTrailingSlash: true }, disableLogger: true, disableListenLog: true }

/** `variable` is the setting that names another port. */
export const serve = <A, E, R>(app: Layer.Layer<A, E, R>, port: number, variable: string) => {
  const server = createServer()
  return closeUnused(server).pipe(
    Layer.provide(HttpRouter.serve(app, options)),
    Layer.provide([listen(server, port, variable), NodeHttpServer.layerHttpServices])
  )
}
