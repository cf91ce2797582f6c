// Starts a real schema registry on 127.0.0.1 and returns it when it answers; what it holds is in a file.
import { mkdir } from "node:fs/promises"
import { join } from "node:path"
import { javaProgram } from "../kafka/install.ts"
import { startDaemon } from "../support/daemon.ts"
import { freePort } from "../support/freePort.ts"
import { installRegistry, REGISTRY_VERSION } from "./install.ts"

export interface RegistryServer {
  /** What SCHEMA_REGISTRY_URL takes. */
  readonly url: string
  /** SIGTERM, and waits until the process is gone. */
  stop(): Promise<void>
  /** SIGKILL, and waits until the process is gone. */
  kill(): Promise<void>
  /** Starts it again at the same address, with the schemas that it had. */
  restart(): Promise<void>
  /** SIGSTOP: it no longer answers. */
  pause(): void
  /** SIGCONT. */
  resume(): void
}

const JVM = ["-Xmx256m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Dquarkus.http.host=127.0.0.1"]

export const startRegistry = async (dataDir: string): Promise<RegistryServer> => {
  const lib = await installRegistry()
  const port = await freePort()
  const url = `http://127.0.0.1:${port}/apis/ccompat/v7`
  const jar = join(lib, `apicurio-registry-app-${REGISTRY_VERSION}-runner.jar`)
  const start = async () => {
    const daemon = await startDaemon({
      program: javaProgram(),
      args: [
        ...JVM,
        `-Dapicurio.datasource.url=jdbc:h2:file:${join(dataDir, "registry")}`,
        `-Dquarkus.http.port=${port}`,
        ...["-jar", jar]
      ],
      logFile: join(dataDir, "registry.log")
    })
    await daemon.waitUntil(async () => {
      const answer = await fetch(`${url}/subjects`)
      if (!answer.ok) throw new Error(`status ${answer.status}`)
    }, 120_000)
    return daemon
  }
  await mkdir(dataDir, { recursive: true })
  let daemon = await start()
  return {
    url,
    stop: () => daemon.stop(),
    kill: async () => {
      daemon.signal("SIGKILL")
      await daemon.stop()
    },
    restart: async () => {
      daemon = await start()
    },
    pause: () => daemon.signal("SIGSTOP"),
    resume: () => daemon.signal("SIGCONT")
  }
}
