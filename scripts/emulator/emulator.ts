// Installs and starts the Snowflake emulator (fakesnow in a Python of its own) for the real driver to talk to.
import { mkdir, mkdtemp } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { type Daemon, startDaemon } from "../support/daemon.ts"
import { freePort } from "../support/freePort.ts"
import { projectRoot } from "../support/paths.ts"
import { installPython } from "../support/python.ts"

export interface Emulator {
  readonly port: number
  /** For `accessUrl` of the driver, or SNOWFLAKE_HOST. */
  readonly url: string
  /** Where the streaming API is served: with `tls` over HTTPS, which is all that Snowflake's own client accepts. */
  readonly streamingUrl: string
  /** With `tls`: the certificate authority to trust. */
  readonly caFile?: string
  readonly pid: number
  stop(): Promise<void>
  /** SIGKILL, at once. */
  kill(): void
  /** Same port; with dataDir also the same data. All sessions are gone. */
  restart(): Promise<void>
}

export interface EmulatorOptions {
  /** Default: a free one. */
  readonly port?: number
  /** Databases are kept here and outlive stop, kill and restart. Default: in memory. */
  readonly dataDir?: string
  /** A transaction that has been idle this long is rolled back when another one waits for its lock. Default 300. */
  readonly idleTransactionSeconds?: number
  /** What Snowflake does not say that it never does: scripts/emulator/modes.py. Default: it does not. */
  readonly mode?: "snapshot" | "twins"
  /** What the account is like: scripts/emulator/options.py. */
  readonly options?: Readonly<Record<string, string | number | boolean>>
  /** true: HTTPS on a second port. Default: plain HTTP alone. */
  readonly tls?: boolean
  /** true: keeps running when this process ends. Default: it dies with it. */
  readonly survive?: boolean
}

const home = join(projectRoot, "scripts", "emulator")

/** The Python to run it with. */
export const installEmulator = async (say?: (line: string) => void): Promise<string> =>
  join(await installPython("emulator", "the Snowflake emulator", join(home, "requirements.txt"), say), "python")

export const startEmulator = async (options: EmulatorOptions = {}): Promise<Emulator> => {
  const { dataDir, idleTransactionSeconds = 300, mode = "", survive = false } = options
  const python = await installEmulator()
  const port = options.port ?? (await freePort())
  const url = `http://127.0.0.1:${port}`
  const logDir = dataDir ?? (await mkdtemp(join(tmpdir(), "bronze-emulator-")))
  await mkdir(logDir, { recursive: true })
  const tls = options.tls === true ? { port: await freePort(), dir: join(logDir, "tls") } : undefined
  const account = {
    "idle-transaction-s": idleTransactionSeconds,
    mode,
    ...(tls === undefined ? {} : { "tls-port": tls.port, "tls-dir": tls.dir }),
    ...options.options
  }

  const start = async (): Promise<Daemon> => {
    const daemon = await startDaemon({
      program: python,
      args: [
        join(home, "server.py"),
        String(port),
        ...(dataDir === undefined ? [] : [dataDir]),
        ...Object.entries(account).map(([name, value]) => `--${name}=${value}`)
      ],
      logFile: join(logDir, "emulator.log"),
      env: { PYTHONDONTWRITEBYTECODE: "1" },
      survive
    })
    await daemon.waitUntil(async () => {
      const answer = await fetch(url, { signal: AbortSignal.timeout(2_000) })
      await answer.arrayBuffer()
    }, 30_000)
    return daemon
  }

  let daemon = await start()
  return {
    port,
    url,
    streamingUrl: tls === undefined ? url : `https://localhost:${tls.port}`,
    ...(tls === undefined ? {} : { caFile: join(tls.dir, "ca.pem") }),
    get pid() {
      return daemon.pid
    },
    stop: () => daemon.stop(),
    kill: () => daemon.signal("SIGKILL"),
    restart: async () => {
      await daemon.stop()
      daemon = await start()
    }
  }
}
