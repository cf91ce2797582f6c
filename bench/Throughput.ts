/**
 * The parts that measure events per second: the service, the ceilings it could reach, and the loop that people write
 * today.
 */
import { variables } from "../src/settings/Variables.ts"
import {
  type Bench,
  type Measure,
  newFile,
  onDuckDb,
  onSnowflake,
  type Part,
  type Settings,
  sideBySide
} from "./Bench.ts"
import * as Load from "./Load.ts"
import { topicOf } from "./Orders.ts"
import * as Subject from "./Subject.ts"

export const subjects = {
  count: "kafkajs, counting only",
  parse: "kafkajs + JSON.parse",
  driver: "snowflake-sdk alone, from memory",
  service: "the service",
  atLeastOnce: "the service, at-least-once",
  streaming: "the service, streaming",
  streamingSlow: "the service, streaming, 300 ms an answer and 3 s until durable",
  naive: "naive loop, 100 rows an INSERT",
  appender: "DuckDB's appender alone, from memory"
}

/** A subject that runs for long is no news: what it did until then tells its rate. */
const seconds = ({ quick }: Bench, whole: number, share: number): number => (quick ? whole / 4 : whole) * share

/** A share of the events, at least enough for a few batches. */
const part = (events: number, share: number): number => Math.max(100, Math.round(events * share))

/** Naive loops take their time for each INSERT, so that a number of INSERTs says how long they run. */
const naive =
  (bench: Bench, latency: number, inserts: number): Measure =>
  async (share) => {
    const topic = topicOf(bench.events)
    const events = Math.min(100 * Math.ceil(inserts * share), bench.events)
    await bench.snowflake.control({ latency, reset: true })
    return Subject.run("NaiveLoop.ts", [bench.bootstrap, topic.name, events, bench.snowflake.url])
  }

const service =
  (bench: Bench, latency: number, limit: number, settings: Settings = {}): Measure =>
  (share) =>
    onSnowflake(bench, {
      ...{ topic: topicOf(bench.events), latency, settings },
      events: part(bench.events, share),
      seconds: seconds(bench, limit, share)
    })

const noLatency: Part = {
  name: "snowflake",
  about: "null Snowflake, no latency",
  runs: "always",
  run: async (bench) => {
    const topic = topicOf(bench.events)
    await Load.fill(bench.bootstrap, topic, bench.say)
    const bare =
      (mode: string): Measure =>
      (share) =>
        Subject.run("BareLoop.ts", [bench.bootstrap, topic.name, part(bench.events, share), mode])
    // The driver gets as many rows a write as the service had just before.
    let rowsPerWrite = 0
    const measured: Measure = async (share) => {
      const figures = await service(bench, 0, 300)(share)
      rowsPerWrite = Math.round(figures.rowsPerWrite ?? 0)
      return figures
    }
    const driver: Measure = async (share) => {
      await bench.snowflake.control({ latency: 0, reset: true })
      const sessions = variables.writeConcurrency.fallback
      return Subject.run("DriverAlone.ts", [bench.snowflake.url, part(bench.events, share), rowsPerWrite, sessions])
    }
    return sideBySide(bench, noLatency.name, [
      [subjects.count, bare("count")],
      [subjects.parse, bare("parse")],
      [subjects.service, measured],
      [subjects.driver, driver],
      [subjects.atLeastOnce, service(bench, 0, 300, { DELIVERY: "at-least-once" })],
      [subjects.naive, naive(bench, 0, bench.events / 1000)]
    ])
  }
}

const threeHundred: Part = {
  name: "snowflake-300ms",
  about: "null Snowflake, 300 ms per statement",
  runs: "always",
  run: async (bench) => {
    const topic = topicOf(bench.events)
    await Load.fill(bench.bootstrap, topic, bench.say)
    return sideBySide(bench, threeHundred.name, [
      [subjects.service, service(bench, 300, 30)],
      ...(bench.quick
        ? []
        : ([[subjects.atLeastOnce, service(bench, 300, 30, { DELIVERY: "at-least-once" })]] as const)),
      [subjects.naive, naive(bench, 300, bench.quick ? 15 : 40)]
    ])
  }
}

const twoSeconds: Part = {
  name: "snowflake-2s",
  about: "null Snowflake, 2 s per statement",
  runs: "not quick",
  run: async (bench) => {
    const topic = topicOf(bench.events)
    await Load.fill(bench.bootstrap, topic, bench.say)
    return sideBySide(bench, twoSeconds.name, [
      [subjects.service, service(bench, 2000, 60)],
      [subjects.naive, naive(bench, 2000, 10)]
    ])
  }
}

const duckDb: Part = {
  name: "duckdb",
  about: "DuckDB, embedded",
  runs: "always",
  run: async (bench) => {
    const topic = topicOf(bench.events)
    const appender: Measure = async (share) => {
      const rows = Math.min(variables.writeMaxRows.fallback, bench.events)
      try {
        return await Subject.run("AppenderAlone.ts", [await newFile(bench), part(bench.events, share), rows])
      } finally {
        await newFile(bench)
      }
    }
    return sideBySide(bench, duckDb.name, [
      [subjects.service, (share) => onDuckDb(bench, { topic, events: part(bench.events, share), seconds: 300 })],
      [subjects.appender, appender]
    ])
  }
}

const streaming: Part = {
  name: "streaming",
  about: "null Snowflake over the streaming API, 8 partitions, while the backlog lasts",
  runs: "always",
  run: async (bench) => {
    const topic = topicOf(bench.events, { partitions: 8 })
    await Load.fill(bench.bootstrap, topic, bench.say)
    const over =
      (latency: number, durable: number): Measure =>
      (share) =>
        onSnowflake(bench, {
          ...{ topic, latency, streaming: { durable }, steady: true, events: part(bench.events, share) },
          seconds: seconds(bench, 120, share)
        })
    const sql: Measure = (share) =>
      onSnowflake(bench, {
        ...{ topic, steady: true, events: part(bench.events, share) },
        seconds: seconds(bench, 300, share)
      })
    const parse: Measure = (share) =>
      Subject.run("BareLoop.ts", [bench.bootstrap, topic.name, part(bench.events, share), "parse"])
    return sideBySide(bench, streaming.name, [
      [subjects.parse, parse],
      [subjects.service, sql],
      [subjects.streaming, over(0, 0)],
      [subjects.streamingSlow, over(300, 3000)]
    ])
  }
}

export const parts: ReadonlyArray<Part> = [noLatency, streaming, threeHundred, twoSeconds, duckDb]
