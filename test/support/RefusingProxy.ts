/**
 * Stands between the driver and the Snowflake emulator and refuses what it is told to, in Snowflake's own words: for
 * grants, roles and resource monitors, which no emulator has.
 */
import { createServer, type IncomingMessage } from "node:http"
import type { AddressInfo } from "node:net"
import { gunzipSync } from "node:zlib"

export interface Refusal {
  /** Of the statements that are refused; `login` for the login itself. */
  readonly what: RegExp | "login"
  readonly code: string
  readonly sqlState: string
  readonly message: string
}

export interface RefusingProxy {
  readonly url: string
  /** From now on, in place of what was refused before. */
  readonly refuse: (...refusals: ReadonlyArray<Refusal>) => void
  readonly close: () => Promise<void>
}

/** `Insufficient privileges`, as a role without the grant gets it. */
export const withoutGrant = (table: string, what: RegExp): Refusal => ({
  what,
  code: "003001",
  sqlState: "42501",
  message: `SQL access control error:\nInsufficient privileges to operate on table '${table}'`
})

export const start = async (target: string): Promise<RefusingProxy> => {
  let refusals: ReadonlyArray<Refusal> = []
  const server = createServer(async (req, res) => {
    const chunks: Array<Buffer> = []
    for await (const chunk of req) chunks.push(chunk)
    const body = Buffer.concat(chunks)
    const refusal = refusals.find(({ what }) => isMeant(what, req, body))
    if (refusal !== undefined) {
      const { code, message, sqlState } = refusal
      const answer = { success: false, code, message, data: { errorCode: code, sqlState } }
      res.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify(answer))
      return
    }
    const { connection: _, host: __, "content-length": ___, "transfer-encoding": ____, ...headers } = req.headers
    const answer = await fetch(`${target}${req.url}`, {
      method: req.method ?? "GET",
      headers: Object.entries(headers).map(([name, value]): [string, string] => [name, String(value)]),
      ...(body.length > 0 && { body })
    })
    const type = answer.headers.get("content-type") ?? "application/json"
    res.writeHead(answer.status, { "content-type": type }).end(Buffer.from(await answer.arrayBuffer()))
  })
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    refuse: (...next) => {
      refusals = next
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      })
  }
}

const isMeant = (what: Refusal["what"], req: IncomingMessage, body: Buffer): boolean => {
  const path = req.url ?? ""
  if (what === "login") return path.startsWith("/session/v1/login-request")
  if (!path.startsWith("/queries/v1/query-request")) return false
  const text = (req.headers["content-encoding"] === "gzip" ? gunzipSync(body) : body).toString("utf8")
  const parsed: unknown = JSON.parse(text)
  const sql: unknown = typeof parsed === "object" && parsed !== null ? Reflect.get(parsed, "sqlText") : undefined
  return typeof sql === "string" && what.test(sql)
}
