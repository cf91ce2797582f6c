/**
 * `npm run chaos -- [--minutes N] [--seed N] [--sink snowflake|streaming|duckdb|both|all] [--mode snapshot|twins] [--mixed]`: a
 * long run, with its figures; exit 1 if anything is not as promised.
 */
import { parseArgs } from "node:util"
import { missing, run } from "./Chaos.ts"
import { scenarios } from "./Scenarios.ts"
import type { Sink } from "./World.ts"

const { values } = parseArgs({
  options: {
    minutes: { type: "string", default: "30" },
    seed: { type: "string", default: String(Date.now() % 1_000_000) },
    sink: { type: "string", default: "both" },
    mode: { type: "string", default: "" },
    mixed: { type: "boolean", default: false },
    only: { type: "string", default: "" }
  }
})
const sinks: ReadonlyArray<Sink> =
  values.sink === "all"
    ? ["snowflake", "streaming", "duckdb"]
    : values.sink === "both"
      ? ["snowflake", "duckdb"]
      : (["duckdb", "streaming", "snowflake"] as const).filter((sink) => sink === values.sink)
const mode = (["snapshot", "twins"] as const).find((name) => name === values.mode)
if (mode === undefined && values.mode !== "") {
  process.stderr.write("--mode is snapshot or twins\n")
  process.exit(64)
}
const minutes = Number(values.minutes)
const chosen = scenarios.filter(
  ({ isSlow, name, needsRegistry, sinks: fits }) =>
    (values.mixed || needsRegistry !== true) &&
    name.includes(values.only) &&
    sinks.some((sink) => fits.includes(sink)) &&
    (isSlow !== true || minutes >= 20)
)
const say = (line: string): void => void process.stdout.write(`${line}\n`)

say(
  `Seed ${values.seed}: npm run chaos -- --minutes ${values.minutes} --seed ${values.seed} --sink ${values.sink}${mode === undefined ? "" : ` --mode ${mode}`}${values.mixed ? " --mixed" : ""}`
)
const report = await run({
  seed: Number(values.seed),
  sinks,
  scenarios: chosen,
  perRound: 10,
  limit: minutes * 60_000,
  ...(mode && { mode }),
  mixed: values.mixed,
  say
})

say("\nWhat happened:")
for (const [name, count] of [...report.happened].sort()) say(`  ${String(count).padStart(5)} × ${name}`)
const lacking = missing(report, chosen)
if (lacking.length > 0) say(`did not happen in this time: ${lacking.join(", ")}`)
const kills = report.happened.get("SIGKILL") ?? 0
say(
  `\nseed ${report.seed}: ${report.rounds} rounds, ${kills} kills, ${report.records} records checked, ${report.duplicates} duplicates, ${report.gaps} gaps${report.problems.length > 0 ? `\nNOT AS PROMISED: ${report.problems.join("\n")}` : ""}`
)
process.exit(report.problems.length > 0 || (minutes >= 20 && lacking.length > 0) ? 1 : 0)
