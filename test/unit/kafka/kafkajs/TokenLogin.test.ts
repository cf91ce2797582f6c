/** What a broker gets of a login with a token, and that AWS's signer is loaded for MSK's alone. */
import { createRequire } from "node:module"
import { afterEach, assert, describe, it, vi } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import kafkajs from "kafkajs"
import * as AwsIam from "../../../../src/kafka/AwsIam.ts"
import { KafkaError } from "../../../../src/kafka/KafkaError.ts"
import * as KafkaClient from "../../../../src/kafka/kafkajs/Client.ts"
import * as TokenLogin from "../../../../src/kafka/kafkajs/TokenLogin.ts"
import * as Tokens from "../../../../src/kafka/Tokens.ts"
import * as Settings from "../../../../src/settings/Settings.ts"

afterEach(() => {
  vi.unstubAllEnvs()
})

const framed = (text: string): Buffer => {
  const length = Buffer.alloc(4)
  length.writeInt32BE(Buffer.byteLength(text))
  return Buffer.concat([length, Buffer.from(text)])
}

/** Logs in to a broker that answers in this way, and returns what it got. */
const logIn = Effect.fnUntraced(function* (
  request: Effect.Effect<Tokens.Token, KafkaError>,
  extensions: Readonly<Record<string, string>> = {},
  answers: ReadonlyArray<string | Error> = [""]
) {
  const tokens = yield* Tokens.make(request)
  const mechanism = TokenLogin.make(tokens, extensions, Effect.runPromise)
  const got: Array<string> = []
  const authenticator = mechanism.authenticationProvider({
    host: "broker-1",
    port: 9093,
    logger: new kafkajs.Kafka({ brokers: ["broker-1:9093"] }).logger(),
    saslAuthenticate: async ({ request, response }) => {
      const sent = await request.encode()
      assert.strictEqual(sent.readInt32BE(0), sent.length - 4)
      const answer = answers[got.length] ?? ""
      got.push(sent.subarray(4).toString())
      if (answer instanceof Error) throw answer
      return response?.parse(await response.decode(framed(answer)))
    }
  })
  const outcome = yield* Effect.result(
    Effect.tryPromise({
      try: () => authenticator.authenticate(),
      catch: (cause) => KafkaError.from("connect", cause)
    })
  )
  return { got, outcome }
})

const token = Effect.succeed({ value: Redacted.make("t0ken"), expiresAt: Number.MAX_SAFE_INTEGER })
const isSignerLoaded = () =>
  Object.keys(createRequire(import.meta.url).cache).some((file) => file.includes("aws-msk-iam-sasl-signer-js"))

describe("a login with a token", () => {
  it.effect("sends token and extensions in the form of RFC 7628", () =>
    Effect.gen(function* () {
      const { got } = yield* logIn(token, { logicalCluster: "lkc-1", identityPoolId: "pool-2" })
      assert.deepStrictEqual(got, [
        "n,,\u0001auth=Bearer t0ken\u0001logicalCluster=lkc-1\u0001identityPoolId=pool-2\u0001\u0001"
      ])
    })
  )

  it.effect("is denied when the broker answers with an error, with what it said and the token's claims", () =>
    Effect.gen(function* () {
      const claims = { iss: "me", aud: "you", sub: "bronze", exp: Math.floor(Date.now() / 1000) - 60 }
      const value = `x.${Buffer.from(JSON.stringify(claims)).toString("base64url")}.x`
      const rejection = Object.assign(new kafkajs.KafkaJSProtocolError('{"status":"invalid_token"}'), {
        type: "SASL_AUTHENTICATION_FAILED"
      })
      const { got, outcome } = yield* logIn(
        Effect.succeed({ value: Redacted.make(value), expiresAt: Number.MAX_SAFE_INTEGER }),
        {},
        ['{"status":"invalid_token"}', rejection]
      )
      assert.strictEqual(got[1], "\u0001")
      const error = outcome._tag === "Failure" ? outcome.failure : assert.fail()
      assert.strictEqual(error.reason, "denied")
      assert.match(
        error.message,
        /^Could not connect: Broker broker-1:9093 rejected the token \(invalid_token\): issuer me, audience you, subject bronze, /
      )
      assert.notInclude(error.message, value)
    })
  )

  it.effect("that fails for another reason stays what it was", () =>
    Effect.gen(function* () {
      const state = Object.assign(new kafkajs.KafkaJSProtocolError("state"), { type: "ILLEGAL_SASL_STATE" })
      const failed = yield* logIn(token, {}, [state])
      assert.strictEqual(failed.outcome._tag === "Failure" && failed.outcome.failure.cause, state)
      const { outcome } = yield* logIn(token, {}, [new kafkajs.KafkaJSConnectionError("Closed connection")])
      assert.strictEqual(outcome._tag === "Failure" && outcome.failure.reason, "unavailable")
    })
  )
})

describe("a request", () => {
  it("may take a minute at Azure Event Hubs, and half of it elsewhere", () => {
    assert.strictEqual(KafkaClient.requestTimeoutOf(["mine.servicebus.windows.net:9093"]), 60_000)
    assert.strictEqual(KafkaClient.requestTimeoutOf(["pkc-abc12.eu-central-1.aws.confluent.cloud:9092"]), 30_000)
  })
})

describe("AWS_MSK_IAM", () => {
  it.live("sends the token of AWS's signer, which is loaded with the first token and not before", () =>
    Effect.gen(function* () {
      const env = {
        SINK: "duckdb",
        KAFKA_SECURITY_PROTOCOL: "SASL_SSL",
        KAFKA_SASL_MECHANISM: "AWS_MSK_IAM",
        KAFKA_AWS_REGION: "eu-central-1"
      }
      yield* KafkaClient.KafkaClient.pipe(
        Effect.provide(KafkaClient.layer),
        Effect.provide(Settings.layer),
        Effect.provide(Settings.environment(env))
      )
      assert.isFalse(isSignerLoaded())
      vi.stubEnv("AWS_ACCESS_KEY_ID", "AKIAIOSFODNN7EXAMPLE")
      vi.stubEnv("AWS_SECRET_ACCESS_KEY", "dummy")
      const before = Date.now()
      const made = yield* AwsIam.make("eu-central-1")
      assert.isTrue(isSignerLoaded())
      assert.approximately(made.expiresAt, before + 900_000, 5000)
      const { got } = yield* logIn(Effect.succeed(made))
      const [header, sent = ""] = got[0]?.replaceAll("\u0001", "").split("auth=Bearer ") ?? []
      assert.strictEqual(header, "n,,")
      const url = new URL(Buffer.from(sent, "base64url").toString())
      assert.strictEqual(url.host, "kafka.eu-central-1.amazonaws.com")
      assert.strictEqual(url.searchParams.get("Action"), "kafka-cluster:Connect")
      assert.match(url.searchParams.get("X-Amz-Credential") ?? "", /^AKIAIOSFODNN7EXAMPLE\//)
    })
  )

  it.live("without credentials is to be fixed", () =>
    Effect.gen(function* () {
      vi.stubEnv("AWS_EC2_METADATA_DISABLED", "true")
      vi.stubEnv("AWS_CONFIG_FILE", "/nowhere")
      vi.stubEnv("AWS_SHARED_CREDENTIALS_FILE", "/nowhere")
      for (const name of ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_PROFILE", "AWS_ROLE_ARN"])
        vi.stubEnv(name, undefined)
      const error = yield* Effect.flip(AwsIam.make("eu-central-1"))
      assert.strictEqual(error.reason, "denied")
      assert.match(error.message, /^No AWS credentials .*AWS_ACCESS_KEY_ID/)
    })
  )
})
