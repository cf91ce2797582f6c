/** A registry of a few lines over real HTTP, for what a real one cannot be made to do on demand. */
import { createServer as createHttp, type IncomingMessage, type RequestListener } from "node:http"
import { createServer as createHttps, type ServerOptions } from "node:https"
import type { AddressInfo } from "node:net"
import * as Effect from "effect/Effect"

export interface Answer {
  readonly status?: number
  readonly body: unknown
}

/** Answers by path, and remembers what was asked. */
export const serve = Effect.fnUntraced(function* (
  answer: (path: string, request: IncomingMessage) => Answer,
  tls?: ServerOptions
) {
  const asked: Array<string> = []
  const listener: RequestListener = (request, response) => {
    const path = request.url ?? ""
    asked.push(path)
    const { body, status = 200 } = answer(path, request)
    response.writeHead(status, { "content-type": "application/json" })
    response.end(typeof body === "string" ? body : JSON.stringify(body))
  }
  const server = tls === undefined ? createHttp(listener) : createHttps(tls, listener)
  const port = yield* Effect.acquireRelease(
    Effect.callback<number>((resume) => {
      server.listen(0, "127.0.0.1", () => {
        const address: AddressInfo | string | null = server.address()
        resume(Effect.succeed(typeof address === "object" && address !== null ? address.port : 0))
      })
    }),
    () =>
      Effect.sync(() => {
        server.closeAllConnections()
        server.close()
      })
  )
  return { url: `${tls === undefined ? "http" : "https"}://localhost:${port}`, asked }
})
