/**
 * The stage of one chaos round: two brokers, a warehouse, a topic with its table, a group of real processes, and the
 * load.
 */
import { mkdir } from "node:fs/promises"
import { join } from "node:path"
import { setTimeout as sleep } from "node:timers/promises"
import kafkajs, { type Admin } from "kafkajs"
import type { Emulator } from "../../scripts/emulator/emulator.ts"
import type { Broker } from "../../scripts/kafka/broker.ts"
import type { RegistryServer } from "../../scripts/registry/server.ts"
import { type BronzeProcess, start } from "../../scripts/support/bronzeProcess.ts"
import { snowflake } from "../support/Inspect.ts"
import { snowflakeAt, streamingAt } from "../support/Job.ts"
import type { FaultProxy } from "./FaultProxy.ts"
import * as Load from "./Load.ts"
import * as Mixed from "./Mixed.ts"
import type { Random } from "./Random.ts"

/** What all rounds of a run share. */
export interface Stage {
  readonly brokers: ReadonlyArray<Broker>
  readonly folder: string
  /** Absent where only DuckDB is asked for. */
  readonly snowflake?: { readonly emulator: Emulator; readonly proxy: FaultProxy }
  /** A schema registry, where the topic holds records of it as well. */
  readonly registry?: RegistryServer
  /** The build of the service under test. */
  readonly program: string
  readonly random: Random
}

export type Sink = "snowflake" | "streaming" | "duckdb"

export interface World extends Stage {
  readonly sink: Sink
  readonly topic: string
  readonly table: string
  readonly group: string
  readonly env: Readonly<Record<string, string>>
  readonly admin: Admin
  readonly content: Load.Content
  readonly load: Load.Load
  readonly members: Array<BronzeProcess>
  /** Every process of the round, for its log. */
  readonly everybody: Array<BronzeProcess>
  readonly join: (settings?: Readonly<Record<string, string>>) => BronzeProcess
  /** Kills without warning, and waits for the end. */
  readonly kill: (member: BronzeProcess) => Promise<void>
  /** Asks to stop; a graceful stop ends with 0. */
  readonly leave: (member: BronzeProcess) => Promise<void>
  /** How often each thing was done to the service. */
  readonly happened: Map<string, number>
  readonly close: () => Promise<void>
}

export const partitions = 4

export const bootstrap = ({ brokers }: Stage): string => brokers.map((broker) => broker.bootstrap).join(",")

export const openWorld = async (stage: Stage, sink: Sink, name: string): Promise<World> => {
  const topic = `chaos.${name}`
  const table = `CHAOS_${name.toUpperCase()}`
  const group = `group.${name}`
  await mkdir(stage.folder, { recursive: true })
  const servers = bootstrap(stage)
  const kafka = new kafkajs.Kafka({
    brokers: servers.split(","),
    logLevel: kafkajs.logLevel.NOTHING,
    retry: { retries: 20 }
  })
  const admin = kafka.admin()
  await admin.connect()
  await admin.createTopics({ topics: [{ topic, numPartitions: partitions, replicationFactor: stage.brokers.length }] })
  const env = {
    KAFKA_BOOTSTRAP_SERVERS: servers,
    CONSUMER_GROUP_ID: group,
    KAFKA_SESSION_TIMEOUT: "1.5",
    BRONZE_ROUTES: `${topic}=${table}(ORDER_ID=order_id)`,
    BATCH_TIMEOUT: "0.3",
    WRITE_MAX_ROWS: sink === "duckdb" ? "5000" : "1000",
    // The emulator takes its time with a backlog, more so on a busy machine.
    SHUTDOWN_TIMEOUT: "90",
    ...(sink === "streaming" && { PROGRESS_TIMEOUT: "5" }),
    ...(stage.registry && { SCHEMA_REGISTRY_URL: stage.registry.url }),
    TOMBSTONES: stage.random.pick(["insert", "skip"]),
    ...sinkSettings(stage, sink, name)
  }
  // Only what asks in SQL needs a virtual warehouse.
  const created = start({ ...env, ...(sink === "streaming" && { SNOWFLAKE_WAREHOUSE: "WH" }) }, ["init"], stage.program)
  if ((await created.exit) !== 0) throw new Error(created.output())

  const members: Array<BronzeProcess> = []
  const everybody: Array<BronzeProcess> = []
  const happened = new Map<string, number>()
  const count = (what: string): void => void happened.set(what, (happened.get(what) ?? 0) + 1)
  const remove = (member: BronzeProcess): void => {
    if (members.includes(member)) members.splice(members.indexOf(member), 1)
  }
  const content: Load.Content = stage.registry === undefined ? Load.plain : Mixed
  const load = await Load.start(servers.split(","), topic, content)
  return {
    ...stage,
    ...{ sink, topic, table, group, env, admin, content, load, members, everybody, happened },
    join: (settings = {}) => {
      const member = start({ ...env, ...settings }, [], stage.program)
      members.push(member)
      everybody.push(member)
      return member
    },
    kill: async (member) => {
      remove(member)
      member.signal("SIGKILL")
      await member.exit
      count("SIGKILL")
    },
    leave: async (member) => {
      remove(member)
      // Before its first line it does not listen to signals yet: then it just ends, as any process.
      await member.line(/Reading from/, { timeout: 60_000 })
      member.signal("SIGTERM")
      const code = await member.exit
      count("SIGTERM")
      if (code !== 0) throw new Error(`a graceful stop ended with ${code}:\n${member.output().slice(-4000)}`)
    },
    close: async () => {
      await load.stop()
      for (const member of members) member.signal("SIGKILL")
      await Promise.all(members.map(({ exit }) => exit))
      await admin.disconnect()
    }
  }
}

const sinkSettings = ({ folder, snowflake }: Stage, sink: Sink, name: string): Readonly<Record<string, string>> => {
  if (sink === "duckdb") return { SINK: "duckdb", DUCKDB_PATH: join(folder, `${name}.duckdb`) }
  if (snowflake === undefined) throw new Error("this stage has no Snowflake")
  const host = `http://127.0.0.1:${snowflake.proxy.port}`
  return sink === "streaming" ? streamingAt(host) : snowflakeAt(host)
}

/** The group's committed offset by partition; -1 where there is none. */
export const committed = async ({ admin, group, topic }: World): Promise<ReadonlyArray<number>> => {
  const [found] = await admin.fetchOffsets({ groupId: group, topics: [topic] })
  return sorted(found?.partitions ?? [])
}

/** The ledger's next offset by partition; asked of the emulator itself, past the proxy. */
export const ledger = async ({ group, snowflake: stage, topic }: World): Promise<ReadonlyArray<number>> => {
  const inspect = await snowflake(stage?.emulator.url ?? "", "LAKE")
  const rows = await inspect.query(
    `SELECT PARTITION, NEXT_OFFSET FROM BRONZE.CONSUMER_OFFSETS WHERE CONSUMER_GROUP = '${group}' AND TOPIC = '${topic}'`
  )
  await inspect.close()
  const next: Array<number> = []
  for (const row of rows) next[Number(row["partition"])] = Number(row["next_offset"])
  return next
}

/** The offset after the last record, by partition. */
export const ends = async ({ admin, topic }: World): Promise<ReadonlyArray<number>> =>
  sorted(await admin.fetchTopicOffsets(topic))

const sorted = (
  entries: ReadonlyArray<{ readonly partition: number; readonly offset: string }>
): ReadonlyArray<number> => [...entries].sort((a, b) => a.partition - b.partition).map(({ offset }) => Number(offset))

/** Waits until the group has committed all that was sent; whoever fell on the way is replaced. */
export const settle = async (world: World, limit: number): Promise<void> => {
  const until = Date.now() + limit
  let since: { readonly offsets: string; readonly at: number } | undefined
  for (;;) {
    if (world.members.length === 0) world.join()
    const [done, all] = await Promise.all([committed(world), ends(world)]).catch(() => [[], [0]] as const)
    const offsets = String(all)
    // A broker that has just become the leader may say for a moment that its log is shorter than it is.
    if (String(done) !== offsets) since = undefined
    else if (since?.offsets !== offsets) since = { offsets, at: Date.now() }
    else if (Date.now() - since.at > 2000) return
    if (Date.now() > until) throw new Error(`not settled within ${limit} ms: committed ${done}, sent ${all}`)
    await sleep(250)
  }
}
