/** Signs a token for Amazon MSK's IAM login with AWS's own signer, which is loaded with the first token and not before. */
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import { KafkaError } from "./KafkaError.ts"
import type { Token } from "./Tokens.ts"

/** By the credentials that AWS's SDK finds: environment, web identity, container, instance, profile. */
export const make = (region: string): Effect.Effect<Token, KafkaError> =>
  Effect.tryPromise({
    try: async () => {
      const { generateAuthToken } = await import("aws-msk-iam-sasl-signer-js")
      return generateAuthToken({ region })
    },
    catch: failed
  }).pipe(Effect.map(({ expiryTime, token }) => ({ value: Redacted.make(token), expiresAt: expiryTime })))

/** What AWS answers for good; it marks what may pass, such as throttling. */
const isRefusal = (cause: Error): boolean =>
  Reflect.get(cause, "$fault") === "client" && Reflect.get(cause, "$retryable") === undefined

/** No credentials, or ones that AWS refuses, are to be fixed; a network that is down is not. */
const failed = (cause: unknown): KafkaError => {
  const isDenied = cause instanceof Error && (cause.name === "CredentialsProviderError" || isRefusal(cause))
  if (!isDenied) return KafkaError.from("get AWS credentials", cause)
  return new KafkaError({
    reason: "denied",
    message: `No AWS credentials for the login to Kafka: ${cause.message}. Give this process a role, or set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY`,
    cause
  })
}
