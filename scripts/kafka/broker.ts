// Starts real Apache Kafka brokers on 127.0.0.1, one or a cluster, and returns each only when it answers.
import { randomBytes } from "node:crypto"
import { existsSync } from "node:fs"
import { mkdir, writeFile } from "node:fs/promises"
import { join } from "node:path"
import { runOrThrow } from "../support/command.ts"
import { type Daemon, startDaemon } from "../support/daemon.ts"
import { freePort } from "../support/freePort.ts"
import { installKafka, javaProgram } from "./install.ts"
import { allowedUrls, createIssuer, type OAuthListener } from "./oauth.ts"
import { type NodeSettings, serverProperties } from "./properties.ts"
import { assertReady } from "./ready.ts"
import { createSecurity, type SecureListeners, scramFormatArgs } from "./security.ts"

export { freePort } from "../support/freePort.ts"
export { installKafka } from "./install.ts"

export interface Broker {
  readonly nodeId: number
  readonly port: number
  /** host:port of this broker alone. */
  readonly bootstrap: string
  readonly pid: number
  /** SIGTERM, and waits until the process is gone. The data stay. */
  stop(): Promise<void>
  /** SIGKILL, at once. */
  kill(): void
  /** Same port, same data; stops the broker first when it runs. Resolves when it answers. */
  restart(): Promise<void>
}

export interface SecureBroker extends Broker {
  readonly secure: SecureListeners
}

export interface OAuthBroker extends Broker {
  readonly oauth: OAuthListener
}

export interface BrokerOptions {
  readonly dataDir: string
  /** Default: a free one. */
  readonly port?: number
  readonly controllerPort?: number
  /** Whether whoever asks for a topic creates it, as is Kafka's default. Default: false. */
  readonly autoCreateTopics?: boolean
  /** true: the broker keeps running when this process ends. Default: it dies with it. */
  readonly survive?: boolean
}

const JVM = ["-Xmx256m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn"]

export const startBroker = async (options: BrokerOptions): Promise<Broker> =>
  launch(await settings(options), options, 1, newClusterId())

/** As startBroker, with SASL_PLAINTEXT, SSL and SASL_SSL listeners besides the plain one. */
export const startSecureBroker = async (options: BrokerOptions): Promise<SecureBroker> => {
  const secure = await createSecurity(join(options.dataDir, "tls"))
  const broker = await launch({ ...(await settings(options)), secure }, options, 1, newClusterId())
  return Object.assign(broker, { secure })
}

/** As startBroker, with a SASL_PLAINTEXT listener besides the plain one that takes OAUTHBEARER tokens of an issuer. */
export const startOAuthBroker = async (options: BrokerOptions): Promise<OAuthBroker> => {
  const oauth = await createIssuer(join(options.dataDir, "oauth"))
  const broker = await launch({ ...(await settings(options)), oauth }, options, 1, newClusterId())
  return Object.assign(broker, { oauth })
}

/** Node 1 is controller and broker, the others are brokers only. Internal topics are replicated to all nodes. */
export const startCluster = async ({
  nodes,
  dataDir
}: {
  readonly nodes: number
  readonly dataDir: string
}): Promise<ReadonlyArray<Broker>> => {
  const controllerPort = await freePort()
  const clusterId = newClusterId()
  const started: Array<Broker> = []
  for (let nodeId = 1; nodeId <= nodes; nodeId++) {
    const options = { dataDir: join(dataDir, `node-${nodeId}`), controllerPort }
    const node = { ...(await settings(options)), nodeId, clusterSize: nodes }
    // Not before the last node is up can the whole be ready.
    const expected = nodeId === nodes ? nodes : 0
    started.push(
      await launch(nodeId === 1 ? node : { ...node, roles: "broker" as const }, options, expected, clusterId)
    )
  }
  return started
}

const newClusterId = (): string => randomBytes(16).toString("base64url").replace(/^-/, "A")

const settings = async ({
  autoCreateTopics = false,
  controllerPort,
  dataDir,
  port
}: BrokerOptions): Promise<NodeSettings> => ({
  autoCreateTopics,
  nodeId: 1,
  roles: "broker,controller",
  port: port ?? (await freePort()),
  controllerPort: controllerPort ?? (await freePort()),
  logDir: join(dataDir, "log"),
  clusterSize: 1
})

const launch = async (
  node: NodeSettings,
  { dataDir, survive = false }: BrokerOptions,
  expectedBrokers: number,
  clusterId: string
): Promise<Broker> => {
  const lib = join(await installKafka(), "*")
  const config = join(dataDir, "server.properties")
  const bootstrap = `127.0.0.1:${node.port}`
  await mkdir(dataDir, { recursive: true })
  await writeFile(config, serverProperties(node))
  if (!existsSync(join(node.logDir, "meta.properties"))) {
    const scram = node.secure === undefined ? [] : scramFormatArgs(node.secure)
    const format = ["kafka.tools.StorageTool", "format", "-t", clusterId, "-c", config, ...scram]
    await runOrThrow(javaProgram(), [...JVM, "-cp", lib, ...format])
  }

  const start = async (expected: number): Promise<Daemon> => {
    const started = await startDaemon({
      program: javaProgram(),
      args: [...JVM, ...(node.oauth === undefined ? [] : allowedUrls(node.oauth)), "-cp", lib, "kafka.Kafka", config],
      logFile: join(dataDir, "broker.log"),
      survive
    })
    await started.waitUntil(async () => {
      if (expected > 0) await assertReady(bootstrap, expected)
    })
    return started
  }

  let daemon = await start(expectedBrokers)
  return {
    nodeId: node.nodeId,
    port: node.port,
    bootstrap,
    get pid() {
      return daemon.pid
    },
    stop: () => daemon.stop(),
    kill: () => daemon.signal("SIGKILL"),
    restart: async () => {
      await daemon.stop()
      // The rest of a cluster may be down on purpose: this broker alone has to answer.
      daemon = await start(1)
    }
  }
}
