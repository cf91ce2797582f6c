/** A chaos run: rounds of scenarios in an order that follows from the seed, each round judged by the oracle. */
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { type EmulatorOptions, startEmulator } from "../../scripts/emulator/emulator.ts"
import { startCluster } from "../../scripts/kafka/broker.ts"
import { startRegistry } from "../../scripts/registry/server.ts"
import * as FaultProxy from "./FaultProxy.ts"
import * as Mixed from "./Mixed.ts"
import { judge } from "./Oracle.ts"
import * as Random from "./Random.ts"
import { finish, perform, type Scenario, scenarios } from "./Scenarios.ts"
import { openWorld, type Sink, type Stage, type World } from "./World.ts"

export interface Options {
  readonly seed: number
  readonly sinks: ReadonlyArray<Sink>
  /** Each round does some of these, in an order of its own. */
  readonly scenarios: ReadonlyArray<Scenario>
  /** How many scenarios make a round. */
  readonly perRound: number
  /** No new round begins after so many milliseconds; each sink has one at least. */
  readonly limit: number
  readonly say: (line: string) => void
  /** What the emulator does that Snowflake does not rule out. */
  readonly mode?: EmulatorOptions["mode"]
  /** Records of a schema registry among the others; it is killed and restarted, too. */
  readonly mixed?: boolean
  /** Another build of the service, as mutation checks use it. */
  readonly program?: string
}

export interface Report {
  readonly seed: number
  readonly rounds: number
  readonly records: number
  readonly duplicates: number
  readonly gaps: number
  /** How often each thing happened. */
  readonly happened: ReadonlyMap<string, number>
  readonly problems: ReadonlyArray<string>
}

const built = fileURLToPath(new URL("../../dist/main.js", import.meta.url))

export const run = async (options: Options): Promise<Report> => {
  const { limit, say, seed, sinks } = options
  const random = Random.make(seed)
  const folder = await mkdtemp(join(tmpdir(), "bronze-chaos-"))
  const brokers = await startCluster({ nodes: 2, dataDir: join(folder, "kafka") })
  const snowflake = sinks.some((sink) => sink !== "duckdb") ? await startSnowflake(folder, options.mode) : undefined
  const registry = options.mixed === true ? await startRegistry(join(folder, "registry")) : undefined
  if (registry !== undefined) await Mixed.register(registry.url, "chaos")
  const stage: Stage = {
    ...{ brokers, folder, random, program: options.program ?? built },
    ...(snowflake && { snowflake }),
    ...(registry && { registry })
  }
  const total = { rounds: 0, records: 0, duplicates: 0, gaps: 0 }
  const happened = new Map<string, number>()
  const problems: Array<string> = []
  const startedAt = Date.now()
  try {
    while (problems.length === 0 && (total.rounds < sinks.length || Date.now() - startedAt < limit)) {
      const sink = sinks[total.rounds % sinks.length] ?? "duckdb"
      const fitting = options.scenarios.filter(
        (scenario) => scenario.sinks.includes(sink) && (registry !== undefined || scenario.needsRegistry !== true)
      )
      // What has happened least comes first, so that a run of any length is as broad as it can be.
      const turn = ({ isAlways, name }: Scenario) => (isAlways === true ? -1 : (happened.get(name) ?? 0))
      const chosen = [...random.shuffle(fitting)].sort((a, b) => turn(a) - turn(b)).slice(0, options.perRound)
      const world = await openWorld(stage, sink, `r${total.rounds}_${seed}`)
      const verdict = await playRound(world, chosen, say).catch((error: unknown) => ({
        ...{ records: 0, duplicates: 0, gaps: 0 },
        problems: [error instanceof Error ? error.message : String(error)]
      }))
      for (const [name, count] of world.happened) happened.set(name, (happened.get(name) ?? 0) + count)
      total.rounds += 1
      total.records += verdict.records
      total.duplicates += verdict.duplicates
      total.gaps += verdict.gaps
      problems.push(...verdict.problems)
      if (verdict.problems.length > 0) await keepLogs(world, seed, say)
      await world.close().catch(() => undefined)
      say(
        `round ${total.rounds} (${sink}): ${verdict.records} records, ${verdict.problems.length === 0 ? "all there once" : verdict.problems.join("; ")}`
      )
    }
  } finally {
    await snowflake?.proxy.close()
    await snowflake?.emulator.stop()
    await registry?.stop()
    await Promise.all(brokers.map((broker) => broker.stop()))
    await rm(folder, { recursive: true, force: true })
  }
  return { seed, ...total, happened, problems }
}

const startSnowflake = async (folder: string, mode: Options["mode"]) => {
  // Snowflake aborts an idle transaction that others wait for after five minutes; here it is three seconds.
  const emulator = await startEmulator({
    dataDir: join(folder, "snowflake"),
    idleTransactionSeconds: 3,
    // The login of the streaming API ends every few seconds, and rows take a while.
    options: { "streaming-token-s": 4, "streaming-commit-ms": 300 },
    ...(mode && { mode })
  })
  return { emulator, proxy: await FaultProxy.start({ targetPort: emulator.port }) }
}

const playRound = async (world: World, chosen: ReadonlyArray<Scenario>, say: (line: string) => void) => {
  world.load.trickle(world.sink === "duckdb" ? 2000 : 400)
  world.join()
  for (const scenario of chosen) {
    const startedAt = Date.now()
    await perform(world, scenario)
    say(`  ${scenario.name} (${((Date.now() - startedAt) / 1000).toFixed(1)} s)`)
  }
  await finish(world)
  return judge(world)
}

const keepLogs = async (world: World, seed: number, say: (line: string) => void): Promise<void> => {
  const folder = join(fileURLToPath(new URL("../../.cache/chaos/", import.meta.url)), String(seed))
  await mkdir(folder, { recursive: true })
  for (const [index, member] of world.everybody.entries())
    await writeFile(join(folder, `${world.topic}-${index}.log`), member.output())
  say(`the logs of the processes are in ${folder}`)
}

/** Whether everything that was to happen did. */
export const missing = (report: Report, wanted: ReadonlyArray<Scenario> = scenarios): ReadonlyArray<string> =>
  wanted.map(({ name }) => name).filter((name) => !report.happened.has(name))
