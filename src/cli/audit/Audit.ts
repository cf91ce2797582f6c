/** `audit`: checks that every record of every routed partition is stored exactly once; exit code 1 if not. */
import * as Console from "effect/Console"
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import * as Effect from "effect/Effect"
import * as Layers from "../../app/Layers.ts"
import { quietly } from "../support/CommandLayer.ts"
import { negative } from "../support/Failure.ts"
import * as Layout from "../support/Layout.ts"
import * as Screen from "../support/Screen.ts"
import * as ServiceWarehouse from "../support/ServiceWarehouse.ts"
import { type AuditReport, gather, type PartitionAudit } from "./Report.ts"

const number = (value: number | null | undefined): string =>
  value === null || value === undefined ? "-" : Screen.count(value)

const cells = (partition: PartitionAudit, columns: number): ReadonlyArray<string> => {
  const { committed, duplicates, high, lag, ledger, low, missing, problems, rows, topic, waiting } = partition
  return [
    problems.length > 0 ? "✗" : "✓",
    topic,
    String(partition.partition),
    ...[low, high, rows, waiting, ledger?.skipped, missing, duplicates].map(number),
    ...[ledger?.start, ledger?.next, committed, lag, ledger?.epoch].map(number),
    ledger === null ? "-" : Number.isFinite(columns) ? short(ledger.owner) : ledger.owner
  ]
}

/** The end of it tells members apart. */
const short = (owner: string): string => (owner.length > 10 ? `…${owner.slice(-8)}` : owner)

const header = [
  ...["", "TOPIC", "PARTITION", "LOG START", "LOG END", "ROWS", "DEAD", "SKIPPED", "MISSING", "TWICE"],
  ...["FROM", "NEXT", "COMMITTED", "LAG", "EPOCH", "OWNER"]
]

/** The report for people. */
export const render = (
  report: AuditReport,
  { columns, dim, green, red, yellow }: Pick<Screen.Screen, "columns" | "dim" | "green" | "red" | "yellow">
): string => {
  const right = header.map((_, index) => index).slice(2, -1)
  const sum = (of: (partition: PartitionAudit) => number) =>
    Screen.count(report.partitions.reduce((total, partition) => total + of(partition), 0))
  const counted = `${sum(({ rows }) => rows)} rows, ${sum(({ waiting }) => waiting)} dead letters, ${sum(({ lag }) => lag)} pending`
  const rows = report.partitions.map((partition) => cells(partition, columns))
  const wrapped = (text: string) => Layout.wrap(text, columns, "  ")
  return [
    ...wrapped(`Group ${report.group}, ${report.delivery}, into ${report.target}`),
    ...(rows.length > 0 ? ["", Layout.table([header, ...rows], right, columns)] : []),
    ...(report.notes.length > 0 ? ["", ...report.notes.flatMap((note) => wrapped(`! ${note}`)).map(yellow)] : []),
    "",
    ...report.problems.flatMap((problem) => wrapped(`✗ ${problem}`)).map(red),
    ...(report.problems.length === 0
      ? [`${green("✓ OK")}: ${dim(counted)}`]
      : wrapped(`${Screen.plural(report.problems.length, "problem")}; ${counted}`))
  ].join("\n")
}

export const audit = Effect.fnUntraced(function* ({ json }: { readonly json: boolean }) {
  const screen = yield* Screen.screen
  const report = yield* gather
  yield* Console.log(json ? Screen.report({ ok: report.problems.length === 0, ...report }) : render(report, screen))
  return report.problems.length > 0 ? yield* negative : undefined
})

export const command = Command.make(
  "audit",
  {
    json: Flag.Boolean("json").pipe(Flag.withDescription("Print one JSON object"), Flag.withDefault(false))
  },
  (flags) => quietly(audit(flags).pipe(Effect.provide(Layers.kafka), Effect.provide(ServiceWarehouse.layer)))
).pipe(
  Command.withShortDescription(
    "Check that every record is stored exactly once: Kafka against rows, dead letters and ledger"
  ),
  Command.withDescription(
    "Compares, partition by partition, Kafka's log with the warehouse. Each offset that the ledger has passed must be a row, a dead letter (DEAD counts those that were not replayed) or a counted skip: MISSING = SKIPPED, and TWICE = 0. Reports what is lost, stored twice, ahead or behind. The service may keep running. Reads the whole raw tables. Rows that were deleted from them count as lost. In at-least-once delivery, and with SNOWFLAKE_WRITER=streaming, there is no ledger: rows are compared with the group's committed offset, and Kafka is asked for the records of every offset that is missing. Exit code 1 if there is a problem. With SINK=duckdb a running service that holds the file answers over HTTP."
  ),
  Command.withExamples([
    { command: "bronze-consumer audit", description: "As a table" },
    { command: "bronze-consumer audit --json | jq .problems", description: "For a script" }
  ])
)
