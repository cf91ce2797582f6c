/**
 * The service as the bench runs it: `node dist/main.js` with its defaults, on a topic and a group of its own, seen by
 * its log.
 */
import { randomUUID } from "node:crypto"
import { join } from "node:path"
import { type BronzeProcess, start } from "../scripts/support/bronzeProcess.ts"
import { freePort } from "../scripts/support/freePort.ts"
import { routeOf } from "./Orders.ts"

export interface Options {
  readonly bootstrap: string
  readonly topic: string
  /** Where its log file goes. */
  readonly folder: string
  /** The sink, and what is not to be as by default. */
  readonly settings: Readonly<Record<string, string>>
}

export interface Service {
  readonly process: BronzeProcess
  /** When it was started. */
  readonly startedAt: number
  readonly env: Readonly<Record<string, string>>
}

export const environment = async (options: Options): Promise<Readonly<Record<string, string>>> => ({
  KAFKA_BOOTSTRAP_SERVERS: options.bootstrap,
  CONSUMER_GROUP_ID: `bench-${randomUUID()}`,
  BRONZE_ROUTES: routeOf(options.topic),
  LOG_FILE: join(options.folder, "bronze.log"),
  HTTP_PORT: String(await freePort()),
  ...options.settings
})

/** Creates the tables; only DuckDB needs it. */
export const init = async (env: Readonly<Record<string, string>>): Promise<void> => {
  const created = start(env, ["init"])
  if ((await created.exit) !== 0) throw new Error(`init failed:\n${created.output()}`)
}

export const launch = (env: Readonly<Record<string, string>>): Service => ({
  startedAt: Date.now(),
  process: start(env),
  env
})

/** When it has its partitions and begins to read: for every subject that reads from Kafka the clock starts there. */
export const assigned = async ({ process }: Service, partitions = "\\d+"): Promise<number> =>
  (await process.line(new RegExp(`Assigned ${partitions} partitions?:`), { timeout: 120_000 })).at

/** Waits for `work` as long as the service lives. */
export const whileAlive = <A>({ process }: Service, work: Promise<A>): Promise<A> =>
  Promise.race([
    work,
    process.exit.then((code) => {
      throw new Error(`the service ended with ${code}:\n${process.output().slice(-4000)}`)
    })
  ])

/** Whatever it still holds is read again by nobody: its group ends with it. */
export const kill = async ({ process }: Service): Promise<void> => {
  process.signal("SIGKILL")
  await process.exit
}

export interface Progress {
  readonly rows: number
  readonly writes: number
  /** When the last of them was durable. */
  readonly at: number
}

/** What the log says to be durable. */
export const progress = ({ process }: Service): Progress => {
  let [rows, writes, at] = [0, 0, 0]
  for (const line of process.lines) {
    const count = /Inserted (\d+) orders/.exec(line.text)?.[1]
    if (count === undefined) continue
    rows += Number(count)
    writes += 1
    at = line.at
  }
  return { rows, writes, at }
}
