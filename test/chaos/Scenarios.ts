/**
 * What can happen to the service, one thing each; a round does many of them one after the other while the load
 * continues.
 */
import { setTimeout as sleep } from "node:timers/promises"
import type { BronzeProcess } from "../../scripts/support/bronzeProcess.ts"
import { type Fault, faults, type Step, streamingFaults } from "./FaultProxy.ts"
import { committed, ends, ledger, type Sink, settle, type World } from "./World.ts"

export interface Scenario {
  readonly name: string
  readonly sinks: ReadonlyArray<Sink>
  /** Takes minutes: once in a long run. */
  readonly isSlow?: boolean
  /** Belongs into each round, whatever else is chosen. */
  readonly isAlways?: boolean
  /** Happens only where there is a schema registry. */
  readonly needsRegistry?: boolean
  readonly run: (world: World) => Promise<void>
}

const all: ReadonlyArray<Sink> = ["snowflake", "streaming", "duckdb"]
/** Where several members write. */
const shared: ReadonlyArray<Sink> = ["snowflake", "streaming"]
const working = /Inserted|Fetched|Assigned/

/** A ledger that a killed process left locked is waited for: up to LOCK_TIMEOUT, then retried. In milliseconds. */
const patience = 180_000

const one = (world: World): BronzeProcess =>
  world.members.length > 0 ? world.random.pick(world.members) : world.join()

/** Waits until a member writes; it may be killed by something else meanwhile. */
const busy = async (member: BronzeProcess): Promise<void> => {
  await member.line(working, { from: member.lines.length, timeout: 20_000 }).catch(() => undefined)
}

const killAtRandom: Scenario = {
  name: "SIGKILL at a random time",
  sinks: all,
  run: async (world) => {
    const member = one(world)
    await busy(member)
    await sleep(world.random.below(700))
    await world.kill(member)
    world.join()
  }
}

const killStorm: Scenario = {
  name: "a storm of SIGKILLs",
  sinks: all,
  isAlways: true,
  run: async (world) => {
    await leaveOnly(world, 0)
    for (let n = 0; n < 15; n++) {
      const member = world.join()
      await member.line(/Assigned/, { timeout: 60_000 })
      await sleep(world.random.below(400))
      await world.kill(member)
    }
    world.join()
  }
}

const killWhileDraining: Scenario = {
  name: "SIGKILL during the drain",
  sinks: all,
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

/** Kills one member alone, so that the step that is met is its own; to claim is the first thing that a new one does. */
const killAt = (
  sink: Sink,
  [name, step, phase]: (typeof killPoints)[number],
  afterwards: (world: World) => Promise<void> = async () => undefined
): Scenario => {
  const isFirst = step === "claim" || step === "open"
  return {
    name: `SIGKILL ${name}`,
    sinks: [sink],
    run: async (world) => {
      await leaveOnly(world, isFirst ? 0 : 1)
      if (!isFirst) await one(world).line(/Inserted/, { timeout: patience })
      const met = meet(world, step, phase, () => world.kill(one(world)))
      if (world.members.length === 0) world.join()
      await met
      await afterwards(world)
      world.join()
    }
  }
}

/** The same where rows go over the streaming API: what is accepted is not durable yet. */
const streamingKillPoints: typeof killPoints = [
  ["before the rows are sent", "append", "before"],
  ["when the rows are accepted", "append", "after"],
  ["when the dead letters are accepted", "append_letters", "after"],
  ["while it asks for the offset tokens", "tokens", "before"],
  ["when the offset tokens are there, before the Kafka commit", "tokens", "after"],
  ["while it opens its channels", "open", "after"]
]

/** P2 at the worst moment: nobody is left to make it good, and Kafka knows no more than the ledger. */
const assertNotAhead = async (world: World): Promise<void> => {
  const kafkaSays = await committed(world)
  const ledgerSays = await ledger(world)
  for (const [partition, offset] of kafkaSays.entries())
    if (offset > (ledgerSays[partition] ?? 0))
      throw new Error(
        `Kafka's committed offset is ahead of the ledger: partition ${partition}, ${offset} > ${ledgerSays[partition]}`
      )
}

const leaveOnly = async (world: World, count: number): Promise<void> => {
  while (world.members.length > count) await world.leave(one(world))
  if (count > 0) one(world)
}

/** Does `act` when a statement of this step comes by, and waits for it. */
const meet = (world: World, step: Step, phase: "before" | "after", act: () => Promise<void> | void): Promise<void> =>
  new Promise((resolve, reject) => {
    // A member that has lost its coordinator is given a minute and a half to find it.
    const timer = setTimeout(() => reject(new Error(`nobody came to ${phase} ${step} in two minutes`)), 120_000)
    world.snowflake?.proxy.at(step, phase, async () => {
      clearTimeout(timer)
      await Promise.resolve(act()).then(resolve, reject)
    })
  })

/** Where each fault can be met; only rows are large, and only locks are waited for. */
const stepsOf = (kind: Fault): ReadonlyArray<Step> => {
  if (kind === "lost_reply") return ["commit", "insert", "lock", "ledger"]
  if (kind === "413") return ["insert"]
  if (kind === "lock_limit" || kind === "lock_timeout") return ["insert", "lock"]
  return ["begin", "insert", "lock", "ledger", "commit"]
}

/** Where each fault of the streaming API can be met. */
const streamingStepsOf = (kind: Fault): ReadonlyArray<Step> => {
  if (kind === "discarded" || kind === "413" || kind === "stale" || kind === "lost_reply") return ["append"]
  if (kind === "409" || kind === "404_channel" || kind === "410") return ["append", "append_letters"]
  // A login that is refused at start has to be fixed by somebody: the service ends.
  if (kind === "401" || kind === "403") return ["append", "append_letters", "open", "tokens"]
  return ["append", "append_letters", "open", "tokens", "login"]
}

const streamingFault = (kind: Fault): Scenario => ({
  name: `the streaming API: ${kind}`,
  sinks: ["streaming"],
  isSlow: kind === "half_open",
  run: async (world) => {
    const { proxy } = world.snowflake ?? {}
    if (proxy === undefined) return
    const times = kind === "half_open" ? 1 : 3
    for (let n = 0; n < times; n++) proxy.arm(kind, n === 0 ? "append" : world.random.pick(streamingStepsOf(kind)))
    await one(world).line(/Inserted/, { timeout: patience })
    const until = Date.now() + 30_000
    while (proxy.armed() > 0 && Date.now() < until) await sleep(100)
    proxy.disarm()
    world.happened.set(`fault ${kind}`, (world.happened.get(`fault ${kind}`) ?? 0) + times)
  }
})

/** What is accepted stays uncommitted for longer than the service waits, and its members die meanwhile. */
const neverDurable: Scenario = {
  name: "accepted and not durable",
  sinks: ["streaming"],
  run: async (world) => {
    const { emulator } = world.snowflake ?? {}
    if (emulator === undefined) return
    const set = (milliseconds: number) =>
      fetch(`${emulator.url}/emulator/options`, {
        method: "POST",
        body: JSON.stringify({ "streaming-commit-ms": milliseconds })
      })
    await set(-1)
    await busy(one(world))
    await sleep(world.random.below(4000))
    if (world.random.below(2) === 0) {
      await world.kill(one(world))
      world.join()
      await sleep(world.random.below(3000))
    }
    await set(100 + world.random.below(600))
  }
}

const fault = (kind: Fault): Scenario => ({
  name: `the warehouse: ${kind}`,
  sinks: ["snowflake"],
  isSlow: kind === "half_open",
  run: async (world) => {
    const { proxy } = world.snowflake ?? {}
    if (proxy === undefined) return
    const steps = stepsOf(kind)
    const times = kind === "half_open" ? 1 : 3
    for (let n = 0; n < times; n++)
      proxy.arm(kind, kind === "lost_reply" && n === 0 ? "commit" : world.random.pick(steps))
    await one(world).line(/Inserted/, { timeout: patience })
    const until = Date.now() + 60_000
    while (proxy.armed() > 0 && Date.now() < until) await sleep(100)
    proxy.disarm()
    world.happened.set(`fault ${kind}`, (world.happened.get(`fault ${kind}`) ?? 0) + times)
  }
})

const zombie: Scenario = {
  name: "SIGSTOP past the session timeout, then SIGCONT",
  sinks: shared,
  run: async (world) => {
    const sleeper = one(world)
    await busy(sleeper)
    sleeper.signal("SIGSTOP")
    const other = world.join()
    // The session is over soon; the other one takes over what the sleeper still believes to hold.
    await other.line(/Inserted/, { timeout: patience })
    sleeper.signal("SIGCONT")
    await sleep(500)
  }
}

const sleeperInTransaction: Scenario = {
  name: "SIGSTOP between UPDATE and COMMIT, then SIGCONT",
  sinks: ["snowflake"],
  run: async (world) => {
    await leaveOnly(world, 1)
    const sleeper = one(world)
    await sleeper.line(/Inserted/, { timeout: patience })
    await meet(world, "ledger", "after", () => sleeper.signal("SIGSTOP"))
    const other = world.join()
    await other.line(/Inserted/, { timeout: patience })
    sleeper.signal("SIGCONT")
    await sleep(1000)
  }
}

const members: Scenario = {
  name: "members join and leave",
  sinks: shared,
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
  sinks: shared,
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
  sinks: all,
  run: async (world) => {
    const member = one(world)
    await busy(member)
    await world.leave(member)
    world.join()
  }
}

const stopWithRecordsInHand: Scenario = {
  name: "SIGTERM with records in hand",
  sinks: all,
  run: async (world) => {
    await leaveOnly(world, 0)
    world.load.trickle(0)
    await settle(world, 120_000)
    await leaveOnly(world, 0)
    // The batch is neither full nor due: only the flush can write it.
    const member = world.join({ BATCH_TIMEOUT: "60", LOG_LEVEL: "debug" })
    await member.line(/Assigned/, { timeout: 60_000 })
    const count = 1 + world.random.below(50)
    await world.load.burst(count)
    const fetched = () =>
      member.lines.reduce((sum, { text }) => sum + Number(/Fetched (\d+) records/.exec(text)?.[1] ?? 0), 0)
    for (let waited = 0; fetched() < count && waited < 30_000; waited += 50) await sleep(50)
    await world.leave(member)
    const [done, all] = [await committed(world), await ends(world)]
    if (String(done) !== String(all)) throw new Error(`a stop lost what it held: committed ${done}, read ${all}`)
    world.load.trickle(world.sink === "duckdb" ? 2000 : 400)
    world.join()
  }
}

const grow: Scenario = {
  name: "partitions added",
  sinks: all,
  run: async (world) => {
    const metadata = await world.admin.fetchTopicMetadata({ topics: [world.topic] })
    const count = metadata.topics[0]?.partitions.length ?? 0
    if (count >= 8) return
    await world.admin.createPartitions({ topicPartitions: [{ topic: world.topic, count: count + 1 }] })
  }
}

const brokerKilled: Scenario = {
  name: "a broker killed and restarted",
  sinks: all,
  run: async (world) => {
    const broker = world.random.pick(world.brokers)
    broker.kill()
    await sleep(1000 + world.random.below(2000))
    await broker.restart()
  }
}

const coordinatorLost: Scenario = {
  name: "the coordinator lost",
  sinks: all,
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

/** A member that has just begun knows no schema: it has to wait for the registry, and for the same ids. */
const registryKilled: Scenario = {
  name: "the schema registry killed and restarted",
  sinks: all,
  needsRegistry: true,
  isAlways: true,
  run: async (world) => {
    await world.registry?.kill()
    await leaveOnly(world, 0)
    const member = world.join()
    await world.load.burst(500)
    await member.line(/Could not get a schema/, { timeout: 60_000 })
    await sleep(world.random.below(2000))
    await world.registry?.restart()
    await member.line(/Inserted/, { timeout: 60_000 })
  }
}

const backlog: Scenario = {
  name: "a backlog",
  sinks: all,
  run: async (world) => {
    await world.load.burst(world.sink === "duckdb" ? 300_000 : 4000)
  }
}

export const scenarios: ReadonlyArray<Scenario> = [
  killAtRandom,
  killStorm,
  killWhileDraining,
  ...killPoints.map((point) => killAt("snowflake", point, assertNotAhead)),
  ...faults.map(fault),
  ...streamingKillPoints.map((point) => killAt("streaming", point)),
  ...streamingFaults.map(streamingFault),
  neverDurable,
  zombie,
  sleeperInTransaction,
  members,
  rolling,
  restart,
  stopWithRecordsInHand,
  grow,
  brokerKilled,
  coordinatorLost,
  registryKilled,
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
