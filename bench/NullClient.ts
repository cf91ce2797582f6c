/**
 * The null Snowflake as the bench sees it: started as a process of its own, told how slow to be, asked what has become
 * durable.
 */
import { generateKeyPairSync } from "node:crypto"
import { writeFile } from "node:fs/promises"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { type BronzeProcess, start } from "../scripts/support/bronzeProcess.ts"
import type { Commit } from "./NullWarehouse.ts"

export interface Control {
  /** Milliseconds that each statement takes. */
  readonly latency: number
  /** Milliseconds that an UPDATE or MERGE takes; default: as the others. */
  readonly updateLatency?: number
  /** Whether an UPDATE locks the ledger until COMMIT, as on Snowflake; else transactions do not wait for each other. */
  readonly locks?: boolean
  /** Milliseconds until rows of the streaming API are durable. */
  readonly durable?: number
  /** Forgets everything: sessions, ledger, counts. */
  readonly reset?: boolean
}

export interface Stats {
  /** Rows that are durable. */
  readonly rows: number
  readonly statements: number
  /** Statements that inserted something. */
  readonly inserts: number
  readonly bytes: number
  readonly commits: ReadonlyArray<Commit>
}

export interface NullSnowflake {
  readonly url: string
  readonly pid: number
  readonly control: (control: Control) => Promise<void>
  readonly stats: () => Promise<Stats>
  /** Resolves when that many rows are durable, or the time is over. */
  readonly reached: (rows: number, limit: number) => Promise<void>
  readonly stop: () => Promise<void>
}

const program = fileURLToPath(new URL("NullSnowflake.ts", import.meta.url))

export const startNullSnowflake = async (): Promise<NullSnowflake> => {
  const server: BronzeProcess = start({ NODE_OPTIONS: "--import=tsx" }, [], program)
  const { text } = await server.line(/^listening on/)
  const url = `http://127.0.0.1:${text.split(" ").at(-1)}`
  const ask = async (path: string, options?: RequestInit): Promise<Stats> => {
    const answer = await fetch(`${url}/bench/${path}`, options)
    const stats: Stats = JSON.parse(await answer.text())
    return stats
  }
  return {
    url,
    pid: server.pid,
    control: async (control) => {
      await ask("control", { method: "POST", body: JSON.stringify(control) })
    },
    stats: () => ask("stats"),
    reached: async (rows, limit) => {
      await ask(`reached/${rows}`, { signal: AbortSignal.timeout(limit) }).catch((error: unknown) => {
        if (!(error instanceof Error && error.name === "TimeoutError")) throw error
      })
    },
    stop: async () => {
      server.signal("SIGKILL")
      await server.exit
    }
  }
}

/** The same over the streaming API; the key signs what nobody checks. */
export const streamingSettingsFor = async (url: string, folder: string): Promise<Readonly<Record<string, string>>> => {
  const { SNOWFLAKE_PASSWORD: _, ...account } = settingsFor(url)
  const path = join(folder, "key.p8")
  const { privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 })
  await writeFile(path, privateKey.export({ type: "pkcs8", format: "pem" }))
  return { ...account, SNOWFLAKE_WRITER: "streaming", SNOWFLAKE_PRIVATE_KEY_PATH: path }
}

/** The settings of the service that lead there. */
export const settingsFor = (url: string): Readonly<Record<string, string>> => ({
  SNOWFLAKE_HOST: url,
  SNOWFLAKE_ACCOUNT: "bench",
  SNOWFLAKE_USER: "bronze",
  SNOWFLAKE_PASSWORD: "not-a-secret",
  SNOWFLAKE_DATABASE: "LAKE"
})
