/**
 * The part that shows how far one ledger carries at low traffic: members and tables that write every 5 s, at the
 * latencies that users of real accounts have published (an UPDATE 0.8 s, others 0.3 s). Each write holds the ledger's
 * lock from its first UPDATE to COMMIT.
 */
import { setTimeout as sleep } from "node:timers/promises"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Batch from "../src/domain/Batch.ts"
import { partitionKey, type TopicPartition } from "../src/domain/KafkaRecord.ts"
import type { BronzeRow } from "../src/domain/Outcome.ts"
import * as Settings from "../src/settings/Settings.ts"
import * as Snowflake from "../src/warehouse/snowflake/Snowflake.ts"
import { Warehouse } from "../src/warehouse/Warehouse.ts"
import type { Bench, Part } from "./Bench.ts"
import { settingsFor } from "./NullClient.ts"
import type { Measurement } from "./Results.ts"

/** Milliseconds. */
const published = { latency: 300, updateLatency: 800 } as const
const batchTimeout = 5_000
const window = 40_000

const counts = [
  [1, 1],
  [1, 2],
  [2, 2],
  [4, 2],
  [10, 2]
] as const

/**
 * One member: a write for each of its tables every 5 s, or as soon as the one before has ended; gives how long each
 * took, in seconds.
 */
const member = (bench: Bench, number: number, tables: number, until: number) =>
  Effect.gen(function* () {
    const routes = Array.from({ length: tables }, (_, table) => `t${table}=T${table}`).join(",")
    const sink = { ...settingsFor(bench.snowflake.url), BRONZE_ROUTES: routes }
    const context = yield* Layer.build(
      Snowflake.layer.pipe(Layer.provideMerge(Settings.layer), Layer.provide(Settings.environment(sink)))
    )
    const { claim, write } = Context.get(context, Warehouse)
    const took: Array<number> = []
    const flow = Effect.fnUntraced(function* ({ table, topic }: (typeof settings.routes)[number]) {
      const [mine] = yield* claim([{ topic, partition: number, offset: 0 }], `member-${number}`)
      if (mine === undefined) return yield* Effect.die("not claimed")
      const stands = new Map([[partitionKey(mine), mine]])
      const claimed = (partition: TopicPartition) => stands.get(partitionKey(partition)) ?? mine
      for (let offset = 0; Date.now() < until; offset++) {
        const began = Date.now()
        yield* write(
          Batch.make({ table, outcomes: [rowAt({ topic, partition: number, offset })], trigger: "time", claimed })
        )
        stands.set(partitionKey(mine), { ...mine, next: offset + 1 })
        took.push((Date.now() - began) / 1000)
        yield* Effect.promise(() => sleep(Math.max(0, batchTimeout - (Date.now() - began))))
      }
    })
    const settings = Context.get(context, Settings.Settings)
    yield* Effect.forEach(settings.routes, flow, { concurrency: "unbounded" })
    return took
  }).pipe(Effect.scoped)

const run = async (bench: Bench): Promise<ReadonlyArray<Measurement>> => {
  const measured: Array<Measurement> = []
  for (const [members, tables] of counts) {
    await bench.snowflake.control({ ...published, locks: true, reset: true })
    const until = Date.now() + window
    const took = await Effect.runPromise(
      Effect.forEach(
        Array.from({ length: members }, (_, index) => index),
        (number) => member(bench, number, tables, until),
        { concurrency: "unbounded" }
      )
    )
    const times = took.flat().sort((a, b) => a - b)
    const seconds = times[times.length >> 1] ?? 0
    const subject = `${members} members, ${tables} tables`
    measured.push({ part: "ledger", subject, round: 1, figures: { seconds } })
    bench.say(`  ${subject}: a write takes ${seconds.toFixed(1)} s, ${(times.at(-1) ?? 0).toFixed(1)} at most`)
  }
  return measured
}

export const parts: ReadonlyArray<Part> = [
  { name: "ledger", about: "members and tables that share a ledger, at published latencies", runs: "not quick", run }
]

const rowAt = (place: TopicPartition & { readonly offset: number }): BronzeRow => ({
  ...{ _tag: "BronzeRow", ...place, timestamp: 0, key: null, headers: null },
  ...{ event: Buffer.from("{}"), columns: [null, null], bytes: 100 }
})
