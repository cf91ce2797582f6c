/** The layout of `status`: a fixed order, the most important first, never larger than the terminal. */
import * as Screen from "../support/Screen.ts"
import { courseOf, type Rates, ratesOf } from "./Rates.ts"
import type { PartitionStatus, StatusReport } from "./Report.ts"

type Paint = Pick<Screen.Screen, "red" | "yellow" | "dim">

/** A line that is not painted yet, so that its length is what is seen. */
interface Line {
  readonly text: string
  readonly colour?: keyof Paint
}

const plain = (text: string): ReadonlyArray<Line> => text.split("\n").map((line) => ({ text: line }))

/** The report for people. */
export const render = (report: StatusReport, paint: Paint): string => lines(report).map(painted(paint)).join("\n")

/** The latest of these looks with what has changed since, as lines that fit. */
export const frame = (
  looks: ReadonlyArray<StatusReport>,
  size: { readonly columns: number; readonly rows: number },
  paint: Paint
): ReadonlyArray<string> => {
  const latest = looks.at(-1)
  if (latest === undefined) return []
  const watched = { rates: ratesOf(looks), course: courseOf(looks), columns: size.columns }
  const all = lines(latest, watched)
  const spare = latest.partitions.length - Math.max(0, all.length - size.rows) - 1
  const fitting = all.length <= size.rows ? all : lines(latest, { ...watched, most: Math.max(1, spare) })
  return fitting.slice(0, size.rows).map((line) => painted(paint)({ ...line, text: cut(line.text, size.columns) }))
}

const painted =
  (paint: Paint) =>
  ({ colour, text }: Line): string =>
    colour === undefined ? text : paint[colour](text)

const cut = (text: string, columns: number): string =>
  text.length > columns ? `${text.slice(0, Math.max(0, columns - 1))}…` : text

interface Watched {
  readonly rates: Rates
  readonly course: ReturnType<typeof courseOf>
  readonly columns: number
  /** So many partitions have room. */
  readonly most?: number
}

const lines = (report: StatusReport, watched?: Watched): ReadonlyArray<Line> => {
  const { delivery, group, notes, partitions, problems, service, tables, target } = report
  const deadLetters = tables.find(({ table }) => table === "DEAD_LETTERS")?.rows ?? 0
  const time = watched === undefined ? "" : `${clock(report.at)}  `
  return [
    { text: `${time}Group ${group}, ${delivery}${target === null ? "" : `, into ${target}`}` },
    ...(service === null
      ? []
      : [
          {
            text: `Figures of the service at ${service.url}, which holds the file; rows since it started, ${Screen.ago(service.startedAt, report.at)}`,
            colour: "dim" as const
          }
        ]),
    ...(partitions.length > 0
      ? [{ text: "" }, ...partitionLines(report, watched), lagLine(report, watched), ...courseLines(watched)]
      : []),
    ...(tables.length > 0 ? [{ text: "" }, ...tableLines(report, watched)] : []),
    ...(deadLetters > 0
      ? [
          { text: "" },
          {
            text: `${Screen.plural(deadLetters, "dead letter")}: bronze-consumer dlq list`,
            colour: "yellow" as const
          }
        ]
      : []),
    ...(notes.length > 0 ? [{ text: "" }, ...notes.map((text) => ({ text, colour: "dim" as const }))] : []),
    ...(problems.length > 0
      ? [
          { text: "" },
          ...problems.map((problem) => ({ text: `✗ ${Screen.harmless(problem)}`, colour: "red" as const }))
        ]
      : [])
  ]
}

const partitionLines = ({ partitions }: StatusReport, watched: Watched | undefined): ReadonlyArray<Line> => {
  const most = watched?.most ?? partitions.length
  // Where there is no room for all, those that are behind most.
  const least = [...partitions].sort((a, b) => b.lag - a.lag).slice(most)
  const shown = partitions.filter((partition) => !least.includes(partition))
  const cells = ({ high, lag, low, next, partition, source, topic }: PartitionStatus): ReadonlyArray<string> => [
    topic,
    String(partition),
    Screen.count(low),
    Screen.count(high),
    next === null ? "-" : Screen.count(next),
    Screen.count(lag),
    ...(watched === undefined ? [] : [change(watched.rates.lag({ topic, partition }))]),
    source === "none" ? "nothing yet" : source
  ]
  const header = ["TOPIC", "PARTITION", "LOG START", ...numbers(watched, ["LOG END", "NEXT", "LAG"], "LAG/S"), "BY"]
  const rest = least.reduce((sum, { lag }) => sum + Math.max(0, lag), 0)
  return [
    ...plain(fitting([header, ...shown.map(cells)], watched?.columns ?? Number.POSITIVE_INFINITY)),
    ...(least.length > 0
      ? [{ text: `… and ${Screen.plural(least.length, "other")}, with a total lag of ${Screen.count(rest)}` }]
      : [])
  ]
}

/** In a narrow terminal the ends of the log make room for the lag. */
const fitting = (rows: ReadonlyArray<ReadonlyArray<string>>, columns: number): string => {
  const numeric = (rows[0] ?? []).map((_, index) => index).slice(1, -1)
  const whole = Screen.table(rows, numeric)
  return whole.indexOf("\n") <= columns
    ? whole
    : Screen.table(
        rows.map((row) => row.filter((_, index) => index !== 2 && index !== 3)),
        numeric.slice(0, -2)
      )
}

/** What grows while it is watched gets room from the beginning, so that the columns stay where they are. */
const numbers = (watched: Watched | undefined, names: ReadonlyArray<string>, rate: string): ReadonlyArray<string> =>
  watched === undefined ? names : [...names, rate].map((name) => name.padStart(9))

/** `Total lag: 2,500, down 300/s; done in 8 s` */
/** `20 records wait behind an open transaction` */
export const heldBack = (count: number): string =>
  `${Screen.plural(count, "record")} ${count === 1 ? "waits" : "wait"} behind an open transaction`

const lagLine = ({ lag, partitions }: StatusReport, watched: Watched | undefined): Line => {
  const rate = watched?.rates.lagInAll
  const { done } = watched?.rates ?? {}
  const direction =
    rate === undefined || Math.round(rate) === 0 || lag === 0
      ? ""
      : `, ${rate < 0 ? "down" : "up"} ${rated(Math.abs(rate))}/s`
  const end = lag > 0 && done !== undefined ? `; done in about ${duration(done)}` : ""
  const waiting = partitions.reduce((sum, partition) => sum + partition.waiting, 0)
  const behind = waiting === 0 ? "" : `; ${heldBack(waiting)}`
  return { text: `Total lag: ${Screen.count(lag)}${direction}${end}${behind}`, colour: "dim" }
}

/** Two values would show no course. */
const courseLines = (watched: Watched | undefined): ReadonlyArray<Line> =>
  watched === undefined || watched.course.rows.length < 2
    ? []
    : [
        {
          text: `Lag ${Screen.sparkline(watched.course.lag)}   Rows/s ${Screen.sparkline(watched.course.rows)}`,
          colour: "dim"
        }
      ]

const tableLines = ({ at, service, tables }: StatusReport, watched: Watched | undefined): ReadonlyArray<Line> =>
  plain(
    Screen.table(
      [
        ["TABLE", ...numbers(watched, ["ROWS"], "ROWS/S"), "LAST WRITE"],
        ...tables.map(({ lastWriteAt, rows, table }) => [
          table,
          Screen.count(rows),
          ...(watched === undefined ? [] : [rated(watched.rates.rows(table))]),
          // The service knows of its own writes only.
          lastWriteAt === null && service !== null ? "-" : Screen.ago(lastWriteAt, at)
        ])
      ],
      watched ? [1, 2] : [1]
    )
  )

/** `1,234`, or `0.4` where that says more. */
const rated = (rate: number | undefined): string => {
  if (rate === undefined) return "-"
  return rate !== 0 && Math.abs(rate) < 10 ? rate.toFixed(1) : Screen.count(Math.round(rate))
}

const change = (rate: number | undefined): string => `${rate !== undefined && rate > 0 ? "+" : ""}${rated(rate)}`

const duration = (seconds: number): string => {
  if (seconds < 120) return `${Math.ceil(seconds)} s`
  if (seconds < 7200) return `${Math.round(seconds / 60)} min`
  return seconds < 172_800 ? `${Math.round(seconds / 3600)} h` : `${Math.round(seconds / 86_400)} days`
}

const clock = (time: number): string => new Date(time).toTimeString().slice(0, 8)
