/** Each fault of a login with a token has its own fix, and other faults keep theirs. */
import { assert, describe, it } from "@effect/vitest"
import * as Redacted from "effect/Redacted"
import * as Remedies from "../../../../src/cli/doctor/Remedies.ts"
import { KafkaError, type KafkaErrorReason } from "../../../../src/kafka/KafkaError.ts"
import type { KafkaSettings, Login } from "../../../../src/settings/Model.ts"
import { settings } from "../../../support/warehouse/Subject.ts"

const tokenUrl = "https://login.example.com/token"
const oauth: Login = {
  ...{ _tag: "OAuth", tokenUrl, clientId: "bronze", clientSecret: Redacted.make("hush"), scope: undefined },
  extensions: { identityPoolId: "pool-Xy9" }
}
const iam: Login = { _tag: "AwsIam", region: "eu-central-1" }
const at = (sasl: Login): KafkaSettings => ({
  ...settings({ _tag: "DuckDb", path: "x.duckdb" }).kafka,
  brokers: ["broker-1:9093"],
  ssl: {},
  sasl
})
const remedy = (sasl: Login, reason: KafkaErrorReason, message: string): string =>
  Remedies.connection(new KafkaError({ reason, message }), at(sasl), "broker-1:9093", true).join("\n")

describe("the fix for a login with a token", () => {
  it.each([
    [
      oauth,
      "denied",
      "Broker broker-1:9093 rejected the token (invalid_token): …",
      /sasl\.oauthbearer\.expected\.issuer/
    ],
    [
      iam,
      "denied",
      "Broker broker-1:9098 rejected the token (Access denied): …",
      /kafka-cluster:Connect.*eu-central-1/
    ],
    [iam, "denied", "No AWS credentials for the login to Kafka: …", /^Give this process a role/],
    [
      oauth,
      "denied",
      `The token endpoint ${tokenUrl} refused client bronze (401): check …`,
      /KAFKA_OAUTH_CLIENT_SECRET/
    ],
    [oauth, "denied", `${tokenUrl} answers with 404: check KAFKA_OAUTH_TOKEN_URL`, /openid-configuration/],
    [oauth, "denied", `Could not reach the token endpoint ${tokenUrl}: self-signed certificate`, /NODE_EXTRA_CA_CERTS/],
    [
      oauth,
      "unavailable",
      `Could not reach the token endpoint ${tokenUrl}: connect ECONNREFUSED 10.0.0.1:443`,
      /^Check KAFKA_OAUTH_TOKEN_URL, and that login\.example\.com can be reached/
    ],
    // The broker's own, whatever the login.
    [oauth, "denied", "self-signed certificate in certificate chain", /^Set KAFKA_SSL_CA to .* signed the broker's/],
    [oauth, "denied", "SASL OAUTHBEARER mechanism is not supported by the server", /^Set KAFKA_SASL_MECHANISM/]
  ] as const)("%j, %s: %s", (sasl, reason, message, expected) => {
    assert.match(remedy(sasl, reason, message), expected)
  })

  it("gives rights to whom the broker takes us for, in its own words", () => {
    assert.include(Remedies.allowing(at(oauth), "me", "READ", "topic", "raw.a"), '--allow-principal "User:pool-Xy9"')
    assert.strictEqual(
      Remedies.allowing(at(iam), undefined, "READ", "group", "g"),
      "Allow kafka-cluster:DescribeGroup and kafka-cluster:AlterGroup on group g in the IAM policy of this process"
    )
  })
})
