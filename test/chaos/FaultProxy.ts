/**
 * Stands between the service and the Snowflake emulator: lets everything through, except where a fault is armed; counts
 * what it did.
 */
import { createServer, type IncomingMessage, request, type Server, type ServerResponse } from "node:http"
import type { AddressInfo } from "node:net"
import { gunzipSync } from "node:zlib"

/** What a statement, or a call of the streaming API, is for the service: a step of its protocol. */
export const steps = [
  "login",
  "begin",
  "insert",
  "dead_letters",
  "lock",
  "ledger",
  "commit",
  "claim",
  "select",
  "open",
  "append",
  "append_letters",
  "tokens"
] as const
export type Step = (typeof steps)[number] | "other"

export const faults = [
  "429",
  "503",
  "reset",
  "half_open",
  "slow",
  "expired",
  "gone",
  "lock_limit",
  "lock_timeout",
  "413",
  "lost_reply"
] as const

/** What the streaming API is known to answer besides. */
export const streamingFaults = [
  "429",
  "503",
  "503_bare",
  "reset",
  "half_open",
  "slow",
  "401",
  "403",
  "404_route",
  "404_channel",
  "409",
  "410",
  "413",
  "stale",
  "discarded",
  "lost_reply"
] as const
export type Fault = (typeof faults)[number] | (typeof streamingFaults)[number]

export interface FaultProxy {
  readonly port: number
  /** The next statement of this step meets the fault. */
  readonly arm: (fault: Fault, step: Step) => void
  /**
   * Runs `act` once, when the next statement of this step arrives (`before`) or has been done by the server (`after`),
   * and waits for it.
   */
  readonly at: (step: Step, phase: "before" | "after", act: () => Promise<void> | void) => void
  /** How often each fault happened, by `fault at step`. */
  readonly fired: ReadonlyMap<string, number>
  /** How many statements of each step have come by. */
  readonly seen: ReadonlyMap<Step, number>
  /** Faults and acts that wait for their statement. */
  readonly armed: () => number
  readonly disarm: () => void
  readonly close: () => Promise<void>
}

interface Answer {
  readonly status: number
  readonly headers: Record<string, string | ReadonlyArray<string>>
  readonly body: Buffer
}

const stepOf = (sql: string): Step => {
  const text = sql.trimStart().toUpperCase()
  if (text.startsWith("BEGIN")) return "begin"
  if (text.startsWith("COMMIT")) return "commit"
  if (text.startsWith("INSERT")) return /INTO\s+\S*DEAD_LETTERS/.test(text) ? "dead_letters" : "insert"
  if (/^UPDATE\s+\S+\s+SET\s+UPDATED_AT/.test(text)) return "lock"
  if (text.startsWith("UPDATE")) return "ledger"
  if (text.startsWith("MERGE")) return "claim"
  return text.startsWith("SELECT") ? "select" : "other"
}

const refusal = (code: string, message: string, sqlState = "08001") =>
  ({ status: 200, body: { data: { errorCode: code, sqlState }, code, message, success: false } }) as const

/** As the streaming API refuses. */
const coded = (status: number, code: string) => ({ status, body: { code, message: "injected" } })

const refusals = {
  "401": coded(401, "390318"),
  "403": coded(403, "390420"),
  "404_channel": coded(404, "ERR_CHANNEL_DOES_NOT_EXIST_OR_IS_NOT_AUTHORIZED"),
  "409": coded(409, "ERR_CHANNEL_MUST_BE_REOPENED"),
  "410": coded(410, "GONE"),
  stale: coded(400, "STALE_CONTINUATION_TOKEN_SEQUENCER"),
  "503_bare": { status: 503, body: "ERR_GENERAL_EXCEPTION_RETRY_REQUEST" },
  "404_route": { status: 404, body: "No Route", type: "text/plain" },
  "429": { status: 429, body: {} },
  "503": { status: 503, body: {} },
  expired: refusal("390112", "Authentication token has expired. The user must authenticate again."),
  gone: refusal("390111", "Session no longer exists. New login required to access the service."),
  "413": { status: 413, body: {} },
  lock_limit: refusal(
    "000625",
    "Statement '01b' has locked table 'CONSUMER_OFFSETS' in transaction 1 and this lock has not yet been released. Your statement '01c' was aborted because the number of waiters for this lock exceeds the 20 statements limit.",
    "57014"
  ),
  lock_timeout: refusal(
    "000627",
    "Statement '01b' has locked table 'CONSUMER_OFFSETS' in transaction 1 and this lock has not yet been released. Your statement '01c' was aborted because waiting for this lock is limited to 60 s.",
    "57014"
  )
} as const

/** Starts the proxy on a free port. */
export const start = async (options: { readonly targetPort: number }): Promise<FaultProxy> => {
  const armed: Array<{ readonly fault: Fault; readonly step: Step }> = []
  const acts: Array<{
    readonly step: Step
    readonly phase: "before" | "after"
    readonly act: () => Promise<void> | void
  }> = []
  const fired = new Map<string, number>()
  const seen = new Map<Step, number>()
  const takeAct = async (step: Step, phase: "before" | "after"): Promise<void> => {
    const index = acts.findIndex((entry) => entry.step === step && entry.phase === phase)
    const [entry] = index < 0 ? [] : acts.splice(index, 1)
    if (entry !== undefined) await entry.act()
  }

  const forward = (req: IncomingMessage, body: Buffer): Promise<Answer> =>
    new Promise((resolve, reject) => {
      const { connection: _, host: __, "transfer-encoding": ___, ...headers } = req.headers
      const upstream = request(
        {
          host: "127.0.0.1",
          port: options.targetPort,
          method: req.method,
          path: req.url,
          // The streaming API is told where it was asked, and gives that as the host of its data.
          headers: { ...headers, host: `127.0.0.1:${portOf(server)}`, "content-length": body.length }
        },
        (res) => {
          const chunks: Array<Buffer> = []
          res.on("data", (chunk: Buffer) => chunks.push(chunk))
          res.on("end", () =>
            resolve({ status: res.statusCode ?? 502, headers: plain(res), body: Buffer.concat(chunks) })
          )
        }
      )
      upstream.on("error", reject)
      upstream.end(body)
    })

  const handle = async (req: IncomingMessage, res: ServerResponse, body: Buffer): Promise<void> => {
    const step = stepOfRequest(req, body)
    seen.set(step, (seen.get(step) ?? 0) + 1)
    await takeAct(step, "before")
    const index = armed.findIndex((entry) => entry.step === step)
    const [entry] = index < 0 ? [] : armed.splice(index, 1)
    const fault = entry?.fault
    if (fault !== undefined) fired.set(`${fault} at ${step}`, (fired.get(`${fault} at ${step}`) ?? 0) + 1)
    if (fault === "reset") return void req.socket.destroy()
    if (fault === "half_open") return
    if (fault === "discarded") {
      // The API takes the rows and will never have them.
      const given = new URL(req.url ?? "", "http://localhost").searchParams.get("continuationToken") ?? ""
      const next = given.replace(/\d+$/, (row) => String(Number(row) + 1))
      const answer = { status_code: 0, message: "Success", next_continuation_token: next }
      return void res.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify(answer))
    }
    if (fault !== undefined && fault !== "slow" && fault !== "lost_reply") {
      const refusal: { readonly status: number; readonly body: unknown; readonly type?: string } = refusals[fault]
      const type = refusal.type ?? "application/json"
      const text = type === "text/plain" ? String(refusal.body) : JSON.stringify(refusal.body)
      return void res.writeHead(refusal.status, { "content-type": type }).end(text)
    }
    if (fault === "slow") await new Promise((resolve) => setTimeout(resolve, 3000))
    const answer = await forward(req, body)
    await takeAct(step, "after")
    if (fault === "lost_reply") return void req.socket.destroy()
    if (!res.destroyed) res.writeHead(answer.status, answer.headers as Record<string, string>).end(answer.body)
  }

  const server = createServer((req, res) => {
    const chunks: Array<Buffer> = []
    req.on("data", (chunk: Buffer) => chunks.push(chunk))
    req.on("end", () => {
      handle(req, res, Buffer.concat(chunks)).catch(() => req.socket.destroy())
    })
  })
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve))

  return {
    port: portOf(server),
    arm: (fault, step) => void armed.push({ fault, step }),
    at: (step, phase, act) => void acts.push({ step, phase, act }),
    fired,
    seen,
    armed: () => armed.length + acts.length,
    disarm: () => {
      armed.length = 0
      acts.length = 0
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      })
  }
}

const portOf = (server: Server): number => (server.address() as AddressInfo).port

const streamingStep = (method: string, path: string): Step => {
  if (path.includes("/rows?")) return path.includes("/DEAD_LETTERS-STREAMING/") ? "append_letters" : "append"
  if (path.includes(":bulk-channel-status")) return "tokens"
  return method === "PUT" ? "open" : "other"
}

const stepOfRequest = (req: IncomingMessage, body: Buffer): Step => {
  const path = req.url ?? ""
  if (path.startsWith("/oauth/token")) return "login"
  if (path.startsWith("/v2/streaming/")) return streamingStep(req.method ?? "", path)
  if (path.startsWith("/session/v1/login-request")) return "login"
  if (!path.startsWith("/queries/v1/query-request")) return "other"
  const text = (req.headers["content-encoding"] === "gzip" ? gunzipSync(body) : body).toString("utf8")
  const parsed: unknown = JSON.parse(text)
  if (typeof parsed !== "object" || parsed === null) return "other"
  // The start-up check sends the same statements with nothing in them.
  if (text.includes('"value":"[]"')) return "other"
  const sql: unknown = Reflect.get(parsed, "sqlText")
  return typeof sql === "string" ? stepOf(sql) : "other"
}

const plain = (res: IncomingMessage): Record<string, string | ReadonlyArray<string>> => {
  const { "content-length": _, connection: __, "transfer-encoding": ___, ...headers } = res.headers
  return Object.fromEntries(
    Object.entries(headers).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]]))
  )
}
