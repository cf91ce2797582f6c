/** `status`: how far behind each partition is, what stands in the tables, when they were last written. */
import * as Console from "effect/Console"
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import * as Services from "../Services.ts"
import { Settings } from "../Settings.ts"
import { quietly } from "./Quiet.ts"
import { negative } from "./Report.ts"
import * as Screen from "./Screen.ts"
import { gather, type StatusReport } from "./StatusReport.ts"

/** The report for people. */
export const render = (report: StatusReport, { red, yellow, dim }: Pick<Screen.Screen, "red" | "yellow" | "dim">) => {
  const partitions = Screen.table(
    [
      ["TOPIC", "PARTITION", "LOG START", "LOG END", "NEXT", "LAG", "BY"],
      ...report.partitions.map(({ high, lag, low, next, partition, source, topic }) => [
        topic,
        String(partition),
        Screen.count(low),
        Screen.count(high),
        next === null ? "-" : Screen.count(next),
        Screen.count(lag),
        source === "none" ? "nothing yet" : source
      ])
    ],
    [1, 2, 3, 4, 5]
  )
  const tables = Screen.table(
    [
      ["TABLE", "ROWS", "LAST WRITE"],
      ...report.tables.map(({ lastWrite, rows, table }) => [
        table,
        Screen.count(rows),
        Screen.ago(lastWrite, report.at)
      ])
    ],
    [1]
  )
  const deadLetters = report.tables.find(({ table }) => table === "DEAD_LETTERS")?.rows ?? 0
  return [
    `Group ${report.group}, ${report.delivery}${report.target === null ? "" : `, into ${report.target}`}`,
    ...(report.partitions.length > 0 ? ["", partitions, dim(`Lag in all: ${Screen.count(report.lag)}`)] : []),
    ...(report.tables.length > 0 ? ["", tables] : []),
    ...(deadLetters > 0
      ? ["", yellow(`${Screen.plural(deadLetters, "dead letter")}: node dist/main.js dlq list`)]
      : []),
    ...(report.problems.length > 0 ? ["", ...report.problems.map((problem) => red(`✗ ${problem}`))] : [])
  ].join("\n")
}

interface Flags {
  readonly json: boolean
  readonly watch: boolean
  readonly interval: number
}

export const status = Effect.fnUntraced(function* ({ interval, json, watch }: Flags) {
  const { sink } = yield* Settings
  const screen = yield* Screen.screen
  const look = Effect.tap(gather, (report) => {
    const clear = watch && !json && screen.isTerminal ? "\u001b[2J\u001b[H" : ""
    return Console.log(`${clear}${json ? JSON.stringify(report) : render(report, screen)}`)
  })
  if (!watch) {
    const { problems } = yield* Effect.provide(look, Services.warehouse)
    return problems.length > 0 ? yield* negative : undefined
  }
  const again = <A, E, R>(effect: Effect.Effect<A, E, R>) =>
    Effect.forever(Effect.andThen(effect, Effect.sleep(Duration.seconds(interval))))
  // DuckDB's file belongs to one process at a time: let go of it between two looks, so that the service can have it.
  return sink._tag === "DuckDb"
    ? yield* again(Effect.provide(look, Layer.fresh(Services.warehouse)))
    : yield* Effect.provide(again(look), Services.warehouse)
})

export const command = Command.make(
  "status",
  {
    watch: Flag.Boolean("watch").pipe(
      Flag.withAlias("w"),
      Flag.withDescription("Look again and again, until Ctrl-C"),
      Flag.withDefault(false)
    ),
    interval: Flag.Finite("interval").pipe(
      Flag.withDescription("Seconds between two looks with --watch, 2 if not said"),
      Flag.withSchema(Schema.Finite.check(Schema.isBetween({ minimum: 0.2, maximum: 3600 }))),
      Flag.withDefault(2)
    ),
    json: Flag.Boolean("json").pipe(
      Flag.withDescription("One JSON object (with --watch: one per line)"),
      Flag.withDefault(false)
    )
  },
  (flags) => quietly(Screen.whileRead(status(flags).pipe(Effect.provide(Services.kafka))))
).pipe(
  Command.withShortDescription("Lag per partition, rows per table, last write, dead letters"),
  Command.withDescription(
    "Shows for each partition where its log ends and which offset is written next (by the ledger in the warehouse, or by the group's commit), and for each table its rows and its last write. Exit code 1 if Kafka or the warehouse does not answer; the other side is still shown. With SINK=duckdb the file can be read only while the service does not run; lag then comes from the group's commits."
  ),
  Command.withExamples([
    { command: "bronze-consumer status", description: "One look" },
    { command: "bronze-consumer status --watch", description: "Watch the lag shrink" },
    { command: "bronze-consumer status --json | jq .lag", description: "The lag in all, for a script" }
  ])
)
