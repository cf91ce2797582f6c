/**
 * The parts that measure the service when there is little to do: how fast it starts, what it takes when idle, how soon
 * a trickle is durable.
 */
import { setTimeout as sleep } from "node:timers/promises"
import kafkajs from "kafkajs"
import type { Bench, Part } from "./Bench.ts"
import * as Load from "./Load.ts"
import { settingsFor } from "./NullClient.ts"
import type { Commit } from "./NullWarehouse.ts"
import { order, type Topic, topicOf } from "./Orders.ts"
import { type Measurement, median, percentile } from "./Results.ts"
import * as Service from "./Service.ts"
import * as Usage from "./Usage.ts"

/** Nothing is in it until somebody sends something. */
const empty = topicOf(0)

/** Runs `use` with the service reading a topic and writing to the null Snowflake. */
const withService = async <A>(
  bench: Bench,
  topic: Topic,
  settings: Readonly<Record<string, string>>,
  use: (service: Service.Service) => Promise<A>
): Promise<A> => {
  await Load.fill(bench.bootstrap, topic, bench.say)
  await bench.snowflake.control({ latency: 0, reset: true })
  const sink = { ...settingsFor(bench.snowflake.url), ...settings }
  const service = Service.launch(await Service.environment({ ...bench, topic: topic.name, settings: sink }))
  try {
    return await use(service)
  } finally {
    await Service.kill(service)
  }
}

const start: Part = {
  name: "start",
  about: "from the start of the process to the first fetch; idle",
  runs: "always",
  run: async (bench) => {
    const measured: Array<Measurement> = []
    for (let round = 1; round <= bench.rounds; round++) {
      // DEBUG tells of each fetch; what it tells is that one was asked for and answered, so a little more than the
      // target asks.
      const figures = await withService(bench, topicOf(bench.events), { LOG_LEVEL: "DEBUG" }, async (service) => {
        const since = (at: number): number => (at - service.startedAt) / 1000
        const fetched = since((await service.process.line(/Fetched \d+ records/)).at)
        return { assigned: since(await Service.assigned(service)), fetched }
      })
      bench.say(
        `  start, round ${round}: assigned after ${figures.assigned} s, first records after ${figures.fetched} s`
      )
      measured.push({ part: start.name, subject: "start", round, figures })
    }
    const idle = await withService(bench, empty, {}, async (service) => {
      await Service.assigned(service)
      // Until what the start left behind has been cleared away.
      await sleep(bench.quick ? 5000 : 20_000)
      const seconds = bench.quick ? 5 : 30
      const usage = Usage.watch(service.process.pid)
      await sleep(seconds * 1000)
      const { cpuSeconds } = usage.stop()
      return { cpuPercent: (cpuSeconds / seconds) * 100, rss: Usage.usageOf(service.process.pid).rss }
    })
    bench.say(`  idle: RSS ${Math.round(idle.rss)} MB, CPU ${idle.cpuPercent.toFixed(1)} %`)
    return [...measured, { part: start.name, subject: "idle", round: 1, figures: idle }]
  }
}

/**
 * Statements that take this long make a write visible in the figures, as it would be on a real warehouse; in
 * milliseconds.
 */
const trickleLatency = 300

const trickle: Part = {
  name: "trickle",
  about: "20 events a second, 300 ms per statement: from event to durable",
  runs: "not quick",
  run: (bench) =>
    withService(bench, empty, {}, async (service) => {
      await Service.assigned(service)
      await bench.snowflake.control({ latency: trickleLatency })
      const sent = await send(bench, 60)
      await Service.whileAlive(service, bench.snowflake.reached(sent.length, 30_000))
      const { commits } = await bench.snowflake.stats()
      const delays = sent.map((event) => (durableAt(event, commits) - event.at) / 1000)
      const [p50, p99] = [percentile(delays, 0.5) ?? Number.NaN, percentile(delays, 0.99) ?? Number.NaN]
      const write = median(commits.map(({ at, began }) => (at - began) / 1000)) ?? Number.NaN
      bench.say(`  trickle: p50 ${p50.toFixed(2)} s, p99 ${p99.toFixed(2)} s; one write ${write.toFixed(2)} s`)
      return [{ part: trickle.name, subject: "the service", round: 1, figures: { p50, p99, write } }]
    })
}

interface Sent {
  readonly at: number
  readonly partition: number
  readonly offset: number
}

/** One event at a time, 20 a second. */
const send = async (bench: Bench, seconds: number): Promise<ReadonlyArray<Sent>> => {
  const kafka = new kafkajs.Kafka({ brokers: [bench.bootstrap], logLevel: kafkajs.logLevel.NOTHING })
  const producer = kafka.producer({ createPartitioner: kafkajs.Partitioners.DefaultPartitioner })
  await producer.connect()
  const began = Date.now()
  const sent: Array<Sent> = []
  for (let index = 0; index < seconds * 20; index++) {
    await sleep(Math.max(0, began + index * 50 - Date.now()))
    const at = Date.now()
    const partition = index % empty.partitions
    const messages = [{ value: order(index, empty.bytes), partition, timestamp: String(at) }]
    const [answer] = await producer.send({ topic: empty.name, messages })
    sent.push({ at, partition, offset: Number(answer?.baseOffset) })
  }
  await producer.disconnect()
  return sent
}

/** When the transaction was committed that moved the ledger over this event. */
const durableAt = ({ offset, partition }: Sent, commits: ReadonlyArray<Commit>): number =>
  commits.find(({ ranges }) => ranges.some(({ f, p, x }) => p === partition && f <= offset && offset < x))?.at ??
  Number.POSITIVE_INFINITY

export const parts: ReadonlyArray<Part> = [start, trickle]
