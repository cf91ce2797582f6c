/** The fix for a login with a token that failed: at the token endpoint, at AWS or at the broker. */
import type { KafkaError } from "../../kafka/KafkaError.ts"
import type { Login } from "../../settings/Model.ts"

/** Undefined where the token is not what is wrong. */
export const of = (login: Login, { message, reason }: KafkaError): ReadonlyArray<string> | undefined => {
  if (login._tag === "Password") return undefined
  if (/rejected the token/.test(message)) return rejected(login)
  if (login._tag === "AwsIam")
    return /AWS credentials/.test(message)
      ? ["Give this process a role, or set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"]
      : undefined
  const { tokenUrl } = login
  if (!message.includes(tokenUrl)) return undefined
  if (reason === "unavailable")
    return [`Check KAFKA_OAUTH_TOKEN_URL, and that ${new URL(tokenUrl).host} can be reached from here`]
  if (/check KAFKA_OAUTH_TOKEN_URL/.test(message))
    return ["Set KAFKA_OAUTH_TOKEN_URL to the token_endpoint of the provider's .well-known/openid-configuration"]
  if (/certificate/i.test(message))
    return ["Set KAFKA_SSL_CA or NODE_EXTRA_CA_CERTS to the authority that signed the token endpoint's certificate"]
  return [
    `Set KAFKA_OAUTH_CLIENT_ID and KAFKA_OAUTH_CLIENT_SECRET to a client that ${tokenUrl} knows, and KAFKA_OAUTH_SCOPE to a scope that it may ask for`
  ]
}

const rejected = (login: Exclude<Login, { readonly _tag: "Password" }>): ReadonlyArray<string> =>
  login._tag === "AwsIam"
    ? [
        `Allow kafka-cluster:Connect in the IAM policy of this process, and name the cluster's region (KAFKA_AWS_REGION, now ${login.region})`
      ]
    : [
        "Compare issuer and audience with the broker's sasl.oauthbearer.expected.issuer and sasl.oauthbearer.expected.audience, and the key with its sasl.oauthbearer.jwks.endpoint.url",
        "If the token is not the one to send: change KAFKA_OAUTH_TOKEN_URL, KAFKA_OAUTH_SCOPE or KAFKA_OAUTH_EXTENSIONS"
      ]
