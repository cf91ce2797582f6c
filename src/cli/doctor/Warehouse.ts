/**
 * What `doctor` checks in the warehouse: login, role, schema, tables and privileges, with statements that change
 * nothing; or the DuckDB file and who holds it.
 */
import { access, constants } from "node:fs/promises"
import { dirname, resolve } from "node:path"
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import * as Layers from "../../app/Layers.ts"
import { partitionKey, type TopicPartition } from "../../domain/KafkaRecord.ts"
import { serviceTables, tablesOf } from "../../domain/Route.ts"
import type { Stand } from "../../pipeline/Losses.ts"
import { isStreaming, keepsLedger, Settings } from "../../settings/Settings.ts"
import { type Problem, Warehouse } from "../../warehouse/Warehouse.ts"
import type { RunningService } from "../support/RunningService.ts"
import { bad, type Finding, good, warning } from "./Finding.ts"

export interface Examined {
  readonly findings: ReadonlyArray<Finding>
  /** The offset that comes next in each partition, as far as the ledger could be asked. */
  readonly positions: ReadonlyMap<string, Stand>
}

export const warehouse = Effect.fnUntraced(function* (running: RunningService | undefined) {
  const { sink } = yield* Settings
  if (sink._tag === "Snowflake") return yield* preflight
  const { path } = sink
  // The service alone may open its file, and knows how it is.
  if (running !== undefined) return { findings: [held(path, running)], positions: positionsOf(running.partitions) }
  return (yield* state(path)) === "good" ? yield* preflight : { findings: yield* unopened(path), positions: none }
})

const none: Examined["positions"] = new Map()

const positionsOf = (entries: ReadonlyArray<TopicPartition & Stand>): Examined["positions"] =>
  new Map(entries.map((entry) => [partitionKey(entry), entry]))

const unopened = Effect.fnUntraced(function* (path: string) {
  const file = yield* state(path)
  const folder = yield* state(dirname(resolve(path)))
  if (folder === "closed" || file === "closed")
    return [
      bad(
        "warehouse",
        `${path}: this user may not write there`,
        `chown ${process.getuid?.() ?? "…"} ${file === "closed" ? path : dirname(resolve(path))}`,
        "Set DUCKDB_PATH to a file in a writable folder"
      )
    ]
  return [bad("warehouse", `${path} does not exist yet`, "bronze-consumer init")]
})

const held = (path: string, { ready, url }: RunningService): Finding =>
  ready.ok
    ? good("warehouse", `DuckDB file ${path}, held by the running service; ${url} says it is ready`)
    : warning(
        "warehouse",
        `DuckDB file ${path}, held by the running service; ${url} says it is not ready: ${ready.reasons.join("; ")}`
      )

/** Asked without opening it, because DuckDB makes a file that does not exist. */
const state = (path: string): Effect.Effect<"good" | "missing" | "closed"> =>
  Effect.promise(async () => {
    const may = (mode: number) =>
      access(path, mode).then(
        () => true,
        () => false
      )
    if (!(await may(constants.F_OK))) return "missing"
    return (await may(constants.R_OK | constants.W_OK)) ? "good" : "closed"
  })

const preflight = Effect.gen(function* (): Effect.fn.Return<Examined, never, Settings | Warehouse> {
  const settings = yield* Settings
  const { routes, sink } = settings
  const { ledger, preflight, target } = yield* Warehouse
  const problems = yield* Effect.result(preflight)
  if (Result.isFailure(problems)) {
    const { code = "", message } = problems.failure
    return { findings: [bad("warehouse", message, wayTo(sink._tag, code))], positions: none }
  }
  if (problems.success.length > 0) return { findings: together(problems.success), positions: none }
  const hasLedger = keepsLedger(settings)
  const tables = [
    ...tablesOf(routes).map(({ name }) => name),
    ...serviceTables.filter((name) => hasLedger || name !== "CONSUMER_OFFSETS")
  ]
  const rights = hasLedger ? "rows may be added and the ledger moved" : "rows may be added"
  // The streaming API knows of pipes and rights, and of no columns.
  const seen = isStreaming(sink) ? `a pipe for each; ${rights}` : `present, with all columns; ${rights}`
  return {
    findings: [good("warehouse", target), good("tables", `${tables.join(", ")}: ${seen}`)],
    positions: hasLedger ? positionsOf(yield* Effect.orElseSucceed(ledger, () => [])) : none
  }
}).pipe(Effect.provide(Layers.warehouse))

/** What to look at when the warehouse gives no answer. */
const wayTo = (sink: "DuckDb" | "Snowflake", code: string): string => {
  if (sink === "DuckDb") return "Check DUCKDB_PATH, the file and its disk"
  // Snowflake's own codes have six digits and do not begin with a 4: then it has answered, and the way there is good.
  return /^[0-39]\d{5}$/.test(code)
    ? "bronze-consumer doctor, again in a minute: Snowflake has answered, so account and network are right, and this passes"
    : "Check SNOWFLAKE_ACCOUNT or SNOWFLAKE_HOST, and the way there: proxy, firewall, private link"
}

/** What one remedy fixes is one problem; of who holds a DuckDB file the message has the id. */
const together = (problems: ReadonlyArray<Problem>): ReadonlyArray<Finding> =>
  [...new Set(problems.map(({ remedy }) => remedy))].map((remedy) => {
    const same = problems.filter((problem) => problem.remedy === remedy)
    const what = same.map((problem) => problem.what).join("\n")
    const holder = /is held by process (\d+)/.exec(what)?.[1]
    return holder === undefined
      ? bad("warehouse", what, remedy)
      : bad("warehouse", what, `kill ${holder}`, "Set DUCKDB_PATH to another file")
  })
