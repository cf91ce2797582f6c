// Where the demo writes: a DuckDB file, or a Snowflake emulator that ends with the demo; how the service reaches it,
// and how its tables are read.
import { generateKeyPairSync } from "node:crypto"
import { writeFile } from "node:fs/promises"
import { join, resolve } from "node:path"
import { DuckDBInstance } from "@duckdb/node-api"
import { installEmulator, startEmulator } from "../emulator/emulator.ts"
import { runOrThrow } from "../support/command.ts"
import { projectRoot } from "../support/paths.ts"
import { FOLDER } from "./folder.ts"
import type { Sink } from "./options.ts"
import type { Environment } from "./service.ts"

export interface Table {
  readonly columns: ReadonlyArray<string>
  readonly rows: ReadonlyArray<ReadonlyArray<string>>
}

export type Query = (sql: string) => Promise<Table>

export interface Warehouse {
  readonly name: string
  readonly settings: Environment
  /** Where the user finds the tables. */
  readonly place: string
  /** The folder of its queries, below the project's. */
  readonly queries: string
  /** While the service does not run: a DuckDB file belongs to one process at a time. */
  readonly read: <A>(read: (query: Query) => Promise<A>) => Promise<A>
  readonly release: () => Promise<void>
}

const shown = (value: unknown): string =>
  value === null ? "NULL" : typeof value === "object" ? JSON.stringify(value) : String(value)

const duckDb = (path: string): Warehouse => ({
  name: "a new DuckDB file",
  settings: { SINK: "duckdb", DUCKDB_PATH: path },
  place: path,
  queries: "sql/duckdb/queries",
  read: async (read) => {
    const instance = await DuckDBInstance.create(resolve(projectRoot, path), { access_mode: "READ_ONLY" })
    const connection = await instance.connect()
    try {
      return await read(async (sql) => {
        const reader = await connection.runAndReadAll(sql)
        return {
          columns: reader.columnNames(),
          rows: reader.getRows().map((row) => row.map((value) => (value === null ? "NULL" : String(value))))
        }
      })
    } finally {
      connection.closeSync()
      instance.closeSync()
    }
  },
  release: async () => {}
})

/** The rows of `bronze-consumer query`, the way that a user has without a Snowflake client. */
const byCommand =
  (settings: Environment): Query =>
  async (sql) => {
    const words = ["dist/main.js", "query", sql, "--json", "--limit", "1000"]
    const rows: unknown = JSON.parse(await runOrThrow(process.execPath, words, { cwd: projectRoot, env: settings }))
    const objects = Array.isArray(rows) ? rows.map((row: unknown) => Object.entries(Object(row))) : []
    return {
      columns: (objects[0] ?? []).map(([name]) => name),
      rows: objects.map((entries) => entries.map(([, value]) => shown(value)))
    }
  }

const writeKey = async (path: string): Promise<void> => {
  const { privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 })
  await writeFile(resolve(projectRoot, path), privateKey.export({ type: "pkcs8", format: "pem" }), { mode: 0o600 })
}

const login = async (sink: "snowflake" | "streaming", folder: string): Promise<Environment> => {
  if (sink === "snowflake") return { SNOWFLAKE_PASSWORD: "demo" }
  const path = join(folder, "key.p8")
  await writeKey(path)
  return { SNOWFLAKE_WRITER: "streaming", SNOWFLAKE_PRIVATE_KEY_PATH: path }
}

const snowflake = async (
  sink: "snowflake" | "streaming",
  folder: string,
  say: (line: string) => void
): Promise<Warehouse> => {
  await installEmulator(say)
  const account = await login(sink, folder)
  const emulator = await startEmulator()
  const settings = {
    SINK: "snowflake",
    SNOWFLAKE_HOST: emulator.url,
    SNOWFLAKE_ACCOUNT: "demo",
    SNOWFLAKE_USER: "bronze",
    SNOWFLAKE_DATABASE: "LAKE",
    SNOWFLAKE_WAREHOUSE: "LOAD",
    ...account
  }
  return {
    name: sink === "streaming" ? "a Snowflake emulator, for Snowpipe Streaming" : "a Snowflake emulator",
    settings,
    place: `${emulator.url}, until the demo ends`,
    queries: "sql/snowflake/queries",
    read: (read) => read(byCommand(settings)),
    release: () => emulator.stop()
  }
}

/** `folder` takes what it keeps: a path below the project's folder, or an absolute one. */
export const openWarehouse = async (sink: Sink, say: (line: string) => void, folder = FOLDER): Promise<Warehouse> =>
  sink === "duckdb" ? duckDb(join(folder, "bronze.duckdb")) : snowflake(sink, folder, say)
