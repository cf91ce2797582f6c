/** What can happen to the service, one thing each; a round does many of them one after the other while the load goes on. */
import { setTimeout as sleep } from "node:timers/promises"
import type { BronzeProcess } from "../support/BronzeProcess.ts"
import { type Fault, faults, type Step } from "./FaultProxy.ts"
import { type Sink, settle, type World } from "./World.ts"

export interface Scenario {
  readonly name: string
  readonly sinks: ReadonlyArray<Sink>
  /** Takes minutes: once in a long run. */
  readonly isSlow?: boolean
  readonly run: (world: World) => Promise<void>
}

const both: ReadonlyArray<Sink> = ["snowflake", "duckdb"]
const working = /Inserted|Fetched|Assigned/

const one = (world: World): BronzeProcess =>
  world.members.length > 0 ? world.random.pick(world.members) : world.join()

/** Waits until a member writes; it may be killed by something else meanwhile. */
const busy = async (member: BronzeProcess): Promise<void> => {
  await member.line(working, { from: member.lines.length, timeout: 20_000 }).catch(() => undefined)
}

const killAtRandom: Scenario = {
  name: "SIGKILL at a random time",
  sinks: both,
  run: async (world) => {
    const member = one(world)
    await busy(member)
    await sleep(world.random.below(700))
    await world.kill(member)
    world.join()
  }
}

const killWhileDraining: Scenario = {
  name: "SIGKILL during the drain",
  sinks: both,
  run: async (world) => {
    const member = one(world)
    await busy(member)
    member.signal("SIGTERM")
    await sleep(world.random.below(60))
    await world.kill(member)
    world.join()
  }
}

/** The steps between which a process can die; where the proxy sees them, the kill is exact. */
const killPoints: ReadonlyArray<readonly [name: string, step: Step, phase: "before" | "after"]> = [
  ["after the fetch", "begin", "before"],
  ["while the INSERT runs", "insert", "before"],
  ["after the INSERT", "insert", "after"],
  ["between UPDATE and COMMIT", "ledger", "after"],
  ["before COMMIT", "commit", "before"],
  ["after COMMIT, before the Kafka commit", "commit", "after"],
  ["while it claims", "claim", "after"]
]

const killAtStep = killPoints.map(
  ([name, step, phase]): Scenario => ({
    name: `SIGKILL ${name}`,
    sinks: ["snowflake"],
    run: async (world) => {
      const { proxy } = world.snowflake ?? {}
      if (proxy === undefined) return
      // Alone, so that the statement that meets the kill is its own.
      while (world.members.length > 1) await world.leave(one(world))
      const member = one(world)
      const killed = new Promise<void>((resolve, reject) => {
        proxy.at(step, phase, () => world.kill(member).then(resolve, reject))
        setTimeout(() => reject(new Error(`nobody came to ${step}`)), 60_000).unref()
      })
      if (step === "claim") await world.leave(member).then(() => world.join())
      await (step === "claim" ? world.members[0] && killOnClaim(world, proxy) : killed)
      world.join()
    }
  })
)

/** The next member is killed as soon as it has claimed. */
const killOnClaim = async (world: World, proxy: { readonly disarm: () => void }): Promise<void> => {
  proxy.disarm()
  await sleep(world.random.below(1500))
  await world.kill(one(world))
}

const fault = (kind: Fault): Scenario => ({
  name: `the warehouse: ${kind}`,
  sinks: ["snowflake"],
  isSlow: kind === "half_open",
  run: async (world) => {
    const { proxy } = world.snowflake ?? {}
    if (proxy === undefined) return
    const steps: ReadonlyArray<Step> =
      kind === "lost_reply" ? ["commit", "insert", "ledger"] : ["begin", "insert", "ledger", "commit"]
    const times = kind === "half_open" ? 1 : 3
    for (let n = 0; n < times; n++)
      proxy.arm(kind, kind === "lost_reply" && n === 0 ? "commit" : world.random.pick(steps))
    one(world)
    const until = Date.now() + 60_000
    while (proxy.armed() > 0 && Date.now() < until) await sleep(100)
    proxy.disarm()
    world.happened.set(`fault ${kind}`, (world.happened.get(`fault ${kind}`) ?? 0) + times)
  }
})

const zombie: Scenario = {
  name: "SIGSTOP past the session timeout, then SIGCONT",
  sinks: ["snowflake"],
  run: async (world) => {
    const sleeper = one(world)
    await busy(sleeper)
    sleeper.signal("SIGSTOP")
    const other = world.join()
    // The session is three seconds; the other one takes over what the sleeper still believes to hold.
    await other.line(/Inserted/, { timeout: 60_000 })
    sleeper.signal("SIGCONT")
    await sleep(500)
  }
}

const sleeperInTransaction: Scenario = {
  name: "SIGSTOP between UPDATE and COMMIT, then SIGCONT",
  sinks: ["snowflake"],
  run: async (world) => {
    const { proxy } = world.snowflake ?? {}
    if (proxy === undefined) return
    while (world.members.length > 1) await world.leave(one(world))
    const sleeper = one(world)
    await new Promise<void>((resolve, reject) => {
      proxy.at("ledger", "after", () => {
        sleeper.signal("SIGSTOP")
        resolve()
      })
      setTimeout(() => reject(new Error("nobody came to the ledger")), 60_000).unref()
    })
    const other = world.join()
    await other.line(/Inserted/, { timeout: 90_000 })
    sleeper.signal("SIGCONT")
    await sleep(1000)
  }
}

const members: Scenario = {
  name: "members join and leave",
  sinks: ["snowflake"],
  run: async (world) => {
    while (world.members.length < 2 + world.random.below(3)) {
      world.join()
      await sleep(world.random.below(1500))
    }
    await busy(one(world))
    while (world.members.length > 1) {
      await world.leave(one(world))
      await sleep(world.random.below(500))
    }
  }
}

const rolling: Scenario = {
  name: "a rolling restart",
  sinks: ["snowflake"],
  run: async (world) => {
    while (world.members.length < 2) world.join()
    for (const member of [...world.members]) {
      await busy(member)
      await world.leave(member)
      world.join()
    }
  }
}

const restart: Scenario = {
  name: "stop and start",
  sinks: both,
  run: async (world) => {
    const member = one(world)
    await busy(member)
    await world.leave(member)
    world.join()
  }
}

const grow: Scenario = {
  name: "partitions added",
  sinks: both,
  run: async (world) => {
    const metadata = await world.admin.fetchTopicMetadata({ topics: [world.topic] })
    const count = metadata.topics[0]?.partitions.length ?? 0
    if (count >= 8) return
    await world.admin.createPartitions({ topicPartitions: [{ topic: world.topic, count: count + 1 }] })
  }
}

const brokerKilled: Scenario = {
  name: "a broker killed and restarted",
  sinks: both,
  run: async (world) => {
    const broker = world.random.pick(world.brokers)
    broker.kill()
    await sleep(1000 + world.random.below(2000))
    await broker.restart()
  }
}

const coordinatorLost: Scenario = {
  name: "the coordinator lost",
  sinks: both,
  run: async (world) => {
    const { coordinator } = await findCoordinator(world)
    const broker = world.brokers.find(({ port }) => port === coordinator)
    if (broker === undefined) return
    await broker.stop()
    await sleep(1000)
    await broker.restart()
  }
}

const findCoordinator = async (world: World): Promise<{ readonly coordinator: number | undefined }> => {
  const metadata = await world.admin.fetchTopicMetadata({ topics: ["__consumer_offsets"] })
  const cluster = await world.admin.describeCluster()
  const leader = metadata.topics[0]?.partitions[0]?.leader
  return { coordinator: cluster.brokers.find(({ nodeId }) => nodeId === leader)?.port }
}

const backlog: Scenario = {
  name: "a backlog",
  sinks: both,
  run: async (world) => {
    await world.load.burst(world.sink === "duckdb" ? 60_000 : 4000)
  }
}

export const scenarios: ReadonlyArray<Scenario> = [
  killAtRandom,
  killWhileDraining,
  ...killAtStep,
  ...faults.map(fault),
  zombie,
  sleeperInTransaction,
  members,
  rolling,
  restart,
  grow,
  brokerKilled,
  coordinatorLost,
  backlog
]

/** Does what the scenario says and counts it; what it throws fails the run. */
export const perform = async (world: World, scenario: Scenario): Promise<void> => {
  await scenario.run(world)
  world.happened.set(scenario.name, (world.happened.get(scenario.name) ?? 0) + 1)
}

/** Ends a round: no more faults, everything read, all members stopped gracefully. */
export const finish = async (world: World): Promise<void> => {
  world.snowflake?.proxy.disarm()
  await world.load.stop()
  await settle(world, 180_000)
  while (world.members.length > 0) await world.leave(one(world))
}
