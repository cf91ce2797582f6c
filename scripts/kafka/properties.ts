// The text of a broker's server.properties: KRaft, localhost only, small and quick, topics never created by accident.
import { type OAuthListener, oauthProperties } from "./oauth.ts"
import type { SecureListeners } from "./security.ts"

export interface NodeSettings {
  readonly nodeId: number
  readonly roles: "broker,controller" | "broker"
  readonly port: number
  /** Where node 1, the only controller, listens. */
  readonly controllerPort: number
  readonly logDir: string
  readonly clusterSize: number
  readonly secure?: SecureListeners
  readonly oauth?: OAuthListener
  /** Whether whoever asks for a topic creates it, as is Kafka's default. */
  readonly autoCreateTopics?: boolean
}

export const serverProperties = (node: NodeSettings): string => {
  const { oauth, secure } = node
  const listeners = [`PLAINTEXT://127.0.0.1:${node.port}`]
  if (secure !== undefined) {
    listeners.push(`SASL_PLAINTEXT://127.0.0.1:${secure.saslPlaintextPort}`)
    listeners.push(`SSL://127.0.0.1:${secure.sslPort}`, `SASL_SSL://127.0.0.1:${secure.saslSslPort}`)
  }
  if (oauth !== undefined) listeners.push(`OAUTH://127.0.0.1:${oauth.port}`)
  const controller = node.roles === "broker" ? [] : [`CONTROLLER://127.0.0.1:${node.controllerPort}`]
  return `${[
    `process.roles=${node.roles}`,
    `node.id=${node.nodeId}`,
    `listeners=${[...listeners, ...controller].join(",")}`,
    `advertised.listeners=${listeners.join(",")}`,
    "controller.listener.names=CONTROLLER",
    "listener.security.protocol.map=PLAINTEXT:PLAINTEXT,SASL_PLAINTEXT:SASL_PLAINTEXT,SSL:SSL,SASL_SSL:SASL_SSL,OAUTH:SASL_PLAINTEXT,CONTROLLER:PLAINTEXT",
    `controller.quorum.voters=1@127.0.0.1:${node.controllerPort}`,
    `log.dirs=${node.logDir}`,
    "offsets.topic.num.partitions=1",
    `offsets.topic.replication.factor=${node.clusterSize}`,
    "transaction.state.log.num.partitions=1",
    `transaction.state.log.replication.factor=${node.clusterSize}`,
    "transaction.state.log.min.isr=1",
    "group.initial.rebalance.delay.ms=0",
    // Tests kill members and want to see the others take over within seconds.
    "group.min.session.timeout.ms=1000",
    `auto.create.topics.enable=${node.autoCreateTopics === true}`,
    // A broker that was SIGKILLed may come back only when its old session is over; the default is 9 s.
    "broker.session.timeout.ms=4000",
    "broker.heartbeat.interval.ms=500",
    "log.cleaner.dedupe.buffer.size=2097152",
    ...(secure === undefined ? [] : secureProperties(secure)),
    ...(oauth === undefined ? [] : oauthProperties(oauth))
  ].join("\n")}\n`
}

const secureProperties = (secure: SecureListeners): ReadonlyArray<string> => {
  const plain = "org.apache.kafka.common.security.plain.PlainLoginModule"
  const scram = "org.apache.kafka.common.security.scram.ScramLoginModule"
  const logins = ["sasl_plaintext", "sasl_ssl"].flatMap((listener) => [
    `listener.name.${listener}.plain.sasl.jaas.config=${plain} required user_${secure.username}="${secure.password}";`,
    `listener.name.${listener}.scram-sha-256.sasl.jaas.config=${scram} required;`,
    `listener.name.${listener}.scram-sha-512.sasl.jaas.config=${scram} required;`
  ])
  return [
    "sasl.enabled.mechanisms=PLAIN,SCRAM-SHA-256,SCRAM-SHA-512",
    ...logins,
    "ssl.keystore.type=PEM",
    `ssl.keystore.location=${secure.brokerPemPath}`,
    "ssl.truststore.type=PEM",
    `ssl.truststore.location=${secure.caPath}`,
    "ssl.client.auth=requested"
  ]
}
