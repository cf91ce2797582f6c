/** The request for a token, and what each answer to it means: a token, a fault to fix, or one that passes. */
import { mkdtempSync } from "node:fs"
import { createServer } from "node:https"
import type { AddressInfo } from "node:net"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterAll, assert, beforeAll, beforeEach, describe, it } from "@effect/vitest"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import * as TokenEndpoint from "../../../src/kafka/TokenEndpoint.ts"
import type { OAuthLogin } from "../../../src/settings/Model.ts"
import { makeCertificate } from "../../support/certificates.ts"
import * as TokenServer from "../../support/TokenServer.ts"

let server: TokenServer.TokenServer
beforeAll(async () => {
  server = await TokenServer.start()
})
beforeEach(() => {
  server.requests.length = 0
})
afterAll(() => server.close())

const login = (more: Partial<OAuthLogin> = {}): OAuthLogin => ({
  tokenUrl: server.url,
  clientId: "bronze",
  clientSecret: Redacted.make("hush~1+%:"),
  scope: undefined,
  extensions: {},
  ...more
})
const ask = (more: Partial<OAuthLogin> = {}, ca?: string) => Effect.suspend(() => TokenEndpoint.make(login(more), ca))
/** The seconds that the token has left. */
const life = Effect.gen(function* () {
  const { expiresAt } = yield* ask()
  return Math.round((expiresAt - (yield* Clock.currentTimeMillis)) / 1000)
})
const jwt = (claims: object) => `x.${Buffer.from(JSON.stringify(claims)).toString("base64url")}.x`

describe("the token endpoint", () => {
  it.live("gets client and secret in the header, and the grant in the form", () =>
    Effect.gen(function* () {
      server.reply(() => ({ body: { access_token: "t", expires_in: 60 } }))
      yield* ask({ clientId: "a b" })
      const { value } = yield* ask({ scope: "api://kafka/.default" })
      assert.strictEqual(Redacted.value(value), "t")
      assert.deepStrictEqual(server.requests, [
        { login: "a%20b:hush~1%2B%25%3A", form: { grant_type: "client_credentials" } },
        { login: "bronze:hush~1%2B%25%3A", form: { grant_type: "client_credentials", scope: "api://kafka/.default" } }
      ])
    })
  )

  it.live("says how long the token lasts; if not, the token does, and else it is five minutes", () =>
    Effect.gen(function* () {
      const exp = Math.floor(Date.now() / 1000) + 900
      for (const [body, seconds] of [
        [{ access_token: "t", expires_in: 60 }, 60],
        [{ access_token: "t", expires_in: "3599" }, 3599],
        [{ access_token: jwt({ exp, aud: ["a", "b"] }) }, 900],
        [{ access_token: jwt({ sub: "me" }) }, 300],
        [{ access_token: "opaque" }, 300]
      ] as const) {
        server.reply(() => ({ body }))
        assert.approximately(yield* life, seconds, 2)
      }
    })
  )

  it.live("refuses the client: to be fixed, with what it said and the variables, without the secret", () =>
    Effect.gen(function* () {
      for (const status of [400, 401, 403]) {
        server.reply(() => ({ status, body: { error: "invalid_client", error_description: "no such client" } }))
        const error = yield* Effect.flip(ask())
        assert.strictEqual(error.reason, "denied")
        assert.strictEqual(
          error.message,
          `The token endpoint ${server.url} refused client bronze (${status}: invalid_client, no such client): check KAFKA_OAUTH_CLIENT_ID, KAFKA_OAUTH_CLIENT_SECRET and KAFKA_OAUTH_SCOPE`
        )
      }
    })
  )

  it.live("is another page: to be fixed by its address", () =>
    Effect.gen(function* () {
      for (const [answer, what] of [
        [{ status: 404, body: {} }, "answers with 404"],
        [{ status: 302, body: {} }, "answers with 302"],
        [{ body: { token: "t" } }, "answers with something other than a token"],
        [{ body: "<html>" }, "answers with something other than a token"]
      ] as const) {
        server.reply(() => answer)
        const error = yield* Effect.flip(ask())
        assert.strictEqual(error.reason, "denied")
        assert.strictEqual(error.message, `${server.url} ${what}: check KAFKA_OAUTH_TOKEN_URL`)
      }
    })
  )

  it.live("is overloaded or down: that passes", () =>
    Effect.gen(function* () {
      for (const status of [429, 500, 503]) {
        server.reply(() => ({ status, body: {} }))
        const error = yield* Effect.flip(ask())
        assert.deepStrictEqual([error.reason, error.isUnknown], ["unavailable", undefined])
      }
      const error = yield* Effect.flip(ask({ tokenUrl: "http://127.0.0.1:1/token" }))
      assert.deepStrictEqual([error.reason, error.isUnknown], ["unavailable", undefined])
      assert.match(error.message, /^Could not reach the token endpoint http:\/\/127.0.0.1:1\/token: .*ECONNREFUSED/)
    })
  )

  it.live("over TLS is trusted by KAFKA_SSL_CA, and denied without it", () =>
    Effect.gen(function* () {
      const { cert, key } = makeCertificate(mkdtempSync(join(tmpdir(), "bronze-token-")), "localhost")
      const secure = createServer({ cert, key }, (_, response) => response.end('{"access_token":"t"}'))
      yield* Effect.acquireRelease(
        Effect.promise(() => new Promise<void>((resolve) => secure.listen(0, resolve))),
        () => Effect.sync(() => secure.close())
      )
      const tokenUrl = `https://localhost:${(secure.address() as AddressInfo).port}/`
      assert.strictEqual(Redacted.value((yield* ask({ tokenUrl }, cert)).value), "t")
      const error = yield* Effect.flip(ask({ tokenUrl }))
      assert.strictEqual(error.reason, "denied")
      assert.match(error.message, /self.signed certificate/)
    })
  )
})
