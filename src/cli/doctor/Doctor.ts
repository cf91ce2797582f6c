/**
 * `doctor`: checks everything at once and prints a fix for each problem; exit code 0 when the service would run, else
 * 1.
 */
import * as Console from "effect/Console"
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import * as Result from "effect/Result"
import * as Layers from "../../app/Layers.ts"
import { hide } from "../../domain/Secrets.ts"
import { hints } from "../../settings/Hints.ts"
import * as SettingsModule from "../../settings/Settings.ts"
import { negative, told } from "../support/Failure.ts"
import * as Layout from "../support/Layout.ts"
import { ask } from "../support/RunningService.ts"
import * as Screen from "../support/Screen.ts"
import * as Deep from "./Deep.ts"
import { type Finding, skipped } from "./Finding.ts"
import { kafka } from "./Kafka.ts"
import * as Machine from "./Machine.ts"
import { registry } from "./Registry.ts"
import { configuration } from "./Settings.ts"
import { warehouse } from "./Warehouse.ts"

/** The tables of the settings are not touched: all happens in a scratch schema, which is dropped. */
const deeply = Effect.gen(function* () {
  const { sink } = yield* SettingsModule.Settings
  return sink._tag === "Snowflake"
    ? yield* Deep.examine(sink)
    : [skipped("deep", "not needed on DuckDB: its tests cover this")]
})

const look = Effect.fnUntraced(function* (deep: boolean) {
  const read = yield* Effect.result(SettingsModule.load)
  const first = configuration(read, yield* hints)
  if (Result.isFailure(read))
    return [
      ...first,
      ...["broker", "topics", "consumer group", "warehouse", "clock", "disk", "log file", "http port"].map((check) =>
        skipped(check, "skipped: fix the configuration first")
      )
    ]
  const rest = Effect.gen(function* () {
    const running = yield* ask
    // Asked once, beside Kafka, which waits for it only to see what is lost.
    const store = yield* Effect.cached(warehouse(running))
    const positions = Effect.map(store, (examined) => examined.positions)
    const looks = yield* Effect.all(
      [
        Effect.provide(kafka(positions), Layers.kafka),
        Effect.map(store, ({ findings }) => findings),
        registry,
        Effect.map(Machine.clock, (finding) => [finding]),
        Machine.disk,
        Effect.map(Machine.logFile, (finding) => [finding]),
        Effect.map(Machine.httpPort(running), (finding) => [finding])
      ],
      { concurrency: "unbounded" }
    )
    return [...looks.flat(), ...(deep ? yield* deeply : [])]
  })
  // Without Kafka the named topics are left, and the finding that says so.
  const settings = Layer.succeed(SettingsModule.Settings, read.success)
  const routed = Layer.catch(Layers.routed(settings), () => settings)
  const findings = yield* Effect.provide(rest, routed)
  return [...first, ...findings]
})

/** All findings on the settings of an environment. */
export const examine = (environment: Layer.Layer<never>, deep = false): Effect.Effect<ReadonlyArray<Finding>> =>
  look(deep).pipe(
    Effect.map((findings) =>
      findings.map(({ detail, remedy, ...finding }) => ({
        ...finding,
        detail: hide(detail),
        ...(remedy !== undefined && { remedy: hide(remedy) })
      }))
    ),
    Effect.provide(environment),
    // What the parts log is what the findings say.
    Effect.provide(Logger.layer([]))
  )

const mark = { good: "✓", bad: "✗", warning: "!", skipped: "-" } as const

/** A command of several lines is still one to copy, unless a word of it has no room in a line. */
const wrapRemedy = (remedy: string, room: number): ReadonlyArray<string> => {
  const isCommand = /^(?:bronze-consumer|npm|npx|sudo|kafka-\S+\.sh) /.test(remedy)
  if (!isCommand || remedy.split(" ").some((word) => word.length > room - 2)) return Layout.wrap(remedy, room)
  const lines = Layout.wrap(remedy, room - 2)
  return lines.map((line, index) => (index < lines.length - 1 ? `${line} \\` : line))
}

export const render = (
  findings: ReadonlyArray<Finding>,
  screen: Pick<Screen.Screen, "columns" | "green" | "red" | "yellow" | "dim">
) => {
  const paint = { good: screen.green, bad: screen.red, warning: screen.yellow, skipped: screen.dim }
  const width = Math.max(...findings.map(({ check }) => check.length))
  const below = " ".repeat(width + 4)
  const room = Math.max(20, screen.columns - below.length)
  const lines = findings.flatMap(({ check, detail, remedy, state }) => {
    const [first = "", ...more] = detail.split("\n").flatMap((line) => Layout.wrap(Screen.harmless(line), room))
    const remedies = (remedy?.split("\n") ?? []).flatMap((line, index) => {
      const [first = "", ...more] = wrapRemedy(line, room - 3)
      return [`${index === 0 ? "->" : "or"} ${first}`, ...more.map((line) => `   ${line}`)]
    })
    return [
      `${paint[state](mark[state])} ${check.padEnd(width)}  ${first}`,
      ...[...more, ...remedies].map((line) => `${below}${line}`)
    ]
  })
  const wrong = findings.filter(({ state }) => state === "bad").length
  const verdict = wrong === 0 ? "No problems found." : `${Screen.plural(wrong, "problem")} to fix.`
  return [...lines, "", verdict].join("\n")
}

const doctor = Effect.fnUntraced(function* ({ deep, json }: { readonly deep: boolean; readonly json: boolean }) {
  const findings = yield* examine(SettingsModule.environment(), deep)
  yield* Console.log(json ? Screen.report(findings) : render(findings, yield* Screen.screen))
  return findings.some(({ state }) => state === "bad") ? yield* negative : undefined
})

export const command = Command.make(
  "doctor",
  {
    deep: Flag.Boolean("deep").pipe(
      Flag.withDescription(
        "Also test on the Snowflake account, in a scratch schema, what exactly-once relies on, with the writer in use; takes a minute, of the warehouse with SNOWFLAKE_WRITER=sql"
      ),
      Flag.withDefault(false)
    ),
    json: Flag.Boolean("json").pipe(Flag.withDescription("Print the findings as a JSON list"), Flag.withDefault(false))
  },
  (flags) => told(doctor(flags))
).pipe(
  Command.withShortDescription(
    "Check configuration, broker, topics, login, tables and clock, with a fix for each problem"
  ),
  Command.withDescription(
    "Checks all at once and changes nothing: configuration; brokers, topics, consumer group, and the ACLs to all of them; warehouse login, role, schema, tables and rights, or the DuckDB file; clocks, disk, log file, HTTP port. Each problem (✗) and each warning (!) says what to run or set; warnings do not stop the service. It may be run beside the service. Exit code 0 when the service would run, else 1."
  ),
  Command.withExamples([
    { command: "bronze-consumer doctor", description: "Before the first start, or when something looks wrong" },
    { command: "bronze-consumer doctor --deep", description: "Once on a new account; the output can go into an issue" },
    { command: "bronze-consumer doctor --json | jq '.[] | select(.state==\"bad\")'", description: "For a script" }
  ])
)
