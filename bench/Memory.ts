/**
 * The parts that measure peak RSS while the service catches up: events of any size, a stalled warehouse, a backlog of
 * ten times the size.
 */
import { setTimeout as sleep } from "node:timers/promises"
import { type Bench, onDuckDb, onSnowflake, type Part } from "./Bench.ts"
import { type Topic, topicOf } from "./Orders.ts"
import type { Measurement } from "./Results.ts"
import type { Figures } from "./Subject.ts"

const limit = 300

/** The statements of two seconds take this long, in milliseconds: time enough to fill every buffer. */
const stall = 20_000

const topics = ({ events, quick }: Bench): ReadonlyArray<readonly [size: string, topic: Topic]> => [
  ["230 B", topicOf(events)],
  ...(quick
    ? []
    : ([
        ["230 B in lz4", topicOf(events, { compression: "lz4" })],
        ["10 KB", topicOf(events / 20, { bytes: 10_000 })]
      ] as const)),
  // Whole batches, so that none waits for BATCH_TIMEOUT at the end.
  ["1 MB", topicOf(100 * Math.ceil(events / 300_000), { bytes: 1_000_000 })]
]

const oneAfterTheOther = async (
  bench: Bench,
  part: string,
  runs: ReadonlyArray<readonly [subject: string, run: () => Promise<Figures>]>
): Promise<ReadonlyArray<Measurement>> => {
  const measured: Array<Measurement> = []
  for (const [subject, run] of runs) {
    const figures = await run()
    measured.push({ part, subject, round: 1, figures })
    bench.say(
      `  ${part}: ${subject}: ${Math.round(figures.peakRss ?? 0)} MB, ${Math.round(figures.rate ?? 0)} events/s`
    )
  }
  return measured
}

const memory: Part = {
  name: "memory",
  about: "peak RSS while catching up",
  runs: "always",
  run: (bench) => {
    const sizes = topics(bench)
    const [, orders] = sizes[0] ?? ["", topicOf(bench.events)]
    const stalled = (isStreaming: boolean) =>
      onSnowflake(bench, {
        ...{ topic: orders, events: orders.events, seconds: limit },
        ...(isStreaming && { streaming: { durable: 0 } }),
        meanwhile: async () => {
          await bench.snowflake.control({ latency: stall })
          await sleep(2000)
          await bench.snowflake.control({ latency: 0 })
        }
      })
    return oneAfterTheOther(bench, memory.name, [
      ...sizes.map(
        ([size, topic]) =>
          [`Snowflake, ${size}`, () => onSnowflake(bench, { topic, events: topic.events, seconds: limit })] as const
      ),
      ...(bench.quick ? [] : [["Snowflake, stalled", () => stalled(false)] as const]),
      ...sizes.map(
        ([size, topic]) =>
          [
            `Streaming, ${size}`,
            () => onSnowflake(bench, { topic, streaming: { durable: 0 }, events: topic.events, seconds: limit })
          ] as const
      ),
      ...(bench.quick ? [] : [["Streaming, stalled", () => stalled(true)] as const]),
      ...sizes.map(
        ([size, topic]) =>
          [`DuckDB, ${size}`, () => onDuckDb(bench, { topic, events: topic.events, seconds: limit })] as const
      )
    ])
  }
}

const backlog: Part = {
  name: "backlog",
  about: "a backlog of ten times the size",
  runs: "long",
  run: (bench) => {
    const topic = topicOf(bench.events * 10)
    const amount = { topic, events: topic.events, seconds: 10 * limit }
    return oneAfterTheOther(bench, backlog.name, [
      ["Snowflake", () => onSnowflake(bench, amount)],
      ["DuckDB", () => onDuckDb(bench, amount)]
    ])
  }
}

export const parts: ReadonlyArray<Part> = [memory, backlog]
