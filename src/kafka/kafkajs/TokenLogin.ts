/**
 * SASL OAUTHBEARER for kafkajs, which has one that ignores the broker's answer: a rejected token counts as a login there,
 * and the next request fails without saying why. Here it is a login fault, with what the token says of itself.
 */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import kafkajs, { type AuthenticationProviderArgs, type Mechanism } from "kafkajs"
import * as TokenClaims from "../../domain/TokenClaims.ts"
import { KafkaError } from "../KafkaError.ts"
import type { Token, Tokens } from "../Tokens.ts"

type Exchange = AuthenticationProviderArgs["saslAuthenticate"]

/** Logs in every connection, each time with the token of the moment. */
export const make = (
  tokens: Tokens,
  extensions: Readonly<Record<string, string>>,
  run: <A>(effect: Effect.Effect<A, KafkaError>) => Promise<A>
): Mechanism => ({
  mechanism: "oauthbearer",
  authenticationProvider: ({ host, port, saslAuthenticate }) => ({
    authenticate: () =>
      run(tokens.use((token) => login(saslAuthenticate, `${host}:${port}`, token, extensions))).catch(
        (error: unknown) => {
          throw asKafkaJs(error)
        }
      )
  })
})

/** Separates the parts of the message; alone it ends an exchange that failed (RFC 7628). */
const separator = "\u0001"

const login = Effect.fnUntraced(function* (
  exchange: Exchange,
  broker: string,
  token: Token,
  extensions: Readonly<Record<string, string>>
) {
  const value = Redacted.value(token.value)
  const pairs = Object.entries(extensions).map(([name, text]) => `${name}=${text}${separator}`)
  const rejected = (said: string) =>
    Effect.flatMap(
      Clock.currentTimeMillis,
      (now) =>
        new KafkaError({
          reason: "denied",
          message: `Broker ${broker} rejected the token (${statusOf(said)}): ${TokenClaims.describe(value, now)}. Its log says why`
        })
    )
  const send = (message: string) =>
    Effect.tryPromise({
      try: () => ask(exchange, message),
      catch: (cause) => new KafkaError({ reason: "unavailable", message: `Could not log in to ${broker}`, cause })
    }).pipe(Effect.catch((error) => (isRejection(error.cause) ? rejected(error.cause.message) : Effect.fail(error))))
  const answer = yield* send(`n,,${separator}auth=Bearer ${value}${separator}${pairs.join("")}${separator}`)
  if (answer === "") return
  // The broker fails the login only when it has got the end of the exchange.
  yield* send(separator)
  yield* rejected(answer)
})

/** Of an answer such as `{"status":"invalid_token"}`; brokers of others say it in words. */
const statusOf = (said: string): string => /"status"\s*:\s*"([^"]+)"/.exec(said)?.[1] ?? said

const isRejection = (cause: unknown): cause is Error =>
  cause instanceof Error && Reflect.get(cause, "type") === "SASL_AUTHENTICATION_FAILED"

/** What the broker answers to a message; both have their length before them. */
const ask = async (exchange: Exchange, message: string): Promise<string> => {
  const bytes = Buffer.from(message)
  const length = Buffer.alloc(4)
  length.writeInt32BE(bytes.length)
  const answer = await exchange({
    request: { encode: () => Buffer.concat([length, bytes]) },
    response: { decode: (raw) => raw.subarray(4), parse: (data) => data.toString() }
  })
  return answer ?? ""
}

/** Not to be tried again by kafkajs: that is for a Schedule of ours. */
class LoginDenied extends kafkajs.KafkaJSError {
  override readonly cause: KafkaError
  constructor(cause: KafkaError) {
    super(cause, { retriable: false })
    this.cause = cause
  }
}

/** In kafkajs's own classes, by which it knows whether to try again; its own errors as they were. */
const asKafkaJs = (error: unknown): unknown => {
  if (!(error instanceof KafkaError)) return error
  if (error.reason === "denied") return new LoginDenied(error)
  return error.cause instanceof kafkajs.KafkaJSError ? error.cause : new kafkajs.KafkaJSConnectionError(error.message)
}
