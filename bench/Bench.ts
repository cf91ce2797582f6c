/**
 * What all parts of the benchmark share: the broker, the null Snowflake, the sizes of this run; and how the service is
 * measured on either sink.
 */
import { rm } from "node:fs/promises"
import { join } from "node:path"
import { setTimeout as sleep } from "node:timers/promises"
import * as Load from "./Load.ts"
import { type NullSnowflake, settingsFor, streamingSettingsFor } from "./NullClient.ts"
import type { Commit } from "./NullWarehouse.ts"
import type { Topic } from "./Orders.ts"
import type { Measurement } from "./Results.ts"
import * as Service from "./Service.ts"
import { type Figures, figuresOf } from "./Subject.ts"
import * as Usage from "./Usage.ts"

export interface Bench {
  readonly bootstrap: string
  readonly snowflake: NullSnowflake
  readonly folder: string
  readonly quick: boolean
  /** Events of the large topics; all other sizes follow from it. */
  readonly events: number
  readonly rounds: number
  readonly say: (line: string) => void
}

export interface Part {
  readonly name: string
  readonly about: string
  /** In which kinds of run it takes part. */
  readonly runs: "always" | "not quick" | "long"
  readonly run: (bench: Bench) => Promise<ReadonlyArray<Measurement>>
}

/** As much of a topic as one measurement takes: so many events, or what is done in so many seconds. */
export interface Amount {
  readonly events: number
  readonly seconds: number
}

export type Settings = Readonly<Record<string, string>>

/** Measures one subject in one round; `amount` is the whole, or less of it for the warm-up. */
export type Measure = (share: number) => Promise<Figures>

/**
 * One warm-up, then the counted rounds; within a round every subject has its turn, so that what slows the machine slows
 * all.
 */
export const sideBySide = async (
  bench: Bench,
  part: string,
  subjects: ReadonlyArray<readonly [subject: string, measure: Measure]>
): Promise<ReadonlyArray<Measurement>> => {
  const measured: Array<Measurement> = []
  if (!bench.quick) for (const [, measure] of subjects) await measure(0.2)
  for (let round = 1; round <= bench.rounds; round++)
    for (const [subject, measure] of subjects) {
      const figures = await measure(1)
      measured.push({ part, subject, round, figures })
      bench.say(`  ${part}, round ${round}: ${subject}: ${describe(figures)}`)
    }
  return measured
}

const describe = ({ cpuPerMillion = 0, peakRss = 0, rate = 0, rowsPerWrite }: Figures): string => {
  const writes = rowsPerWrite === undefined ? "" : `, ${Math.round(rowsPerWrite)} rows a write`
  return `${Math.round(rate)} events/s, ${cpuPerMillion.toFixed(1)} CPU s per million, ${Math.round(peakRss)} MB${writes}`
}

/** How the service is measured on the null Snowflake. */
export interface OnSnowflake extends Amount {
  readonly topic: Topic
  /** Milliseconds that each statement takes. */
  readonly latency?: number
  readonly settings?: Settings
  /** Over the streaming API, where rows are durable after so many milliseconds. */
  readonly streaming?: { readonly durable: number }
  /** What happens to it while it reads. */
  readonly meanwhile?: () => Promise<void>
  /** The rate while the backlog lasts: without the first answer, and without the last rows, which wait for company. */
  readonly steady?: boolean
}

/** The service on the null Snowflake, behind a backlog. */
export const onSnowflake = async (bench: Bench, options: OnSnowflake): Promise<Figures> => {
  const { latency = 0, meanwhile, settings, steady = false, streaming, topic } = options
  const { snowflake } = bench
  await Load.fill(bench.bootstrap, topic, bench.say)
  // Nothing is measured before it reads: so the latency can wait until then.
  await snowflake.control({ latency: 0, reset: true })
  const account = streaming === undefined ? settingsFor(snowflake.url) : await streamingAccount(bench)
  const sink = { ...account, ...settings }
  const service = Service.launch(await Service.environment({ ...bench, topic: topic.name, settings: sink }))
  try {
    await service.process.line(/Joining group/, { timeout: 120_000 })
    await snowflake.control({ latency, ...streaming })
    const began = await Service.assigned(service)
    const usage = Usage.watch(service.process.pid)
    await meanwhile?.()
    await Service.whileAlive(service, snowflake.reached(options.events, options.seconds * 1000))
    const used = usage.stop()
    const { commits, inserts, rows } = await snowflake.stats()
    const last = commits.at(-1)
    if (last === undefined) throw new Error(`nothing was written:\n${service.process.output()}`)
    // Two counts that know nothing of each other: rows in the statements, and offsets that the ledger was moved over.
    const covered = commits.flatMap(({ ranges }) => ranges).reduce((sum, { f, s, x }) => sum + x - f - s, 0)
    if (covered > 0 && covered !== rows) throw new Error(`${rows} rows were written, but the ledger says ${covered}`)
    const figures = { ...figuresOf(rows, (last.at - began) / 1000, used), rowsPerWrite: rows / inserts }
    return steady ? { ...figures, rate: steadyRate(commits) } : figures
  } finally {
    await Service.kill(service)
  }
}

/** Rows a second from the first commit to the one that brings 95 % of the rows. */
export const steadyRate = (commits: ReadonlyArray<Commit>): number => {
  const [first, ...rest] = commits
  const enough = 0.95 * commits.reduce((sum, { rows }) => sum + rows, 0)
  let rows = first?.rows ?? 0
  let counted = 0
  for (const commit of rest) {
    rows += commit.rows
    counted += commit.rows
    if (rows >= enough) return counted / ((commit.at - (first?.at ?? 0)) / 1000)
  }
  throw new Error(`${commits.length} writes tell no rate`)
}

const streamingAccount = ({ folder, snowflake }: Bench) => streamingSettingsFor(snowflake.url, folder)

/** The service on a new DuckDB file, behind a backlog. */
export const onDuckDb = async (bench: Bench, options: Amount & { readonly topic: Topic }): Promise<Figures> => {
  const { events, seconds, topic } = options
  await Load.fill(bench.bootstrap, topic, bench.say)
  const sink = { SINK: "duckdb", DUCKDB_PATH: await newFile(bench) }
  const env = await Service.environment({ ...bench, topic: topic.name, settings: sink })
  await Service.init(env)
  const service = Service.launch(env)
  try {
    const began = await Service.assigned(service)
    const usage = Usage.watch(service.process.pid)
    const written = async (): Promise<void> => {
      while (Service.progress(service).rows < events && Date.now() < began + seconds * 1000) await sleep(50)
    }
    await Service.whileAlive(service, written())
    const used = usage.stop()
    const { at, rows, writes } = Service.progress(service)
    if (rows === 0) throw new Error(`nothing was written:\n${service.process.output()}`)
    return { ...figuresOf(rows, (at - began) / 1000, used), rowsPerWrite: rows / writes }
  } finally {
    await Service.kill(service)
    await newFile(bench)
  }
}

/** The place of the DuckDB file, with nothing there. */
export const newFile = async ({ folder }: Bench): Promise<string> => {
  const path = join(folder, "bench.duckdb")
  await rm(path, { force: true })
  await rm(`${path}.wal`, { force: true })
  return path
}
