/**
 * The kafkajs client of this process: made from the settings, quiet, with all codecs, and every failure a KafkaError.
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import kafkajs, { type Kafka, type KafkaConfig, type LogEntry, type RetryOptions } from "kafkajs"
import * as TokenClaims from "../../domain/TokenClaims.ts"
import type { KafkaSettings, Login, OAuthLogin } from "../../settings/Model.ts"
import { Settings } from "../../settings/Settings.ts"
import * as AwsIam from "../AwsIam.ts"
import { KafkaError } from "../KafkaError.ts"
import * as Tokens from "../Tokens.ts"
import * as Address from "./Address.ts"
import * as Codecs from "./Codecs.ts"
import * as Patches from "./patches.ts"
import * as TokenLogin from "./TokenLogin.ts"

/** About three seconds: long waits belong to our own Schedules, which can be seen in the log. */
const retry = { initialRetryTime: 200, maxRetryTime: 2000, retries: 4 } satisfies RetryOptions

export class KafkaClient extends Context.Service<
  KafkaClient,
  {
    readonly kafka: Kafka
    /** How often kafkajs itself tries a request. */
    readonly retry: RetryOptions
    /** The one way to call kafkajs; `doing` completes the sentence "Could not …". */
    readonly use: <A>(doing: string, call: () => Promise<A>) => Effect.Effect<A, KafkaError>
    /** The subject of the token that logs in; undefined with another login, and of a token that tells none. */
    readonly subject: Effect.Effect<string | undefined, KafkaError>
  }
>()("bronze/kafka/kafkajs/Client") {}

export const use = <A>(doing: string, call: () => Promise<A>): Effect.Effect<A, KafkaError> =>
  Effect.tryPromise({ try: call, catch: (cause) => KafkaError.from(doing, cause) })

/** Makes no connection yet. */
export const layer: Layer.Layer<KafkaClient, never, Settings> = Layer.effect(
  KafkaClient,
  Effect.gen(function* () {
    const { kafka: settings, log } = yield* Settings
    const runFork = Effect.runForkWith(yield* Effect.context<never>())
    Codecs.register()
    Patches.apply()
    const { INFO, NOTHING, WARN } = kafkajs.logLevel
    const verbose = log.level === "Debug" || log.level === "Trace"
    const { sasl, subject } = yield* loginOf(settings)
    const kafka = new kafkajs.Kafka({
      ...connectionOf(settings),
      ...(sasl && { sasl }),
      retry,
      logLevel: log.level === "Fatal" ? NOTHING : verbose ? INFO : WARN,
      logCreator: () => (entry) => void runFork(relay(entry))
    })
    return KafkaClient.of({ kafka, retry, use, subject })
  })
)

/** Milliseconds; Azure Event Hubs asks for a minute, elsewhere kafkajs's own half a minute notices more. */
export const requestTimeoutOf = (brokers: ReadonlyArray<string>): number =>
  brokers.some((broker) => /\.servicebus\.[a-z.]+:\d+$/i.test(broker)) ? 60_000 : 30_000

const connectionOf = ({ brokers, ssl }: KafkaSettings): KafkaConfig => ({
  clientId: "bronze-consumer",
  brokers: brokers.map(Address.encode),
  socketFactory: Address.socketFactory,
  connectionTimeout: 5000,
  authenticationTimeout: 10_000,
  // patches.ts says when.
  reauthenticationThreshold: 0,
  requestTimeout: requestTimeoutOf(brokers),
  ...(ssl && {
    ssl: {
      ...(ssl.ca !== undefined && { ca: [ssl.ca] }),
      ...(ssl.cert !== undefined && { cert: ssl.cert }),
      ...(ssl.key !== undefined && { key: Redacted.value(ssl.key) })
    }
  })
})

const loginOf = Effect.fnUntraced(function* ({ sasl: login, ssl }: KafkaSettings) {
  const nobody = Effect.succeed(undefined)
  if (login === undefined) return { sasl: undefined, subject: nobody }
  if (login._tag === "Password") return { sasl: passwordOf(login), subject: nobody }
  const run = Effect.runPromiseWith(yield* Effect.context<never>())
  const tokens = yield* Tokens.make(
    login._tag === "OAuth" ? yield* askEndpoint(login, ssl?.ca) : AwsIam.make(login.region)
  )
  return {
    sasl: TokenLogin.make(tokens, login._tag === "OAuth" ? login.extensions : {}, run),
    subject: Effect.map(tokens.current, ({ value }) => TokenClaims.read(Redacted.value(value))?.subject)
  }
})

/** Its HTTP client is loaded for those only who log in this way. */
const askEndpoint = (login: OAuthLogin, ca: string | undefined) =>
  Effect.map(
    Effect.promise(() => import("../TokenEndpoint.ts")),
    (TokenEndpoint) => TokenEndpoint.make(login, ca)
  )

const passwordOf = ({ mechanism, password, username }: Extract<Login, { readonly _tag: "Password" }>) => {
  const login = { username, password: Redacted.value(password) }
  switch (mechanism) {
    case "plain":
      return { mechanism, ...login }
    case "scram-sha-256":
      return { mechanism, ...login }
    case "scram-sha-512":
      return { mechanism, ...login }
  }
}

/**
 * Of these, what fails comes back as an error or an event as well and is reported there; the same as kafkajs's own
 * ERROR would be noise.
 */
const toldElsewhere =
  /^(Connection|BrokerPool|Broker|Cluster|Consumer|ConsumerGroup|Runner|Producer|Admin|SaslAuthenticator.*)$/
const isNormal = /rebalanc|coordinator|re-join|resync|reconnect|leader|timed? ?out|closed connection|ECONN|partitioner/i

/**
 * kafkajs's log at the level it deserves: only errors that are not reported elsewhere are warnings; never a stack
 * trace.
 */
export const relay = ({ level, log, namespace }: LogEntry): Effect.Effect<void> => {
  const fields: Record<string, string> = { from: namespace ? `kafkajs/${namespace}` : "kafkajs" }
  for (const key of ["broker", "groupId", "topic", "partition", "error"]) {
    const value: unknown = log[key]
    if (typeof value === "string" || typeof value === "number") fields[key] = Address.decode(String(value))
  }
  const serious =
    level === kafkajs.logLevel.ERROR &&
    !toldElsewhere.test(namespace) &&
    !isNormal.test(`${log.message} ${fields["error"] ?? ""}`)
  return serious ? Effect.logWarning(log.message, fields) : Effect.logDebug(log.message, fields)
}
