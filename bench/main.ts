/**
 * `npm run bench -- [--quick] [--long] [--runs N] [--events N] [--only NAME]`: measures the service beside what it is
 * compared with, and judges the targets.
 */
import { mkdir, rm } from "node:fs/promises"
import { join } from "node:path"
import { parseArgs } from "node:util"
import { startBroker } from "../scripts/kafka/broker.ts"
import { killAll } from "../scripts/support/bronzeProcess.ts"
import { cacheDir } from "../scripts/support/paths.ts"
import type { Bench, Part } from "./Bench.ts"
import * as Calm from "./Calm.ts"
import * as Formats from "./Formats.ts"
import * as LedgerLock from "./LedgerLock.ts"
import * as Members from "./Members.ts"
import * as Memory from "./Memory.ts"
import { startNullSnowflake } from "./NullClient.ts"
import * as Report from "./Report.ts"
import { type Measurement, make as makeResults } from "./Results.ts"
import { judge } from "./Targets.ts"
import * as Throughput from "./Throughput.ts"

const { values } = parseArgs({
  options: {
    quick: { type: "boolean", default: false },
    long: { type: "boolean", default: false },
    runs: { type: "string" },
    events: { type: "string" },
    only: { type: "string", default: "" }
  }
})
const { long, only, quick } = values
const rounds = Number(values.runs ?? (quick ? 1 : 3))
const events = Number(values.events ?? (quick ? 200_000 : 1_000_000))
if (![rounds, events].every((number) => Number.isInteger(number) && number > 0)) {
  process.stderr.write("--runs and --events take whole numbers above 0\n")
  process.exit(64)
}
const say = (line: string): void => void process.stdout.write(`${line}\n`)

const all: ReadonlyArray<Part> = [
  ...Throughput.parts,
  ...Formats.parts,
  ...Memory.parts,
  ...Calm.parts,
  ...Members.parts,
  ...LedgerLock.parts
]
const chosen = all.filter(({ name, runs }) =>
  only === "" ? runs === "always" || (runs === "not quick" && !quick) || (runs === "long" && long) : name === only
)
if (chosen.length === 0) {
  say(`There is no part "${only}"; there are: ${all.map(({ name }) => name).join(", ")}`)
  process.exit(64)
}

// Subjects are processes of their own: they must not outlive this one.
process.on("exit", killAll)
for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, () => process.exit(130))

const began = performance.now()
const folder = join(cacheDir, "bench")
await mkdir(folder, { recursive: true })
await rm(join(folder, "bronze.log"), { force: true })
say("Starting Kafka and the null Snowflake…")
const broker = await startBroker({ dataDir: join(folder, "kafka") })
const snowflake = await startNullSnowflake()
const bench: Bench = { bootstrap: broker.bootstrap, snowflake, folder, quick, events, rounds, say }

const measurements: Array<Measurement> = []
for (const part of chosen) {
  say(`\n${part.name}: ${part.about}`)
  try {
    measurements.push(...(await part.run(bench)))
  } catch (error) {
    // The other parts have taken their time: what they measured is not thrown away.
    say(`  FAILED: ${error instanceof Error ? error.message : String(error)}`)
    process.exitCode = 1
  }
}
await snowflake.stop()
await broker.stop()

const seconds = Math.round((performance.now() - began) / 1000)
const lines = judge(makeResults(measurements))
Report.print(lines, say)
say(
  `\nWritten to ${await Report.write({ isWhole: !quick && only === "" && process.exitCode === undefined, quick, rounds, events, seconds }, measurements, lines)}, after ${seconds} s.`
)
