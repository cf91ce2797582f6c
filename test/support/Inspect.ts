/** Reads the warehouse behind the service's back, as a person with a SQL client would. */
import duckdb from "@duckdb/node-api"

export interface Inspect {
  /** Rows with lower-case column names; numbers as numbers, the rest as text. */
  readonly query: (sql: string) => Promise<ReadonlyArray<Readonly<Record<string, unknown>>>>
  readonly close: () => Promise<void>
}

const lowerCase = (row: Readonly<Record<string, unknown>>): Record<string, unknown> =>
  Object.fromEntries(Object.entries(row).map(([name, value]) => [name.toLowerCase(), plain(value)]))

const plain = (value: unknown): unknown => {
  if (typeof value === "bigint") return Number(value)
  return typeof value === "object" && value !== null ? String(value) : value
}

/** The Snowflake emulator, through the real driver. */
export const snowflake = async (url: string, database: string): Promise<Inspect> => {
  process.env["SNOWFLAKE_DISABLE_PLATFORM_DETECTION"] = "true"
  const { default: sdk } = await import("snowflake-sdk")
  sdk.configure({ logLevel: "OFF", additionalLogToConsole: false })
  const connection = sdk.createConnection({
    account: "test",
    username: "reader",
    password: "x",
    accessUrl: url,
    database,
    schema: "BRONZE"
  })
  await connection.connectAsync(() => undefined)
  return {
    query: (sqlText) =>
      new Promise((resolve, reject) => {
        connection.execute({
          sqlText,
          fetchAsString: ["JSON", "Date"],
          complete: (error, _, rows) => (error ? reject(error) : resolve((rows ?? []).map(lowerCase)))
        })
      }),
    close: () => new Promise((resolve) => connection.destroy(() => resolve()))
  }
}

/** A DuckDB file; no other process may hold it. */
export const duckDb = async (path: string): Promise<Inspect> => {
  const instance = await duckdb.DuckDBInstance.create(path)
  const connection = await instance.connect()
  return {
    query: async (sql) => (await connection.runAndReadAll(sql)).getRowObjects().map(lowerCase),
    close: async () => {
      connection.closeSync()
      instance.closeSync()
    }
  }
}
