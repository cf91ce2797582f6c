// The one long-lived broker of `npm run kafka`: in Docker where an engine answers, else on this machine's Java.
import { readFile, rm, writeFile } from "node:fs/promises"
import { join } from "node:path"
import { runCommand, sleep } from "../support/command.ts"
import { isAlive, signalIfAlive } from "../support/daemon.ts"
import { isFree } from "../support/freePort.ts"
import { cacheDir } from "../support/paths.ts"
import { startBroker } from "./broker.ts"
import { deleteVolume, dockerAnswers, runningContainer, startContainer, stopContainer } from "./docker.ts"
import { installKafka } from "./install.ts"

export interface LocalKafka {
  readonly bootstrap: string
  /** "pid 4711" or "container bronze-kafka". */
  readonly owner: string
  readonly dataDir: string
  stop(): Promise<void>
}

const dataDir = join(cacheDir, "kafka", "data")
const stateFile = join(dataDir, "broker.json")

/** undefined when it does not run. */
export const findLocalKafka = async (): Promise<LocalKafka | undefined> =>
  (await findProcess()) ?? ((await dockerAnswers()) ? findContainer() : undefined)

export const startLocalKafka = async (port: number, say: (line: string) => void): Promise<LocalKafka> => {
  // A data directory has one port for clients and, beside it, one for the controller.
  const controllerPort = port + 1
  for (const needed of [port, controllerPort]) {
    if (!(await isFree(needed))) {
      throw new Error(
        `Port ${needed} is in use by another program. Choose another one: KAFKA_PORT=29092 npm run kafka -- start`
      )
    }
  }
  if (await dockerAnswers()) {
    say(`Starting Apache Kafka in Docker on 127.0.0.1:${port}…`)
    const container = await startContainer(port, say)
    return fromContainer(container.name, container.port)
  }
  say("No Docker engine found: using Java.")
  await installKafka(say)
  say(`Starting Apache Kafka on 127.0.0.1:${port}…`)
  const { pid } = await startBroker({ dataDir, port, controllerPort, survive: true })
  await writeFile(stateFile, JSON.stringify({ pid, port }))
  return fromProcess(pid, port)
}

/** Deletes what the broker stored; it must not run. */
export const deleteLocalKafkaData = async (): Promise<void> => {
  await rm(dataDir, { recursive: true, force: true })
  if (await dockerAnswers()) await deleteVolume()
}

const findProcess = async (): Promise<LocalKafka | undefined> => {
  const text = await readFile(stateFile, "utf8").catch(() => undefined)
  if (text === undefined) return undefined
  const state: unknown = JSON.parse(text)
  if (typeof state !== "object" || state === null || !("pid" in state) || !("port" in state)) return undefined
  const pid = Number(state.pid)
  // After a reboot the pid may belong to something else: only a process that was started on our data is ours.
  const { output } = await runCommand("ps", ["-ww", "-o", "command=", "-p", String(pid)])
  return output.includes(dataDir) ? fromProcess(pid, Number(state.port)) : undefined
}

const findContainer = async (): Promise<LocalKafka | undefined> => {
  const container = await runningContainer()
  return container === undefined ? undefined : fromContainer(container.name, container.port)
}

const fromProcess = (pid: number, port: number): LocalKafka => ({
  bootstrap: `127.0.0.1:${port}`,
  owner: `pid ${pid}`,
  dataDir,
  stop: async () => {
    signalIfAlive(pid, "SIGTERM")
    const deadline = Date.now() + 30_000
    while (isAlive(pid)) {
      if (Date.now() > deadline) throw new Error(`Apache Kafka (pid ${pid}) did not stop within 30 s.`)
      await sleep(100)
    }
    await rm(stateFile, { force: true })
  }
})

const fromContainer = (name: string, port: number): LocalKafka => ({
  bootstrap: `127.0.0.1:${port}`,
  owner: `container ${name}`,
  dataDir: "the Docker volume bronze-kafka-data",
  stop: stopContainer
})
