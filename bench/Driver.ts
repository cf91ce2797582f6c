/**
 * snowflake-sdk as people use it, for the subjects that the service is compared with: a session, and a statement to
 * wait for.
 */
import type { Bind, Connection } from "snowflake-sdk"

export type Run = (sqlText: string, binds?: ReadonlyArray<Bind>) => Promise<number>

/** Logs in, and gives what runs a statement and tells how many rows it changed. */
export const connect = async (url: string): Promise<Run> => {
  process.env["SNOWFLAKE_DISABLE_PLATFORM_DETECTION"] = "true"
  const { default: driver } = await import("snowflake-sdk")
  driver.configure({ logLevel: "OFF", additionalLogToConsole: false })
  const connection: Connection = driver.createConnection({
    account: "bench",
    username: "bronze",
    password: "not-a-secret",
    database: "LAKE",
    schema: "BRONZE",
    accessUrl: url
  })
  await connection.connectAsync(() => undefined)
  return (sqlText, binds) =>
    new Promise((resolve, reject) => {
      connection.execute({
        sqlText,
        ...(binds !== undefined && { binds: [...binds] }),
        complete: (error, done) => (error ? reject(error) : resolve(done.getNumUpdatedRows() ?? 0))
      })
    })
}
