/**
 * The fix for a problem with Kafka, ready to run: with the real addresses, names and principal, or the variable to set.
 */
import { X509Certificate } from "node:crypto"
import * as Effect from "effect/Effect"
import type { KafkaError } from "../../kafka/KafkaError.ts"
import { KafkaClient } from "../../kafka/kafkajs/Client.ts"
import type { KafkaSettings } from "../../settings/Model.ts"
import { Settings } from "../../settings/Settings.ts"
import * as LoginRemedies from "./LoginRemedies.ts"

/** kafka-topics.sh and its like; on a listener with a login they need an administrator's. */
const script = (name: string, { brokers, sasl, ssl }: KafkaSettings, words: string): string =>
  `kafka-${name}.sh --bootstrap-server ${brokers[0]}${sasl || ssl ? " --command-config admin.properties" : ""} ${words}`

export const createTopic = (kafka: KafkaSettings, topic: string, brokers: number): string =>
  script("topics", kafka, `--create --topic ${topic} --partitions 3 --replication-factor ${Math.min(3, brokers)}`)

/** READ and WRITE bring DESCRIBE with them. */
export const allow = Effect.fnUntraced(function* (
  operation: "READ" | "WRITE",
  resource: "topic" | "group",
  name: string
) {
  const { kafka } = yield* Settings
  const { subject } = yield* KafkaClient
  return allowing(kafka, yield* subject, operation, resource, name)
})

export const allowing = (
  kafka: KafkaSettings,
  subject: string | undefined,
  operation: "READ" | "WRITE",
  resource: "topic" | "group",
  name: string
): string => {
  if (kafka.sasl?._tag === "AwsIam")
    return `Allow ${iamActions[resource][operation]} on ${resource} ${name} in the IAM policy of this process`
  return script(
    "acls",
    kafka,
    `--add --allow-principal "${principalOf(kafka, subject)}" --operation ${operation} --${resource} ${name}`
  )
}

/** The same rights in the words of Amazon MSK. */
const iamActions = {
  topic: {
    READ: "kafka-cluster:DescribeTopic and kafka-cluster:ReadData",
    WRITE: "kafka-cluster:DescribeTopic and kafka-cluster:WriteData"
  },
  group: {
    READ: "kafka-cluster:DescribeGroup and kafka-cluster:AlterGroup",
    WRITE: "kafka-cluster:DescribeGroup and kafka-cluster:AlterGroup"
  }
}

/** Who the broker takes us for, unless it has rules of its own for that. */
const principalOf = ({ sasl, ssl }: KafkaSettings, subject = "<subject of the token>"): string => {
  if (sasl?._tag === "Password") return `User:${sasl.username}`
  // Confluent Cloud knows the identity pool; a broker takes the subject of the token, unless it is set otherwise.
  if (sasl?._tag === "OAuth") return `User:${sasl.extensions["identityPoolId"] ?? subject}`
  if (ssl?.cert === undefined) return "User:ANONYMOUS"
  // One line for each part, the least significant last; Kafka writes them the other way round.
  return `User:${new X509Certificate(ssl.cert).subject.split("\n").reverse().join(",")}`
}

/** What is behind a cluster that could not be reached, although something listens at `address`. */
export const connection = (
  error: KafkaError,
  kafka: KafkaSettings,
  address: string,
  isTls: boolean
): ReadonlyArray<string> => {
  const { message } = error
  const { sasl, ssl } = kafka
  const protocol = (tls: boolean, login: boolean) => `${login ? "SASL_" : ""}${tls ? "SSL" : login ? "PLAINTEXT" : ""}`
  if (isTls && ssl === undefined)
    return [`${address} speaks TLS: set KAFKA_SECURITY_PROTOCOL=${protocol(true, sasl !== undefined)}`]
  if (!isTls && ssl !== undefined)
    return [
      `${address} does not speak TLS: set KAFKA_SECURITY_PROTOCOL=${protocol(false, sasl !== undefined) || "PLAINTEXT"}, or name the port of a listener with TLS in KAFKA_BOOTSTRAP_SERVERS`
    ]
  const ofToken = sasl === undefined ? undefined : LoginRemedies.of(sasl, error)
  if (ofToken !== undefined) return ofToken
  if (sasl?._tag === "Password" && /authentication failed/i.test(message))
    return [
      "Set KAFKA_SASL_USERNAME and KAFKA_SASL_PASSWORD to credentials that the broker knows",
      ...(sasl.mechanism === "plain"
        ? []
        : [
            script(
              "configs",
              kafka,
              `--alter --entity-type users --entity-name ${sasl.username} --add-config '${sasl.mechanism.toUpperCase()}=[password=…]'`
            )
          ])
    ]
  if (/SASL state/i.test(message))
    return [
      `${address} requires no login: set KAFKA_SECURITY_PROTOCOL=${isTls ? "SSL" : "PLAINTEXT"}, or name the port of a listener with SASL in KAFKA_BOOTSTRAP_SERVERS`
    ]
  if (/mechanism/i.test(message)) return ["Set KAFKA_SASL_MECHANISM to one that the broker offers"]
  if (/altnames/i.test(message))
    return ["Use the names of the certificate in KAFKA_BOOTSTRAP_SERVERS, or add the missing names to the certificate"]
  if (/certificate/i.test(message))
    return ["Set KAFKA_SSL_CA to the certificate of the authority that signed the broker's (a PEM file)"]
  const other = /ECONNREFUSED (\S+)|ENOTFOUND (\S+)/.exec(message)
  const elsewhere = other?.[1] ?? other?.[2]
  if (elsewhere !== undefined && !kafka.brokers.includes(elsewhere))
    return [
      `The cluster advertises ${elsewhere}, which is unreachable from here: set advertised.listeners in its server.properties to a reachable address`
    ]
  if (sasl === undefined && /closed connection/i.test(message))
    return [
      `${address} closes connections without a login, or is not Kafka: set KAFKA_SECURITY_PROTOCOL=${protocol(isTls, true)} with KAFKA_SASL_MECHANISM, KAFKA_SASL_USERNAME and KAFKA_SASL_PASSWORD, or fix KAFKA_BOOTSTRAP_SERVERS`
    ]
  return [
    "Check KAFKA_BOOTSTRAP_SERVERS, KAFKA_SECURITY_PROTOCOL, KAFKA_SASL_*, KAFKA_OAUTH_* and KAFKA_SSL_*, and the broker's log"
  ]
}
