/** The login to Kafka: which variables each mechanism needs; those of the others are read for their form alone. */
import * as Effect from "effect/Effect"
import type { Login } from "./Model.ts"
import type { Reader } from "./Reader.ts"
import { type Variable, variables } from "./Variables.ts"

/** The login, or undefined where none is wanted or a variable is missing. */
export const login = Effect.fnUntraced(function* (
  reader: Reader,
  wanted: boolean
): Effect.fn.Return<Login | undefined> {
  const mechanism = yield* reader.get(variables.saslMechanism)
  const username = yield* reader.get(variables.saslUsername)
  const password = yield* reader.get(variables.saslPassword)
  const tokenUrl = yield* reader.get(variables.oauthTokenUrl)
  const clientId = yield* reader.get(variables.oauthClientId)
  const clientSecret = yield* reader.get(variables.oauthClientSecret)
  const scope = yield* reader.get(variables.oauthScope)
  const extensions = (yield* reader.get(variables.oauthExtensions)) ?? {}
  const region = (yield* reader.get(variables.awsRegion)) ?? regionOf(yield* reader.get(variables.brokers))
  if (!wanted) return undefined
  const needed = <A>(variable: Variable<A>, value: A, why: string): A => {
    if (value === undefined) reader.require(variable, why)
    return value
  }
  const protocol = `with ${variables.protocol.name}=SASL_PLAINTEXT or SASL_SSL`
  switch (mechanism) {
    case "oauthbearer": {
      const why = `with ${variables.saslMechanism.name}=OAUTHBEARER`
      needed(variables.oauthTokenUrl, tokenUrl, why)
      needed(variables.oauthClientId, clientId, why)
      needed(variables.oauthClientSecret, clientSecret, why)
      return tokenUrl === undefined || clientId === undefined || clientSecret === undefined
        ? undefined
        : { _tag: "OAuth", tokenUrl, clientId, clientSecret, scope, extensions }
    }
    case "aws-msk-iam":
      needed(variables.awsRegion, region, `with ${variables.saslMechanism.name}=AWS_MSK_IAM`)
      return region === undefined ? undefined : { _tag: "AwsIam", region }
    default:
      needed(variables.saslMechanism, mechanism, protocol)
      needed(variables.saslUsername, username, protocol)
      needed(variables.saslPassword, password, protocol)
      return mechanism === undefined || username === undefined || password === undefined
        ? undefined
        : { _tag: "Password", mechanism, username, password }
  }
})

/** `b-1.mine.abc123.c2.kafka.eu-central-1.amazonaws.com:9098` → `eu-central-1` */
const regionOf = (brokers: ReadonlyArray<string>): string | undefined =>
  brokers
    .map((broker) => /\.kafka(?:-serverless)?\.([a-z0-9-]+)\.amazonaws\.com(?:\.cn)?:\d+$/i.exec(broker)?.[1])
    .find((region) => region !== undefined)
