/** `query`: the answer of one statement that reads, as a table, JSON or CSV; also while the service holds the file. */
import * as Console from "effect/Console"
import * as Argument from "effect/cli/Argument"
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { type QueryResult, Warehouse } from "../warehouse/Warehouse.ts"
import { alone } from "./support/CommandLayer.ts"
import { usage } from "./support/Failure.ts"
import * as Screen from "./support/Screen.ts"
import * as ServiceWarehouse from "./support/ServiceWarehouse.ts"

/** Of a value in a table; the whole is in JSON and CSV. */
const widest = 80

const textOf = (value: unknown): string =>
  value === null || value === undefined ? "" : typeof value === "object" ? JSON.stringify(value) : String(value)

const short = (text: string): string => {
  const line = Screen.harmless(text)
  return line.length > widest ? `${line.slice(0, widest - 1)}…` : line
}

/** For people: one line a row, numbers to the right. */
export const table = ({ columns, rows, truncated }: QueryResult): string => {
  const numeric = columns.flatMap((_, index) =>
    rows.length > 0 && rows.every((row) => /^-?[\d.]*$/.test(textOf(row[index]))) ? [index] : []
  )
  const lines = Screen.table(
    [columns, ...rows.map((row) => row.map((value) => (value === null ? "NULL" : short(textOf(value)))))],
    numeric
  )
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

const query = Effect.fnUntraced(function* (flags: Flags) {
  if (flags.csv && flags.json) {
    yield* Console.error("Specify either --json or --csv, not both.")
    return yield* Effect.fail(usage)
  }
  const warehouse = yield* Warehouse
  const result = yield* warehouse.query(flags.sql, flags.limit)
  yield* Console.log(flags.json ? json(result) : flags.csv ? csv(result) : table(result))
})

export const command = Command.make(
  "query",
  {
    sql: Argument.String("sql").pipe(Argument.withDescription("One statement that reads")),
    limit: Flag.Int("limit").pipe(
      Flag.withDescription("Maximum number of rows (default 100)"),
      Flag.withSchema(Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 100_000 }))),
      Flag.withDefault(100)
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
    }
  ])
)
