/** The service with its live page for a test: started on a port of its own, and read as a person reads the page. */
import { join } from "node:path"
import type { Locator, Page } from "playwright-core"
import { type BronzeProcess, start } from "../../scripts/support/bronzeProcess.ts"
import { freePort } from "../../scripts/support/freePort.ts"
import { type Job, makeJob } from "./Job.ts"
import { eventually, type RealKafka } from "./RealKafka.ts"

export interface Service {
  readonly job: Job
  readonly url: string
  readonly run: () => BronzeProcess
}

/** A job whose DuckDB file is in the folder, and its service. */
export const serve = async (
  kafka: Pick<RealKafka, "bootstrap" | "createTopic">,
  folder: string,
  extra: Readonly<Record<string, string>> = {}
): Promise<Service> => {
  const port = await freePort()
  const sink = { SINK: "duckdb", DUCKDB_PATH: join(folder, `${port}.duckdb`) }
  const settings = { BATCH_TIMEOUT: "1", SNOWFLAKE_PASSWORD: "s3cret-password", LOG_FILE: "", ...extra }
  const job = await makeJob(kafka, sink, { extra: settings })
  const env = { ...job.env, HTTP_PORT: String(port) }
  return { job, url: `http://127.0.0.1:${port}`, run: () => start(env) }
}

export const listening = (service: BronzeProcess) => service.line(/Live page/)

/** All that a part of the page says, with plain blanks. */
export const textOf = async (part: Locator): Promise<string> =>
  (await part.allInnerTexts()).join(" ").replace(/[\u00a0\u202f\s]+/g, " ")

/** Waits until a part of the page says so, and returns all that it says. */
export const says = (part: Locator, pattern: RegExp): Promise<string> =>
  eventually(
    () => textOf(part),
    (text) => pattern.test(text)
  )

export const rowsWritten = (page: Page, count: number) =>
  says(page.locator("#rate-out-sub"), new RegExp(`^${count} since`))
