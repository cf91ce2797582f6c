/** `query`: the answer of one statement that reads, as a table, JSON or CSV; also while the service holds the file. */
import * as Console from "effect/Console"
import * as Argument from "effect/cli/Argument"
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import * as Effect from "effect/Effect"
import * as Stdio from "effect/Stdio"
import * as Stream from "effect/Stream"
import { QueryLimit, type QueryResult, queryLimit, Warehouse } from "../warehouse/Warehouse.ts"
import { alone } from "./support/CommandLayer.ts"
import { usage } from "./support/Failure.ts"
import * as Layout from "./support/Layout.ts"
import * as Screen from "./support/Screen.ts"
import * as ServiceWarehouse from "./support/ServiceWarehouse.ts"

const textOf = (value: unknown): string =>
  value === null || value === undefined ? "" : typeof value === "object" ? JSON.stringify(value) : String(value)

/** For people: numbers to the right, and no wider than the screen. */
export const table = ({ columns, rows, truncated }: QueryResult, width: number): string => {
  const numeric = columns.flatMap((_, index) =>
    rows.length > 0 && rows.every((row) => /^-?[\d.]*$/.test(textOf(row[index]))) ? [index] : []
  )
  const cell = (value: unknown) => (value === null ? "NULL" : Screen.harmless(textOf(value)))
  const lines = Layout.table([columns, ...rows.map((row) => row.map(cell))], numeric, width)
  const more = truncated ? "; there are more: raise --limit" : ""
  return `${lines}\n\n${Screen.plural(rows.length, "row")}${more}`
}

/** RFC 4180; NULL is an empty field, and empty text a quoted one. */
export const csv = ({ columns, rows }: QueryResult): string => {
  const field = (value: unknown): string => {
    const text = textOf(value)
    if (value === null || value === undefined) return ""
    return text === "" || /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text
  }
  return [columns, ...rows].map((row) => row.map(field).join(",")).join("\r\n")
}

/** A list of objects. */
export const json = ({ columns, rows }: QueryResult): string =>
  Screen.json(rows.map((row) => Object.fromEntries(columns.map((column, index) => [column, row[index] ?? null]))))

interface Flags {
  readonly sql: string
  readonly json: boolean
  readonly csv: boolean
  readonly limit: number
}

/** All of stdin. */
const fromInput = Effect.flatMap(Stdio.Stdio, ({ stdin }) => Stream.mkString(Stream.decodeText(stdin)))

const query = Effect.fnUntraced(function* (flags: Flags) {
  if (flags.csv && flags.json) {
    yield* Console.error("Specify either --json or --csv, not both.")
    return yield* Effect.fail(usage)
  }
  const warehouse = yield* Warehouse
  const sql = flags.sql === "-" ? yield* fromInput : flags.sql
  const screen = yield* Screen.screen
  const result = yield* warehouse.query(sql, flags.limit)
  yield* Console.log(flags.json ? json(result) : flags.csv ? csv(result) : table(result, screen.columns))
})

export const command = Command.make(
  "query",
  {
    sql: Argument.String("sql").pipe(Argument.withDescription("One statement that reads; - takes it from stdin")),
    limit: Flag.Int("limit").pipe(
      Flag.withDescription(`Maximum number of rows (default ${queryLimit.byDefault})`),
      Flag.withSchema(QueryLimit),
      Flag.withDefault(queryLimit.byDefault)
    ),
    json: Flag.Boolean("json").pipe(Flag.withDescription("Print a JSON list of objects"), Flag.withDefault(false)),
    csv: Flag.Boolean("csv").pipe(Flag.withDescription("Print CSV with a header"), Flag.withDefault(false))
  },
  (flags) => alone(Effect.provide(query(flags), ServiceWarehouse.layer))
).pipe(
  Command.withShortDescription("Run one SELECT against the warehouse"),
  Command.withDescription(
    "Runs one statement that only reads (SELECT, WITH, VALUES, SHOW, DESCRIBE, EXPLAIN) in Snowflake or in the DuckDB file, and prints its rows. While a service holds the DuckDB file, the service answers over HTTP (HTTP_PORT). On Snowflake the role decides what may be read, and the statement uses the warehouse."
  ),
  Command.withExamples([
    { command: 'bronze-consumer query "SELECT COUNT(*) FROM BRONZE.ORDERS_RAW"', description: "Count the rows" },
    {
      command: 'bronze-consumer query "SELECT * FROM BRONZE.ORDERS_RAW" --csv > orders.csv',
      description: "Into a file"
    },
    { command: "bronze-consumer query - < sql/duckdb/queries/01_counts.sql", description: "A statement in a file" }
  ])
)
