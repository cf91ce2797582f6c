/**
 * The null Snowflake as the bench sees it: started as a process of its own, told how slow to be, asked what has become
 * durable.
 */
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

/** The settings of the service that lead there. */
export const settingsFor = (url: string): Readonly<Record<string, string>> => ({
  SNOWFLAKE_HOST: url,
  SNOWFLAKE_ACCOUNT: "bench",
  SNOWFLAKE_USER: "bronze",
  SNOWFLAKE_PASSWORD: "not-a-secret",
  SNOWFLAKE_DATABASE: "LAKE"
})
