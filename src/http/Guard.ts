/** Access control for every path: Host header, method and token, checked first. */
import { createHash, timingSafeEqual } from "node:crypto"
import * as Effect from "effect/Effect"
import type * as Headers from "effect/http/Headers"
import * as HttpRouter from "effect/http/HttpRouter"
import * as HttpServerRequest from "effect/http/HttpServerRequest"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import * as Redacted from "effect/Redacted"
import * as Hosts from "../domain/Hosts.ts"
import { Settings } from "../settings/Settings.ts"
import * as SafeHeaders from "./SafeHeaders.ts"

/** Probes carry no token, and learn no more than whether the service is well. */
const open = ["/livez", "/readyz"]
const methods = ["GET", "HEAD"]

/** What changes something, or answers what it is asked for. */
const isAction = (path: string): boolean =>
  ["/api/replay", "/api/query"].includes(path) || /^\/api\/(warehouse|topics)\//.test(path)

/** What shows the data of events. */
const isData = (path: string): boolean => ["/api/dead-letters", "/api/dead-letter", "/api/row"].includes(path)

const digest = (text: string): Buffer => createHash("sha256").update(text).digest()

/** In a time that does not tell how much of it is right. */
const isSame = (given: string, token: string): boolean => timingSafeEqual(digest(given), digest(token))

/** What a client gives as its token: a bearer's, or the password that a browser asks for. */
const tokenOf = (authorization: string): string | undefined => {
  const [, scheme = "", credentials = ""] = /^(\S+)\s+(\S+)\s*$/.exec(authorization) ?? []
  if (/^bearer$/i.test(scheme)) return credentials
  if (!/^basic$/i.test(scheme)) return undefined
  return /^[^:]*:([\s\S]*)$/.exec(Buffer.from(credentials, "base64").toString("utf8"))?.[1]
}

interface Request {
  readonly method: string
  readonly url: string
  readonly headers: Headers.Headers
}

const refuse = (status: number, text: string, headers: Readonly<Record<string, string>> = {}) =>
  HttpServerResponse.text(text, { status, headers })

/** Programs send no Origin; browsers send that of the page. */
const isOwnOrigin = (headers: Headers.Headers): boolean => {
  const origin = headers["origin"]
  return origin === undefined || origin.replace(/^https?:\/\//, "").toLowerCase() === headers["host"]?.toLowerCase()
}

/** The refusal, of who asks before what is asked; undefined when the request may pass. */
export const check = (
  { headers, method, url }: Request,
  { host, token }: Pick<Settings["Service"]["http"], "host" | "token">
): HttpServerResponse.HttpServerResponse | undefined => {
  if (Hosts.isLoopback(host) && !Hosts.isLocalName(headers["host"])) return refuse(421, Hosts.refusal)
  const [path = ""] = url.split("?")
  const isPost = method === "POST" && isAction(path)
  if (!isPost && !methods.includes(method))
    return refuse(405, "Only GET is answered here\n", { allow: methods.join(", ") })
  if ((isPost || isData(path)) && token === undefined && !Hosts.isLoopback(host))
    return refuse(403, "HTTP_TOKEN has to be set for this, or HTTP_HOST to a loopback address\n")
  if (isPost && !isOwnOrigin(headers)) return refuse(403, "This is not for pages of another origin\n")
  if (token !== undefined && !open.includes(path) && !carries(headers, token))
    return refuse(401, "HTTP_TOKEN is required: as a bearer token, or as the password of any user\n", {
      "www-authenticate": 'Basic realm="Bronze Consumer", charset="UTF-8"'
    })
  // Nor can a form of another site send this, where a browser sends no Origin with it.
  if (isPost && !/^application\/json\s*(?:;|$)/i.test(headers["content-type"] ?? ""))
    return refuse(415, "Content-Type: application/json is required\n")
  return undefined
}

const carries = (headers: Headers.Headers, token: Redacted.Redacted): boolean => {
  const given = tokenOf(headers["authorization"] ?? "")
  return given !== undefined && isSame(given, Redacted.value(token))
}

/** Around every route, the one for paths that do not exist among them; no answer comes without the safe headers. */
export const layer = HttpRouter.middleware(
  Effect.map(
    Settings,
    ({ http }) =>
      (app) =>
        Effect.flatMap(HttpServerRequest.HttpServerRequest, (request) => {
          const refused = check(request, http)
          return Effect.map(refused === undefined ? app : Effect.succeed(refused), SafeHeaders.set)
        })
  ),
  { global: true }
)
