/**
 * `npm run fuzz -- --records N --seed S [--sink duckdb|snowflake|both]`: random records through the real service; exit
 * 1 if one is not accounted for.
 */
import { mkdtemp, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { parseArgs } from "node:util"
import { startEmulator } from "../../scripts/emulator/emulator.ts"
import { startBroker } from "../../scripts/kafka/broker.ts"
import { killAll } from "../../scripts/support/bronzeProcess.ts"
import { connect } from "../support/RealKafka.ts"
import * as Fuzz from "./Fuzz.ts"
import * as sinks from "./sinks.ts"

const { values } = parseArgs({
  options: {
    records: { type: "string", default: "10000" },
    seed: { type: "string", default: String(Date.now() % 1_000_000) },
    sink: { type: "string", default: "both" }
  }
})
const records = Number(values.records)
const seed = Number(values.seed)
const say = (line: string): void => void process.stdout.write(`${line}\n`)

const folder = await mkdtemp(join(tmpdir(), "bronze-fuzz-"))
const broker = await startBroker({ dataDir: join(folder, "kafka") })
const kafka = await connect(broker.bootstrap)
const emulator = values.sink === "duckdb" ? undefined : await startEmulator()
const chosen = [
  ...(values.sink === "snowflake" ? [] : [sinks.duckDb(folder)]),
  ...(emulator === undefined ? [] : [sinks.snowflake(emulator.url)])
]
let wrong = 0
try {
  for (const sink of chosen) {
    say(`${sink.name}: npm run fuzz -- --records ${records} --seed ${seed} --sink ${sink.name}`)
    const started = performance.now()
    const { letters, problems, rows, skipped } = await Fuzz.run(kafka, sink, records, seed)
    const seconds = ((performance.now() - started) / 1000).toFixed(0)
    say(
      `${sink.name}: ${rows + letters + skipped} of ${records} accounted for in ${seconds} s: ${rows} rows, ${letters} dead letters, ${skipped} skipped`
    )
    for (const problem of problems.slice(0, 20)) say(`  NOT AS PROMISED: ${problem.slice(0, 300)}`)
    if (problems.length > 20) say(`  and ${problems.length - 20} more`)
    wrong += problems.length
  }
} finally {
  killAll()
  await kafka.close()
  await emulator?.stop()
  await broker.stop()
  await rm(folder, { recursive: true, force: true })
}
process.exit(wrong > 0 ? 1 : 0)
