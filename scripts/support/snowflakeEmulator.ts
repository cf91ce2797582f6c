// Installs and starts the Snowflake emulator (fakesnow in a Python of its own) for the real driver to talk to.
import { createHash } from "node:crypto"
import { existsSync } from "node:fs"
import { mkdir, mkdtemp, readFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { lastLines, runCommand, runOrThrow } from "./command.ts"
import { type Daemon, startDaemon } from "./daemon.ts"
import { freePort } from "./freePort.ts"
import { installOnce } from "./installOnce.ts"
import { cacheDir, supportDir } from "./paths.ts"

export interface Emulator {
  readonly port: number
  /** For `accessUrl` of the driver, or SNOWFLAKE_HOST. */
  readonly url: string
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
  /** true: goes on when this process ends. Default: it dies with it. */
  readonly survive?: boolean
}

const home = join(supportDir, "fakesnow")

/** The Python to run it with. Throws an Error that names what has to be installed: "Python 3.10" or "python3-venv". */
export const installEmulator = async (say: (line: string) => void = () => {}): Promise<string> => {
  const requirements = join(home, "requirements.txt")
  // Named after its contents: other pins get another environment, never a stale one.
  const digest = createHash("sha256")
    .update(await readFile(requirements))
    .digest("hex")
    .slice(0, 12)
  const target = join(cacheDir, "emulator", `venv-${digest}`)
  if (!existsSync(target)) {
    await requirePython()
    await installOnce(target, async (into) => {
      say("Installing the Snowflake emulator from PyPI (once)…")
      await runOrThrow("python3", ["-m", "venv", into])
      const pip = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "-r", requirements]
      const { code, output } = await runCommand(join(into, "bin", "python"), pip)
      if (code !== 0) throw new Error(`pip could not install the Snowflake emulator:\n${lastLines(output)}`)
    })
  }
  return join(target, "bin", "python")
}

const requirePython = async (): Promise<void> => {
  const { code } = await runCommand("python3", ["-c", "import sys; sys.exit(sys.version_info < (3, 10))"])
  if (code !== 0)
    throw new Error("Python 3.10 or newer is missing. On Debian or Ubuntu: apt-get install python3 python3-venv")
  // Debian splits the standard library: without python3-venv, `python3 -m venv` exists and fails.
  if ((await runCommand("python3", ["-c", "import ensurepip, venv"])).code !== 0) {
    throw new Error("python3-venv is missing. On Debian or Ubuntu: apt-get install python3-venv")
  }
}

export const startEmulator = async (options: EmulatorOptions = {}): Promise<Emulator> => {
  const { dataDir, idleTransactionSeconds = 300, survive = false } = options
  const python = await installEmulator()
  const port = options.port ?? (await freePort())
  const url = `http://127.0.0.1:${port}`
  const logDir = dataDir ?? (await mkdtemp(join(tmpdir(), "bronze-emulator-")))
  await mkdir(logDir, { recursive: true })

  const start = async (): Promise<Daemon> => {
    const daemon = await startDaemon({
      program: python,
      args: [join(home, "server.py"), String(port), ...(dataDir === undefined ? [] : [dataDir])],
      logFile: join(logDir, "emulator.log"),
      env: { PYTHONDONTWRITEBYTECODE: "1", EMULATOR_IDLE_TRANSACTION_S: String(idleTransactionSeconds) },
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
