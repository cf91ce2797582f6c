/** The lines of the target table: what each one demands, what was measured, and whether it is held. */
import { variables } from "../src/settings/Variables.ts"
import { subjects as formats } from "./Formats.ts"
import * as Members from "./Members.ts"
import type { Results } from "./Results.ts"
import { subjects } from "./Throughput.ts"
import { cores } from "./Usage.ts"

export interface Line {
  readonly what: string
  readonly target: string
  /** Undefined where it was not. */
  readonly measured?: string | undefined
  /** Undefined where there is nothing to hold. */
  readonly held?: boolean | undefined
}

interface Judged {
  readonly measured: string
  readonly held?: boolean
}

type Judge = (results: Results) => Judged | undefined

const times = (value: number): string => (value >= 10 ? `${Math.round(value)}×` : `${value.toFixed(2)}×`)
const perSecond = (value: number): string => `${Math.round(value).toLocaleString("en")}/s`
const seconds = (value: number): string => `${value.toFixed(2)} s`
const megabytes = (value: number): string => `${Math.round(value)} MB`

/** Events per second of one subject against another. */
const faster =
  (part: string, subject: string, to: string, least: number, stretch?: number): Judge =>
  (results) => {
    const ratio = results.ratio(part, subject, to, "rate")
    const [rate, other] = [results.figure(part, subject, "rate"), results.figure(part, to, "rate")]
    if (ratio === undefined || rate === undefined || other === undefined) return undefined
    const more = stretch !== undefined && ratio >= stretch ? ", stretch held" : ""
    return { measured: `${times(ratio)} (${perSecond(rate)} against ${perSecond(other)})${more}`, held: ratio >= least }
  }

const cheaper: Judge = (results) => {
  const ratio = results.ratio("snowflake", subjects.service, subjects.naive, "cpuPerMillion")
  const cpu = results.figure("snowflake", subjects.service, "cpuPerMillion")
  const other = results.figure("snowflake", subjects.naive, "cpuPerMillion")
  if (ratio === undefined || cpu === undefined || other === undefined) return undefined
  return { measured: `${times(ratio)} (${cpu.toFixed(1)} s against ${other.toFixed(1)} s)`, held: ratio <= 0.4 }
}

const streamingCpu: Judge = (results) => {
  const cpu = results.figure("streaming", subjects.streaming, "cpuPerMillion")
  return cpu === undefined ? undefined : { measured: `${cpu.toFixed(1)} s`, held: cpu <= 5.5 }
}

const absolute: Judge = (results) => {
  const rate = results.figure("duckdb", subjects.service, "rate")
  return rate === undefined ? undefined : { measured: perSecond(rate), held: rate >= 100_000 }
}

const memory =
  (sink: string, most: number): Judge =>
  (results) => {
    const found = results.subjects("memory").flatMap((subject) => {
      const peak = results.figure("memory", subject, "peakRss")
      return subject.startsWith(sink) && peak !== undefined ? [{ subject, peak }] : []
    })
    if (found.length === 0) return undefined
    const list = found.map(({ peak, subject }) => `${subject.slice(sink.length + 2)} ${megabytes(peak)}`)
    return { measured: list.join(", "), held: found.every(({ peak }) => peak <= most) }
  }

const flat: Judge = (results) => {
  const found = results.subjects("backlog").flatMap((sink) => {
    const [peak, growth] = [results.figure("backlog", sink, "peakRss"), results.figure("backlog", sink, "growth")]
    return peak === undefined || growth === undefined ? [] : [{ sink, peak, growth }]
  })
  if (found.length === 0) return undefined
  const list = found.map(
    ({ growth, peak, sink }) => `${sink} ${megabytes(peak)}, second half against first ${times(growth)}`
  )
  return { measured: list.join("; "), held: found.every(({ growth }) => growth <= 1.1) }
}

const trickle: Judge = (results) => {
  const [p99, write] = [
    results.figure("trickle", "the service", "p99"),
    results.figure("trickle", "the service", "write")
  ]
  if (p99 === undefined || write === undefined) return undefined
  const most = Number(variables.batchTimeout.default) + write + 0.5
  return { measured: `${seconds(p99)}, one write being ${seconds(write)} (so ≤ ${seconds(most)})`, held: p99 <= most }
}

const start: Judge = (results) => {
  const fetched = results.figure("start", "start", "fetched")
  const assigned = results.figure("start", "start", "assigned")
  if (fetched === undefined || assigned === undefined) return undefined
  return { measured: `partitions after ${seconds(assigned)}, first records ${seconds(fetched)}`, held: fetched <= 1 }
}

const idle: Judge = (results) => {
  const [rss, cpu] = [results.figure("start", "idle", "rss"), results.figure("start", "idle", "cpuPercent")]
  if (rss === undefined || cpu === undefined) return undefined
  return { measured: `${megabytes(rss)}, ${cpu.toFixed(1)} %`, held: rss <= 160 && cpu <= 1 }
}

/** Once the cores are full, more members cannot help. */
const full = 0.9 * cores

const members =
  (door: Members.Door): Judge =>
  (results) => {
    const alone = results.figure("members", Members.subjectOf(1, door), "rate")
    const found = Members.counts.flatMap((count) => {
      const rate = results.figure("members", Members.subjectOf(count, door), "rate")
      const busy = results.figure("members", Members.subjectOf(count, door), "busyCores")
      return rate === undefined || busy === undefined || alone === undefined ? [] : [{ count, rate, busy, alone }]
    })
    if (found.length === 0) return undefined
    const list = found.map(({ alone, busy, count, rate }) => {
      const growth = count === 1 ? "" : ` = ${times(rate / alone)}`
      return `${count}: ${perSecond(rate)}${growth} (${busy.toFixed(1)} cores busy)`
    })
    const measured = list.join(", ")
    // What the lock costs is for information: the target does not speak of it.
    if (door === Members.doors[1]) return { measured }
    return {
      measured,
      held: found.every(({ alone, busy, count, rate }) => rate / alone >= 0.8 * count || busy >= full)
    }
  }

const table: ReadonlyArray<readonly [what: string, target: string, judge: Judge]> = [
  [
    "null Snowflake, no latency: events/s against the driver alone, fed from memory",
    "≥ 0.7 (stretch 0.9)",
    faster("snowflake", subjects.service, subjects.driver, 0.7, 0.9)
  ],
  [
    "the same against the bare kafkajs + JSON.parse loop",
    "≥ 0.3 (stretch 0.6)",
    faster("snowflake", subjects.service, subjects.parse, 0.3, 0.6)
  ],
  ["the same against the naive loop", "≥ 6×", faster("snowflake", subjects.service, subjects.naive, 6)],
  [
    "300 ms per statement: against the naive loop at 300 ms",
    "≥ 50× (stretch 150×)",
    faster("snowflake-300ms", subjects.service, subjects.naive, 50, 150)
  ],
  [
    "the same with WRITE_MAX_BYTES=8MiB, which is the default",
    "≥ 150×",
    faster("snowflake-300ms", subjects.service, subjects.naive, 150)
  ],
  ["the same at 2 s per statement", "≥ 50×", faster("snowflake-2s", subjects.service, subjects.naive, 50)],
  ["CPU per million events against the naive loop", "≤ 0.4×", cheaper],
  [
    "exactly-once against at-least-once, behind a backlog",
    "≥ 0.9",
    faster("snowflake", subjects.service, subjects.atLeastOnce, 0.9)
  ],
  [
    "streaming, no latency: events/s against the SQL writer",
    "≥ 2.2",
    faster("streaming", subjects.streaming, subjects.service, 2.2)
  ],
  [
    "the same against the bare kafkajs + JSON.parse loop",
    "≥ 0.6",
    faster("streaming", subjects.streaming, subjects.parse, 0.6)
  ],
  [
    "the same at 300 ms an answer and 3 s until durable, against no latency",
    "≥ 0.8",
    faster("streaming", subjects.streamingSlow, subjects.streaming, 0.8)
  ],
  ["streaming, Avro of 10 fields: events/s against JSON", "≥ 0.6", faster("formats", formats.avro, formats.json, 0.6)],
  ["the same with Protobuf", "≥ 0.6", faster("formats", formats.protobuf, formats.json, 0.6)],
  ["streaming: CPU per million events", "≤ 5.5 s", streamingCpu],
  ["streaming: peak RSS while catching up", "≤ 256 MB", memory("Streaming", 256)],
  [
    "DuckDB: events/s against the bare appender, fed from memory",
    "≥ 0.5",
    faster("duckdb", subjects.service, subjects.appender, 0.5)
  ],
  ["DuckDB: events/s", "≥ 100,000/s", absolute],
  ["peak RSS while catching up, Snowflake", "≤ 256 MB", memory("Snowflake", 256)],
  ["peak RSS while catching up, DuckDB", "≤ 512 MB", memory("DuckDB", 512)],
  ["peak RSS over a backlog of ten times the size", "flat", flat],
  ["20 events/s: event to durable, p99", "≤ BATCH_TIMEOUT + one write + 0.5 s", trickle],
  ["start of the process to the first fetch", "≤ 1 s", start],
  ["idle: RSS, CPU", "≤ 160 MB, ≤ 1 %", idle],
  ["1, 2, 4 members on 8 partitions at 300 ms", "≥ 0.8 per member until the cores are full", members(Members.doors[0])],
  [
    "the same, the ledger locked from UPDATE to COMMIT, as Snowflake does it",
    "for information",
    members(Members.doors[1])
  ],
  ["the same over the streaming API", "≥ 0.8 per member until the cores are full", members(Members.doors[2])],
  [
    "exactly-once against at-least-once at 300 ms per statement",
    "for information",
    (results) => {
      const judged = faster("snowflake-300ms", subjects.service, subjects.atLeastOnce, 0)(results)
      return judged && { measured: judged.measured }
    }
  ]
]

export const judge = (results: Results): ReadonlyArray<Line> =>
  table.map(([what, target, judged]) => {
    const found = judged(results)
    return { what, target, measured: found?.measured, held: found?.held }
  })
