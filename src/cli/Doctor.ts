/** `doctor`: checks everything at once, whatever is broken, and says what to do about each finding; exit code 0 when the service would run, else 1. */
import * as Console from "effect/Console"
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import * as Result from "effect/Result"
import * as Services from "../Services.ts"
import * as SettingsModule from "../Settings.ts"
import { hints } from "../SettingsHints.ts"
import * as Checks from "./DoctorChecks.ts"
import { negative, told } from "./Report.ts"
import * as Screen from "./Screen.ts"

const environment = SettingsModule.environment()

const examine: Effect.Effect<ReadonlyArray<Checks.Finding>> = Effect.gen(function* () {
  const read = yield* Effect.result(SettingsModule.load)
  const configuration = Checks.configuration(read, yield* hints)
  if (Result.isFailure(read))
    return [
      ...configuration,
      ...["broker", "topics", "warehouse", "clock"].map((check) =>
        Checks.skipped(check, "the configuration comes first")
      )
    ]
  const rest = yield* Effect.all(
    [Checks.kafka.pipe(Effect.provide(Services.kafka)), Checks.warehouse, Effect.all([Checks.clock, Checks.logFile])],
    { concurrency: "unbounded" }
  ).pipe(Effect.provide(Layer.succeed(SettingsModule.Settings, read.success)))
  return [...configuration, ...rest.flat()]
}).pipe(
  Effect.provide(environment),
  // What the parts log is what the findings say.
  Effect.provide(Logger.layer([]))
)

const mark = { good: "✓", bad: "✗", warning: "!", skipped: "-" } as const

export const render = (
  findings: ReadonlyArray<Checks.Finding>,
  screen: Pick<Screen.Screen, "green" | "red" | "yellow" | "dim">
) => {
  const paint = { good: screen.green, bad: screen.red, warning: screen.yellow, skipped: screen.dim }
  const width = Math.max(...findings.map(({ check }) => check.length))
  const lines = findings.flatMap(({ check, detail, remedy, state }) => [
    `${paint[state](mark[state])} ${check.padEnd(width)}  ${Screen.harmless(detail)}`,
    ...(remedy === undefined ? [] : [`  ${" ".repeat(width)}  -> ${remedy}`])
  ])
  const wrong = findings.filter(({ state }) => state === "bad").length
  const verdict = wrong === 0 ? "All is well." : `${Screen.plural(wrong, "thing")} to mend.`
  return [...lines, "", verdict].join("\n")
}

const doctor = Effect.fnUntraced(function* ({ json }: { readonly json: boolean }) {
  const findings = yield* examine
  yield* Console.log(json ? JSON.stringify(findings) : render(findings, yield* Screen.screen))
  return findings.some(({ state }) => state === "bad") ? yield* negative : undefined
})

export const command = Command.make(
  "doctor",
  {
    json: Flag.Boolean("json").pipe(Flag.withDescription("The findings as a JSON list"), Flag.withDefault(false))
  },
  (flags) => told(doctor(flags))
).pipe(
  Command.withShortDescription("Check configuration, broker, topics, login, tables, clock; say what mends each"),
  Command.withDescription(
    "Checks all at once and changes nothing: configuration, broker, topics and ACLs, consumer group, warehouse login, role, schema and tables, clock, log file. Each finding that is bad says what to run or set. Exit code 0 when the service would run, else 1."
  ),
  Command.withExamples([
    { command: "bronze-consumer doctor", description: "Before the first start, or when something is odd" },
    { command: "bronze-consumer doctor --json | jq '.[] | select(.state==\"bad\")'", description: "For a script" }
  ])
)
