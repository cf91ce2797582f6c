/**
 * The figures of the benchmark are what they say: medians over rounds, ratios within a round, events of the size that
 * was asked for. What is published of the last whole run is what latest.json holds of it.
 */
import { readFileSync } from "node:fs"
import { join } from "node:path"
import { assert, describe, it } from "@effect/vitest"
import * as Schema from "effect/Schema"
import { order } from "../../../bench/Orders.ts"
import * as Report from "../../../bench/Report.ts"
import * as Results from "../../../bench/Results.ts"
import { judge } from "../../../bench/Targets.ts"
import * as Throughput from "../../../bench/Throughput.ts"
import { projectRoot } from "../../../scripts/support/paths.ts"

const rate = (subject: string, round: number, value: number) => ({
  part: "p",
  subject,
  round,
  figures: { rate: value }
})

describe("results", () => {
  it("takes ratios within each round, then their median", () => {
    const results = Results.make([
      ...[rate("a", 1, 100), rate("a", 2, 10), rate("a", 3, 40)],
      ...[rate("b", 1, 50), rate("b", 2, 10), rate("b", 3, 10)]
    ])
    assert.strictEqual(results.ratio("p", "a", "b", "rate"), 2)
    assert.strictEqual(results.figure("p", "a", "rate"), 40)
    assert.isUndefined(results.ratio("p", "a", "c", "rate"))
    assert.isUndefined(results.figure("p", "a", "peakRss"))
  })

  it("knows medians of an even number, and percentiles", () => {
    assert.strictEqual(Results.median([4, 1, 3, 2]), 2.5)
    assert.strictEqual(Results.percentile([5, 1, 4, 2, 3], 0.99), 5)
    assert.strictEqual(Results.percentile([5, 1, 4, 2, 3], 0.5), 3)
  })
})

describe("orders", () => {
  it.each([230, 10_000, 1_000_000])("are JSON of about %i bytes, each with an id of its own", (bytes) => {
    const texts = Array.from({ length: 20 }, (_, index) => order(index, bytes))
    const ids = texts.map((text) => {
      assert.closeTo(Buffer.byteLength(text) / bytes, 1, 0.1)
      const event: { readonly order_id: string } = JSON.parse(text)
      return event.order_id
    })
    assert.strictEqual(new Set(ids).size, texts.length)
    assert.match(ids[0] ?? "", /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-a[0-9a-f]{3}-[0-9a-f]{12}$/)
  })
})

const Stored = Schema.Struct({
  ...{ at: Schema.String, commit: Schema.String },
  machine: Schema.Struct({
    ...{ cores: Schema.Int, cpu: Schema.String, memoryGb: Schema.Finite, node: Schema.String, kafka: Schema.String }
  }),
  ...{ isWhole: Schema.Boolean, quick: Schema.Boolean },
  ...{ rounds: Schema.Int, events: Schema.Int, seconds: Schema.Finite },
  targets: Schema.Array(
    Schema.Struct({
      ...{ what: Schema.String, target: Schema.String },
      ...{ measured: Schema.optionalKey(Schema.String), held: Schema.optionalKey(Schema.Boolean) }
    })
  ),
  measurements: Schema.Array(
    Schema.Struct({
      ...{ part: Schema.String, subject: Schema.String, round: Schema.Int },
      figures: Schema.Record(Schema.String, Schema.Finite)
    })
  )
})

const read = (path: string): string => readFileSync(join(projectRoot, path), "utf8")

describe("what is published", () => {
  const stored = Schema.decodeUnknownSync(Schema.fromJsonString(Stored))(read("bench/results/latest.json"))
  const chart = read("bench/results/chart.svg")
  const table = read("bench/results/table.md")

  it("is a whole run", () => {
    assert.isTrue(stored.isWhole)
    assert.isFalse(stored.quick)
  })

  it("has in the chart the median of each subject's rates, bars of that length, and no other figure", () => {
    const drawn = chart
      .split('<text class="title"')
      .slice(1)
      .map((panel) => {
        const bars = [
          ...panel.matchAll(
            /text-anchor="end"[^>]*>([^<]+)<[\s\S]*?width="([\d.]+)"[\s\S]*?class="value"[^>]*>([\d,]+)\/s</g
          )
        ].map(([, subject = "", width, rate = ""]) => ({
          ...{ subject, width: Number(width), rate: Number(rate.replaceAll(",", "")) }
        }))
        const longest = bars.reduce((most, bar) => (bar.rate > most.rate ? bar : most))
        for (const { rate, width } of bars) assert.closeTo(width / longest.width, rate / longest.rate, 0.002)
        return {
          about: />Events per second: ([^<]+)</.exec(panel)?.[1],
          rates: Object.fromEntries(bars.map(({ rate, subject }) => [subject, rate]))
        }
      })
    const measured = Throughput.parts.flatMap(({ about, name }) => {
      const here = stored.measurements.filter(({ part }) => part === name)
      const rates = [...new Set(here.map(({ subject }) => subject))].map((subject) => {
        const all = here.flatMap((one) => (one.subject === subject ? [one.figures["rate"] ?? Number.NaN] : []))
        return [subject, Math.round([...all].sort((a, b) => a - b)[Math.floor(all.length / 2)] ?? Number.NaN)] as const
      })
      return rates.length === 0 ? [] : [{ about, rates: Object.fromEntries(rates) }]
    })
    assert.strictEqual(stored.rounds % 2, 1)
    assert.deepStrictEqual(drawn, measured)
  })

  it("is drawn from what was measured, and judged by it", () => {
    assert.deepStrictEqual(Report.render(stored), { chart, table })
    assert.deepStrictEqual(
      judge(Results.make(stored.measurements)).flatMap(({ measured }) => measured ?? []),
      stored.targets.flatMap(({ measured }) => measured ?? [])
    )
  })

  it("is what the document says", () => {
    const [before = ""] = read("docs/benchmark.md").split("\n## ")
    const rows = (text: string) => text.split("\n").filter((line) => line.startsWith("|"))
    assert.deepStrictEqual(rows(before), rows(table.split("\n\n")[1] ?? ""))
    const { at, commit, events, machine, rounds } = stored
    for (const fact of [
      ...[
        `${events.toLocaleString("en")} events, median of ${rounds} rounds`,
        `${machine.cores} cores (${machine.cpu})`
      ],
      ...[`Node ${machine.node}`, `Kafka ${machine.kafka}`, `commit ${commit}, ${at.slice(0, 10)}`]
    ])
      assert.include(before.replaceAll("\n", " "), fact)
  })
})
