// An issuer of tokens, whose key a broker knows from a file, and the listener that takes them; for tests only.
import { generateKeyPairSync, type KeyObject, sign } from "node:crypto"
import { mkdir, writeFile } from "node:fs/promises"
import { join } from "node:path"
import { pathToFileURL } from "node:url"
import { freePort } from "../support/freePort.ts"

export interface OAuthListener {
  readonly port: number
  readonly jwksUrl: string
  readonly issuer: string
  readonly audience: string
  /** A JSON web token that the broker takes; other claims or another key make it one that it rejects. */
  readonly issue: (claims?: Readonly<Record<string, unknown>>, key?: KeyObject) => string
}

const seconds = () => Math.floor(Date.now() / 1000)

export const createIssuer = async (dir: string): Promise<OAuthListener> => {
  const { privateKey, publicKey } = generateKeyPairSync("rsa", { modulusLength: 2048 })
  const jwks = join(dir, "jwks.json")
  await mkdir(dir, { recursive: true })
  const key = { ...publicKey.export({ format: "jwk" }), kid: "test", alg: "RS256", use: "sig" }
  await writeFile(jwks, JSON.stringify({ keys: [key] }))
  const issuer = "https://issuer.test"
  const audience = "kafka"
  return {
    port: await freePort(),
    jwksUrl: pathToFileURL(jwks).href,
    issuer,
    audience,
    issue: (claims = {}, signer = privateKey) => {
      const payload = { iss: issuer, aud: audience, sub: "bronze", iat: seconds(), exp: seconds() + 300, ...claims }
      const [head, body] = [{ alg: "RS256", typ: "JWT", kid: "test" }, payload].map((part) =>
        Buffer.from(JSON.stringify(part)).toString("base64url")
      )
      return `${head}.${body}.${sign("sha256", Buffer.from(`${head}.${body}`), signer).toString("base64url")}`
    }
  }
}

/** Kafka reads keys only from where this allows it. */
export const allowedUrls = ({ jwksUrl }: OAuthListener): ReadonlyArray<string> => [
  `-Dorg.apache.kafka.sasl.oauthbearer.allowed.urls=${jwksUrl}`
]

export const oauthProperties = ({ audience, issuer, jwksUrl }: OAuthListener): ReadonlyArray<string> => {
  const bearer = "org.apache.kafka.common.security.oauthbearer"
  return [
    "listener.name.oauth.sasl.enabled.mechanisms=OAUTHBEARER",
    `listener.name.oauth.oauthbearer.sasl.jaas.config=${bearer}.OAuthBearerLoginModule required;`,
    `listener.name.oauth.oauthbearer.sasl.server.callback.handler.class=${bearer}.OAuthBearerValidatorCallbackHandler`,
    // A session lasts no longer than its token; without a limit of its own it would last for ever.
    "listener.name.oauth.oauthbearer.connections.max.reauth.ms=3600000",
    `sasl.oauthbearer.jwks.endpoint.url=${jwksUrl}`,
    `sasl.oauthbearer.expected.issuer=${issuer}`,
    `sasl.oauthbearer.expected.audience=${audience}`,
    // A token that has ended has ended; the default forgives 30 s.
    "sasl.oauthbearer.clock.skew.seconds=0"
  ]
}
