/** Requests a token from an OAuth 2 token endpoint with the grant client_credentials, once; a failure says what to fix. */
import { rootCertificates } from "node:tls"
import * as NodeHttpClient from "@effect/platform-node/NodeHttpClient"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as HttpClient from "effect/http/HttpClient"
import * as HttpClientRequest from "effect/http/HttpClientRequest"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import * as TokenClaims from "../domain/TokenClaims.ts"
import type { OAuthLogin } from "../settings/Model.ts"
import { KafkaError } from "./KafkaError.ts"
import type { Token } from "./Tokens.ts"

const Granted = Schema.fromJsonString(
  Schema.Struct({
    access_token: Schema.NonEmptyString,
    expires_in: Schema.optionalKey(Schema.Union([Schema.Finite, Schema.FiniteFromString]))
  })
)

const Refused = Schema.fromJsonString(
  Schema.Struct({ error: Schema.String, error_description: Schema.optionalKey(Schema.String) })
)

const decodeGranted = Schema.decodeUnknownEffect(Granted)
const decodeRefused = Schema.decodeUnknownEffect(Refused)

/** Of a token that does not say itself when it ends, in milliseconds. */
const usualLife = 300_000

/** `ca` is trusted besides Node's own authorities. */
export const make = (login: OAuthLogin, ca: string | undefined): Effect.Effect<Token, KafkaError> =>
  request(login).pipe(
    Effect.provide(NodeHttpClient.layerNodeHttpOptions(ca === undefined ? {} : { ca: [...rootCertificates, ca] }))
  )

const request = Effect.fnUntraced(function* (login: OAuthLogin) {
  const { status, text } = yield* answerOf(login)
  if (status !== 200) return yield* refusal(login, status, text)
  const now = yield* Clock.currentTimeMillis
  const granted = yield* decodeGranted(text).pipe(
    Effect.mapError(() => notAnEndpoint(login, "answers with something other than a token"))
  )
  const value = granted.access_token
  const life = granted.expires_in === undefined ? undefined : now + granted.expires_in * 1000
  return { value: Redacted.make(value), expiresAt: life ?? TokenClaims.read(value)?.expiresAt ?? now + usualLife }
})

const answerOf = Effect.fnUntraced(
  function* ({ clientId, clientSecret, scope, tokenUrl }: OAuthLogin) {
    const user = [clientId, Redacted.value(clientSecret)].map(encodeURIComponent).join(":")
    const { status, text } = yield* HttpClient.execute(
      HttpClientRequest.post(tokenUrl).pipe(
        HttpClientRequest.acceptJson,
        HttpClientRequest.setHeader("authorization", `Basic ${Buffer.from(user).toString("base64")}`),
        HttpClientRequest.bodyUrlParams({ grant_type: "client_credentials", ...(scope !== undefined && { scope }) })
      )
    )
    return { status, text: yield* text }
  },
  (effect, { tokenUrl }) =>
    effect.pipe(
      Effect.mapError(({ reason }) => KafkaError.from(`reach the token endpoint ${tokenUrl}`, reason.cause ?? reason)),
      Effect.timeoutOrElse({
        duration: "5 seconds",
        orElse: () =>
          new KafkaError({
            reason: "unavailable",
            message: `The token endpoint ${tokenUrl} does not answer within 5 s`
          })
      })
    )
)

const refusal = Effect.fnUntraced(function* (login: OAuthLogin, status: number, text: string) {
  const { clientId, tokenUrl } = login
  if (status === 429 || status >= 500)
    return yield* new KafkaError({
      reason: "unavailable",
      message: `The token endpoint ${tokenUrl} answers with ${status}`
    })
  if (![400, 401, 403].includes(status)) return yield* notAnEndpoint(login, `answers with ${status}`)
  const said = yield* decodeRefused(text).pipe(
    Effect.map(({ error, error_description: more }) => `: ${error}${more === undefined ? "" : `, ${more}`}`),
    Effect.orElseSucceed(() => "")
  )
  return yield* new KafkaError({
    reason: "denied",
    message: `The token endpoint ${tokenUrl} refused client ${clientId} (${status}${said}): check KAFKA_OAUTH_CLIENT_ID, KAFKA_OAUTH_CLIENT_SECRET and KAFKA_OAUTH_SCOPE`
  })
})

const notAnEndpoint = ({ tokenUrl }: OAuthLogin, what: string): KafkaError =>
  new KafkaError({ reason: "denied", message: `${tokenUrl} ${what}: check KAFKA_OAUTH_TOKEN_URL` })
