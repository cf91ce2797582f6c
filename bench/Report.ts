/** What a run leaves behind: the table on the screen, and latest.json, table.md and chart.svg. */
import { execFileSync } from "node:child_process"
import { mkdir, writeFile } from "node:fs/promises"
import { cpus, totalmem } from "node:os"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { KAFKA_VERSION } from "../scripts/kafka/install.ts"
import { cacheDir } from "../scripts/support/paths.ts"
import * as Chart from "./Chart.ts"
import { type Measurement, make as makeResults, type Results } from "./Results.ts"
import type { Line } from "./Targets.ts"
import * as Throughput from "./Throughput.ts"

/** The README shows what a whole run measured; a quick one, or a part of it, does not take its place. */
const folderOf = ({ isWhole }: Run): string =>
  isWhole ? fileURLToPath(new URL("results", import.meta.url)) : join(cacheDir, "bench", "results")

const verdict = ({ held }: Line): string => (held === undefined ? "" : held ? "held" : "missed")

export const print = (lines: ReadonlyArray<Line>, say: (line: string) => void): void => {
  say("")
  for (const line of lines.filter(({ measured }) => measured !== undefined))
    say(`${verdict(line).padEnd(7)} ${line.what}: ${line.target}\n        ${line.measured}`)
}

const markdown = (lines: ReadonlyArray<Line>): string =>
  [
    "| | target | measured | |",
    "|---|---|---|---|",
    ...lines.map(
      (line) => `| ${line.what} | ${line.target} | ${line.measured ?? "not measured in this run"} | ${verdict(line)} |`
    )
  ].join("\n")

const subjectsTable = (results: Results): string => {
  const rows = Throughput.parts.flatMap(({ about, name }) =>
    results.subjects(name).map((subject) => {
      const figure = (which: "rate" | "cpuPerMillion" | "peakRss" | "rowsPerWrite", digits = 0): string =>
        results.figure(name, subject, which)?.toLocaleString("en", { maximumFractionDigits: digits }) ?? ""
      return `| ${about} | ${subject} | ${figure("rate")} | ${figure("cpuPerMillion", 1)} | ${figure("peakRss")} | ${figure("rowsPerWrite")} |`
    })
  )
  return [
    "| | subject | events/s | CPU s per million | peak RSS MB | rows a write |",
    "|---|---|---|---|---|---|",
    ...rows
  ].join("\n")
}

const panels = (results: Results): ReadonlyArray<Chart.Panel> =>
  Throughput.parts.flatMap(({ about, name }) => {
    const bars = results.subjects(name).flatMap((subject) => {
      const value = results.figure(name, subject, "rate")
      return value === undefined ? [] : [{ label: subject, value, isService: subject.startsWith("the service") }]
    })
    return bars.length === 0
      ? []
      : [{ title: `Events per second: ${about}`, bars: bars.sort((a, b) => b.value - a.value) }]
  })

/** The two pictures of what latest.json holds; they say nothing that is not in it. */
export const render = ({
  measurements,
  targets,
  ...about
}: Stored): { readonly table: string; readonly chart: string } => {
  const { machine } = about
  const results = makeResults(measurements)
  const text = `${about.events.toLocaleString("en")} events, ${about.quick ? "one quick round" : `median of ${about.rounds} rounds after a warm-up`}; ${machine.cores} cores (${machine.cpu}) shared with the broker and the null Snowflake; Node ${machine.node}, Kafka ${machine.kafka}, commit ${about.commit}, ${about.at.slice(0, 10)}.`
  return {
    table: `${text}\n\n${markdown(targets)}\n\n${subjectsTable(results)}\n`,
    chart: Chart.draw(panels(results))
  }
}

const commit = (): string => {
  try {
    return execFileSync("git", ["rev-parse", "--short", "HEAD"], { encoding: "utf8" }).trim()
  } catch {
    return "unknown"
  }
}

export interface Run {
  /** All parts, in full. */
  readonly isWhole: boolean
  readonly quick: boolean
  readonly rounds: number
  readonly events: number
  readonly seconds: number
}

/** What latest.json holds. */
export interface Stored extends Run {
  readonly at: string
  readonly commit: string
  readonly machine: {
    readonly cores: number
    readonly cpu: string
    readonly memoryGb: number
    readonly node: string
    readonly kafka: string
  }
  readonly targets: ReadonlyArray<Line>
  readonly measurements: ReadonlyArray<Measurement>
}

export const write = async (
  run: Run,
  measurements: ReadonlyArray<Measurement>,
  targets: ReadonlyArray<Line>
): Promise<string> => {
  const [cpu] = cpus()
  const machine = {
    cores: cpus().length,
    cpu: cpu?.model ?? "unknown",
    memoryGb: Math.round(totalmem() / 1e9),
    node: process.version,
    kafka: KAFKA_VERSION
  }
  const stored: Stored = { at: new Date().toISOString(), commit: commit(), machine, ...run, targets, measurements }
  const { chart, table } = render(stored)
  const folder = folderOf(run)
  await mkdir(folder, { recursive: true })
  await writeFile(`${folder}/latest.json`, `${JSON.stringify(stored, null, 2)}\n`)
  await writeFile(`${folder}/table.md`, table)
  await writeFile(`${folder}/chart.svg`, chart)
  return folder
}
