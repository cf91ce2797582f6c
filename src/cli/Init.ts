/**
 * `init`: creates schema and tables in the warehouse, and adds missing columns; running it again changes nothing else.
 */
import * as Console from "effect/Console"
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import * as Effect from "effect/Effect"
import * as Layers from "../app/Layers.ts"
import { serviceTables, tablesOf } from "../domain/Route.ts"
import { hide } from "../domain/Secrets.ts"
import { Settings } from "../settings/Settings.ts"
import { Warehouse } from "../warehouse/Warehouse.ts"
import { quietly } from "./support/CommandLayer.ts"

/** The statements, each ended by a semicolon: fit to be piped into a SQL client. */
export const print = Effect.gen(function* () {
  const { ddl } = yield* Warehouse
  yield* Console.log(ddl.map((statement) => `${statement.trim().replace(/;$/, "")};`).join("\n\n"))
})

export const create = Effect.fnUntraced(function* (given: { readonly hybridLedger: boolean }) {
  const { routes } = yield* Settings
  const warehouse = yield* Warehouse
  if (given.hybridLedger) yield* warehouse.createHybridLedger
  const { added, created, present } = yield* warehouse.init
  const names = [...tablesOf(routes).map(({ name }) => name), ...serviceTables]
  const said = (what: string, tables: ReadonlyArray<string>) =>
    tables.length === 0 ? [] : [`${what}: ${tables.join(", ")}.`]
  yield* Console.log(
    [
      hide(warehouse.target),
      ...said("Created", created),
      ...said("Added the columns", added),
      ...said("Already there", present),
      `Tables ready: ${names.join(", ")}.`
    ].join("\n")
  )
})

export const command = Command.make(
  "init",
  {
    hybridLedger: Flag.Boolean("hybrid-ledger").pipe(
      Flag.withDescription(
        "Make CONSUMER_OFFSETS a hybrid table, so that members do not wait for each other. Snowflake on AWS or Azure, no trial account"
      ),
      Flag.withDefault(false)
    ),
    print: Flag.Boolean("print").pipe(
      Flag.withDescription("Print the SQL without running it; needs the names in the settings, and no login"),
      Flag.withDefault(false)
    )
  },
  (flags) =>
    flags.print
      ? quietly(Effect.provide(print, Layers.warehouse), Layers.namesOnly)
      : quietly(Effect.provide(create(flags), Layers.warehouse))
).pipe(
  Command.withShortDescription("Create schema and tables in the warehouse"),
  Command.withDescription(
    "Creates the schema, the raw tables of BRONZE_ROUTES, DEAD_LETTERS and CONSUMER_OFFSETS, where they are missing. Tables of an older version get the columns they lack. Safe to run again: it changes nothing else."
  ),
  Command.withExamples([
    { command: "bronze-consumer init", description: "Create what is missing" },
    { command: "bronze-consumer init --print > tables.sql", description: "Print the SQL for an administrator" },
    { command: "bronze-consumer init --hybrid-ledger", description: "For large consumer groups" },
    { command: "SINK=duckdb bronze-consumer init", description: "The same in a local DuckDB file" }
  ])
)
