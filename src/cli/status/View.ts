/** The layout of `status`: a fixed order, the most important first, never larger than the terminal. */
import * as Layout from "../support/Layout.ts"
import * as Screen from "../support/Screen.ts"
import { courseOf, type Rates, ratesOf } from "./Rates.ts"
import type { PartitionStatus, StatusReport } from "./Report.ts"

type Colours = Pick<Screen.Screen, "red" | "yellow" | "dim">
type Paint = Colours & Pick<Screen.Screen, "columns">

/** A line that is not painted yet, so that its length is what is seen. */
interface Line {
  readonly text: string
  readonly colour?: keyof Colours
}

const plain = (text: string): ReadonlyArray<Line> => text.split("\n").map((line) => ({ text: line }))

/** The report for people. */
export const render = (report: StatusReport, paint: Paint): string =>
  lines(report, paint.columns)
    .flatMap(({ text, ...line }) => Layout.wrap(text, paint.columns, "  ").map((text) => ({ ...line, text })))
    .map(painted(paint))
    .join("\n")

/** The latest of these looks with what has changed since, as lines that fit. */
export const frame = (
  looks: ReadonlyArray<StatusReport>,
  size: { readonly columns: number; readonly rows: number },
  paint: Colours
): ReadonlyArray<string> => {
  const latest = looks.at(-1)
  if (latest === undefined) return []
  const watched = { rates: ratesOf(looks), course: courseOf(looks) }
  const all = lines(latest, size.columns, watched)
  const spare = latest.partitions.length - Math.max(0, all.length - size.rows) - 1
  const fitting = all.length <= size.rows ? all : lines(latest, size.columns, { ...watched, most: Math.max(1, spare) })
  return fitting
    .slice(0, size.rows)
    .map((line) => painted(paint)({ ...line, text: Layout.shorten(line.text, size.columns) }))
}

const painted =
  (paint: Colours) =>
  ({ colour, text }: Line): string =>
    colour === undefined ? text : paint[colour](text)

interface Watched {
  readonly rates: Rates
  readonly course: ReturnType<typeof courseOf>
  /** So many partitions have room. */
  readonly most?: number
}

const lines = (report: StatusReport, columns: number, watched?: Watched): ReadonlyArray<Line> => {
  const { delivery, group, notes, partitions, problems, service, tables, target } = report
  const deadLetters = tables.find(({ table }) => table === "DEAD_LETTERS")?.rows ?? 0
  const time = watched === undefined ? "" : `${clock(report.at)}  `
  return [
    { text: `${time}Group ${group}, ${delivery}${target === null ? "" : `, into ${target}`}` },
    ...(service === null
      ? []
      : [
          {
            text: `Answered by the service at ${service.url}, which holds the file and started ${Screen.ago(service.startedAt, report.at)}`,
            colour: "dim" as const
          }
        ]),
    ...(partitions.length > 0
      ? [{ text: "" }, ...partitionLines(report, columns, watched), lagLine(report, watched), ...courseLines(watched)]
      : []),
    ...(tables.length > 0 ? [{ text: "" }, ...tableLines(report, columns, watched)] : []),
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

const partitionLines = (
  { partitions }: StatusReport,
  columns: number,
  watched: Watched | undefined
): ReadonlyArray<Line> => {
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
  const rows = [header, ...shown.map(cells)]
  const rest = least.reduce((sum, { lag }) => sum + Math.max(0, lag), 0)
  return [
    ...plain(watched === undefined ? tableOf(rows, columns) : fitting(rows, columns)),
    ...(least.length > 0
      ? [{ text: `… and ${Screen.plural(least.length, "other")}, with a total lag of ${Screen.count(rest)}` }]
      : [])
  ]
}

const tableOf = (rows: ReadonlyArray<ReadonlyArray<string>>, columns: number): string =>
  Layout.table(rows, rows[0]?.map((_, index) => index).slice(1, -1), columns)

/** What is watched keeps to one line a partition: in a narrow terminal the ends of the log make room for the lag. */
const fitting = (rows: ReadonlyArray<ReadonlyArray<string>>, columns: number): string => {
  const whole = tableOf(rows, columns)
  return whole.split("\n").length === rows.length
    ? whole
    : tableOf(
        rows.map((row) => row.filter((_, index) => index !== 2 && index !== 3)),
        columns
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

const tableLines = ({ at, tables }: StatusReport, columns: number, watched: Watched | undefined): ReadonlyArray<Line> =>
  plain(
    Layout.table(
      [
        ["TABLE", ...numbers(watched, ["ROWS"], "ROWS/S"), "LAST WRITE"],
        ...tables.map(({ lastWriteAt, rows, table }) => [
          table,
          Screen.count(rows),
          ...(watched === undefined ? [] : [rated(watched.rates.rows(table))]),
          Screen.ago(lastWriteAt, at)
        ])
      ],
      watched ? [1, 2] : [1],
      columns
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
