// The folder of the demo: one demo at a time, each with a DuckDB file and an env file of its own making.
import { mkdir, readFile, rm, writeFile } from "node:fs/promises"
import { join } from "node:path"
import { isAlive } from "../support/daemon.ts"
import { cacheDir, projectRoot } from "../support/paths.ts"

const folder = join(cacheDir, "demo")
const lock = join(folder, "demo.pid")

/** Below the project's folder, where the demo runs: short enough to be read and typed. */
export const FOLDER = ".cache/demo"

/** The settings of the demo, for `--env-file` in another terminal. */
export const ENV_FILE = `${FOLDER}/env`
const envFile = join(projectRoot, ENV_FILE)

/** Only its owner may read it: settings are nobody else's business. */
export const writeEnv = async (settings: Readonly<Record<string, string>>): Promise<void> => {
  const text = Object.entries(settings).map(([name, value]) => `${name}=${value}\n`)
  // A file that is there keeps its mode.
  await rm(envFile, { force: true })
  await writeFile(envFile, text.join(""), { mode: 0o600, flag: "wx" })
}

/** Returns what gives the folder back. Throws an Error that says what to do when another demo holds it. */
export const takeFolder = async (): Promise<() => Promise<void>> => {
  await mkdir(folder, { recursive: true })
  const owner = Number(await readFile(lock, "utf8").catch(() => ""))
  if (owner > 0 && isAlive(owner)) {
    throw new Error(
      `Another demo is already running (pid ${owner}). End it with Ctrl-C there, or delete ${lock} if it is not a demo.`
    )
  }
  await writeFile(lock, String(process.pid))
  await Promise.all(
    ["bronze.duckdb", "bronze.duckdb.wal", "key.p8"].map((name) => rm(join(folder, name), { force: true }))
  )
  return () => rm(lock, { force: true })
}
