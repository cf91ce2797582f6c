/** The variables of Kafka: brokers, protocol, login, certificates, consumer group, and where to start. */
import * as Parse from "./Parse.ts"
import { optional, secret, variable } from "./Variable.ts"

const awsRegion = Parse.matching("a region such as eu-central-1", /^[a-z]{2}(-[a-z]+)+-\d$/)

export const kafkaVariables = {
  brokers: variable(
    "KAFKA_BOOTSTRAP_SERVERS",
    "localhost:19092",
    "Kafka's brokers, comma separated host:port",
    Parse.hostPorts
  ),
  protocol: variable(
    "KAFKA_SECURITY_PROTOCOL",
    "PLAINTEXT",
    "PLAINTEXT, SSL, SASL_PLAINTEXT or SASL_SSL",
    Parse.choice({
      PLAINTEXT: { ssl: false, sasl: false },
      SSL: { ssl: true, sasl: false },
      SASL_PLAINTEXT: { ssl: false, sasl: true },
      SASL_SSL: { ssl: true, sasl: true }
    })
  ),
  saslMechanism: optional(
    "KAFKA_SASL_MECHANISM",
    "PLAIN, SCRAM-SHA-256, SCRAM-SHA-512, OAUTHBEARER or AWS_MSK_IAM",
    Parse.choice({
      PLAIN: "plain",
      "SCRAM-SHA-256": "scram-sha-256",
      "SCRAM-SHA-512": "scram-sha-512",
      OAUTHBEARER: "oauthbearer",
      AWS_MSK_IAM: "aws-msk-iam"
    })
  ),
  saslUsername: optional("KAFKA_SASL_USERNAME", "user name for PLAIN and SCRAM", Parse.text("a user name")),
  saslPassword: secret("KAFKA_SASL_PASSWORD", "password for PLAIN and SCRAM"),
  oauthTokenUrl: optional(
    "KAFKA_OAUTH_TOKEN_URL",
    "token endpoint for OAUTHBEARER, asked with the grant client_credentials",
    Parse.address
  ),
  oauthClientId: optional("KAFKA_OAUTH_CLIENT_ID", "client id at the token endpoint", Parse.text("a client id")),
  oauthClientSecret: secret("KAFKA_OAUTH_CLIENT_SECRET", "client secret at the token endpoint"),
  oauthScope: optional("KAFKA_OAUTH_SCOPE", "scope to ask the token endpoint for", Parse.text("a scope")),
  oauthExtensions: optional(
    "KAFKA_OAUTH_EXTENSIONS",
    "SASL extensions for OAUTHBEARER: name=value, …, such as logicalCluster=lkc-abc12,identityPoolId=pool-Xy9",
    Parse.extensions
  ),
  awsRegion: optional(
    "KAFKA_AWS_REGION",
    "region of the cluster for AWS_MSK_IAM; default: that in the brokers' names",
    awsRegion
  ),
  sslCa: optional(
    "KAFKA_SSL_CA",
    "certificate authority: a PEM file, or the PEM itself; default: the system's",
    Parse.text("a file or PEM text")
  ),
  sslCert: optional(
    "KAFKA_SSL_CERT",
    "client certificate: a PEM file, or the PEM itself",
    Parse.text("a file or PEM text")
  ),
  sslKey: secret("KAFKA_SSL_KEY", "client key: a PEM file, or the PEM itself"),
  group: variable(
    "CONSUMER_GROUP_ID",
    "bronze-consumer-group",
    "consumer group, in Kafka and in the offset ledger",
    Parse.group
  ),
  sessionTimeout: variable(
    "KAFKA_SESSION_TIMEOUT",
    "30",
    "seconds after which the group gives a silent member's partitions to others",
    Parse.seconds(1, 1800)
  ),
  autoOffsetReset: variable(
    "AUTO_OFFSET_RESET",
    "earliest",
    "where to start when there is no offset yet: earliest or latest",
    Parse.choice({ earliest: "earliest", latest: "latest" })
  ),
  ledgerMissing: variable(
    "LEDGER_MISSING",
    "stop",
    "when this service has committed offsets of a partition that the ledger does not have: stop its topic, continue from the committed offset, or start at the earliest record",
    Parse.choice({ stop: "stop", committed: "committed", earliest: "earliest" })
  ),
  offsetsLost: variable(
    "OFFSETS_LOST",
    "stop",
    "when Kafka no longer has the next records: stop that topic, or continue with what is there",
    Parse.choice({ stop: "stop", continue: "continue" })
  )
}
