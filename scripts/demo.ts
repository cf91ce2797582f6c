// `npm run demo`: the first two minutes, on real parts: Kafka, the service as a process, DuckDB or a Snowflake
// emulator, and a verdict that counts every record.
import { randomBytes } from "node:crypto"
import { ENV_FILE, takeFolder, writeEnv } from "./demo/folder.ts"
import { openGroup } from "./demo/group.ts"
import { prepareKafka } from "./demo/kafka.ts"
import { asksForHelp, sink, stays, USAGE, unknown } from "./demo/options.ts"
import { blank, heading, progress, say, showKept } from "./demo/page.ts"
import { consumeUntil, listenToSignals, stopped } from "./demo/run.ts"
import { run } from "./demo/service.ts"
import { keepShop } from "./demo/shop.ts"
import { showTables } from "./demo/tables.ts"
import { verdict } from "./demo/verdict.ts"
import { openWarehouse, type Warehouse } from "./demo/warehouse.ts"

const INTERRUPTED = 130
const USAGE_ERROR = 64

const began = Date.now()

const first = { orders: 250, clicks: 30 }
const second = { orders: 20, clicks: 10, bad: 6 }
const sent = [...Object.values(first), ...Object.values(second)].reduce((sum, count) => sum + count, 0)

const flags = (counts: Readonly<Record<string, number>>): ReadonlyArray<string> =>
  Object.entries(counts).flatMap(([name, count]) => [`--${name}`, String(count)])

/** True when the verdict holds. */
const demo = async (bootstrap: string, warehouse: Warehouse): Promise<boolean> => {
  const settings = {
    ...warehouse.settings,
    KAFKA_BOOTSTRAP_SERVERS: bootstrap,
    CONSUMER_GROUP_ID: `bronze-demo-${randomBytes(3).toString("hex")}`,
    LOG_FILE: "",
    HTTP_PORT: "0"
  }
  await writeEnv(settings)
  const group = await openGroup(bootstrap, settings.CONSUMER_GROUP_ID, stopped)
  const from = await group.committed()
  const judge = async (): Promise<boolean> =>
    verdict(warehouse, { from, sent, committed: await group.committed(), ends: await group.ends() })

  heading(`Create the tables, in ${warehouse.name}`)
  await run(settings, ["init"], stopped)

  heading("Send orders and clicks to Kafka")
  await run(settings, ["produce", ...flags(first)], stopped)
  const goal = await group.ends()

  heading("Consume them; then a new producer adds fields to every second event, and sends six broken records")
  await consumeUntil(settings, async (limit) => {
    await group.reached(goal, limit, progress)
    await run(settings, ["produce", ...flags(second), "--new-fields"], limit)
    await group.reached(await group.ends(), limit, progress)
  })

  heading("Query the tables")
  await showTables(warehouse)

  heading("Count: produced = rows + dead letters + skipped")
  const holds = await judge()
  say(`That took ${Math.round((Date.now() - began) / 1000)} s. The tables: ${warehouse.place}`)
  // An emulator ends with the demo.
  if (!stays && sink === "duckdb") say(`While Kafka runs: npx bronze-consumer --env-file ${ENV_FILE} status`)
  if (!stays || !holds || stopped.aborted) return holds

  heading("Your turn: a shop that makes events, and the consumer with its live page")
  try {
    await keepShop(settings)
  } catch (error) {
    // What a stopped Kafka does to the others is no fault of theirs.
    if (await group.isThere()) throw error
  }
  if (await group.isThere()) return judge()
  say("Apache Kafka was stopped, or its data deleted: there is nothing to count against. The first count stands.")
  return holds
}

const main = async (): Promise<boolean> => {
  const giveBack = await takeFolder()
  try {
    heading("Start Apache Kafka")
    const kafka = await prepareKafka(say)
    try {
      stopped.throwIfAborted()
      const warehouse = await openWarehouse(sink, say)
      try {
        return await demo(kafka.bootstrap, warehouse)
      } finally {
        await warehouse.release()
      }
    } finally {
      blank()
      await kafka.release()
    }
  } finally {
    await giveBack()
  }
}

const words = unknown(process.argv.slice(2))
if (asksForHelp) process.stdout.write(USAGE)
else if (words.length > 0) {
  process.stderr.write(`Unknown: ${words.join(" ")}\n\n${USAGE}`)
  process.exitCode = USAGE_ERROR
} else {
  listenToSignals()
  try {
    process.exitCode = (await main()) ? 0 : 1
  } catch (error) {
    if (!stopped.aborted) showKept()
    process.stderr.write(`\n${error instanceof Error ? error.message : String(error)}\n`)
    process.exitCode = stopped.aborted ? INTERRUPTED : 1
  }
}
