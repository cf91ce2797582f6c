/** A token endpoint on loopback, as an identity provider has one: what it answers is up to the test. */
import { createServer } from "node:http"
import type { AddressInfo } from "node:net"

export interface Answer {
  readonly status?: number
  readonly body: unknown
}

export interface TokenServer {
  readonly url: string
  /** The forms that were posted, with the login of each. */
  readonly requests: Array<{ readonly login: string; readonly form: Readonly<Record<string, string>> }>
  /** From now on. */
  readonly reply: (answer: () => Answer) => void
  /** Nobody listens, until `open`. */
  readonly close: () => Promise<void>
  readonly open: () => Promise<void>
}

export const start = async (): Promise<TokenServer> => {
  let answer: () => Answer = () => ({ status: 500, body: {} })
  const requests: TokenServer["requests"] = []
  const server = createServer(async (request, response) => {
    const chunks: Array<Buffer> = []
    for await (const chunk of request) chunks.push(chunk)
    const [, login = ""] = (request.headers.authorization ?? "").split(" ")
    const form = new URLSearchParams(Buffer.concat(chunks).toString())
    requests.push({ login: Buffer.from(login, "base64").toString(), form: Object.fromEntries(form) })
    const { body, status = 200 } = answer()
    response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body))
  })
  const listen = (port: number) =>
    new Promise<void>((resolve) => {
      if (server.listening) resolve()
      else server.listen(port, "127.0.0.1", resolve)
    })
  await listen(0)
  const { port } = server.address() as AddressInfo
  return {
    url: `http://127.0.0.1:${port}/token`,
    requests,
    reply: (next) => {
      answer = next
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
    open: () => listen(port)
  }
}
