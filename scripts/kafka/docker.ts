// The same broker as a container of the official image, for machines where a Docker engine answers.
import { runCommand, runOrThrow, sleep } from "../support/command.ts"
import { KAFKA_VERSION } from "./install.ts"
import { assertReady } from "./ready.ts"

const IMAGE = `apache/kafka:${KAFKA_VERSION}`
const CONTAINER = "bronze-kafka"
// A named volume instead of a folder of the host: the image runs as a user of its own, who could not write there.
const VOLUME = "bronze-kafka-data"

export interface Container {
  readonly name: string
  readonly port: number
}

/** The command alone is not enough: an engine has to answer, and quickly. */
export const dockerAnswers = async (): Promise<boolean> =>
  (await runCommand("docker", ["info"], { timeoutMs: 4_000 })).code === 0

/** undefined when there is no running container of ours. */
export const runningContainer = async (): Promise<Container | undefined> => {
  const { code, output } = await runCommand("docker", ["port", CONTAINER, "9092/tcp"], { timeoutMs: 10_000 })
  const port = /:(\d+)\s*$/m.exec(output)?.[1]
  return code === 0 && port !== undefined ? { name: CONTAINER, port: Number(port) } : undefined
}

export const startContainer = async (port: number, say: (line: string) => void): Promise<Container> => {
  // A container that was stopped by a reboot may be left over; its data are in the volume.
  await runCommand("docker", ["rm", "-f", CONTAINER])
  if ((await runCommand("docker", ["image", "inspect", IMAGE])).code !== 0) {
    say(`Pulling the image ${IMAGE} (once)…`)
    await runOrThrow("docker", ["pull", "-q", IMAGE])
  }
  const env = Object.entries(brokerEnvironment(port)).flatMap(([name, value]) => ["-e", `${name}=${value}`])
  const publish = ["-p", `127.0.0.1:${port}:9092`, "-v", `${VOLUME}:/var/lib/kafka/data`]
  await runOrThrow("docker", ["run", "-d", "--name", CONTAINER, ...publish, ...env, IMAGE])
  await waitUntilReady(port)
  return { name: CONTAINER, port }
}

export const stopContainer = async (): Promise<void> => {
  await runOrThrow("docker", ["stop", "-t", "30", CONTAINER])
  await runOrThrow("docker", ["rm", CONTAINER])
}

export const deleteVolume = async (): Promise<void> => {
  await runCommand("docker", ["volume", "rm", "-f", VOLUME])
}

const waitUntilReady = async (port: number): Promise<void> => {
  const deadline = Date.now() + 90_000
  for (;;) {
    try {
      return await assertReady(`127.0.0.1:${port}`, 1)
    } catch (error) {
      if (Date.now() > deadline) {
        throw new Error(`The container ${CONTAINER} does not answer (docker logs ${CONTAINER}): ${String(error)}`)
      }
    }
    await sleep(250)
  }
}

const brokerEnvironment = (port: number): Readonly<Record<string, string>> => ({
  KAFKA_NODE_ID: "1",
  KAFKA_PROCESS_ROLES: "broker,controller",
  KAFKA_LISTENERS: "PLAINTEXT://:9092,CONTROLLER://:9093",
  KAFKA_ADVERTISED_LISTENERS: `PLAINTEXT://127.0.0.1:${port}`,
  KAFKA_CONTROLLER_LISTENER_NAMES: "CONTROLLER",
  KAFKA_LISTENER_SECURITY_PROTOCOL_MAP: "CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT",
  KAFKA_CONTROLLER_QUORUM_VOTERS: "1@localhost:9093",
  KAFKA_LOG_DIRS: "/var/lib/kafka/data",
  KAFKA_OFFSETS_TOPIC_REPLICATION_FACTOR: "1",
  KAFKA_TRANSACTION_STATE_LOG_REPLICATION_FACTOR: "1",
  KAFKA_TRANSACTION_STATE_LOG_MIN_ISR: "1",
  KAFKA_GROUP_INITIAL_REBALANCE_DELAY_MS: "0",
  KAFKA_AUTO_CREATE_TOPICS_ENABLE: "false"
})
