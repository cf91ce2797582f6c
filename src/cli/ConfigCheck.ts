/** `config check`: every setting with its value and its source, and all that is wrong with them; connects to nothing. */
import * as Console from "effect/Console"
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import * as Effect from "effect/Effect"
import * as Runtime from "effect/Runtime"
import { hide } from "../domain/Secrets.ts"
import { hints } from "../settings/Hints.ts"
import * as Settings from "../settings/Settings.ts"
import { list, type ShownSetting } from "../settings/Shown.ts"
import { configuration } from "./doctor/Settings.ts"
import { CommandFailed, told } from "./support/Failure.ts"
import * as Layout from "./support/Layout.ts"
import * as Screen from "./support/Screen.ts"

interface Report {
  readonly settings: ReadonlyArray<ShownSetting>
  readonly problems: ReadonlyArray<string>
  readonly warnings: ReadonlyArray<string>
}

/** Reads the settings as the service does. */
export const examine: Effect.Effect<Report> = Effect.gen(function* () {
  const loaded = yield* Effect.result(Settings.load)
  const findings = configuration(loaded, yield* hints)
  const details = (state: "bad" | "warning") =>
    findings.filter((finding) => finding.state === state).map(({ detail }) => hide(detail))
  return { settings: yield* list, problems: details("bad"), warnings: details("warning") }
}).pipe(Effect.provide(Settings.environment()))

const cell = ({ source, value }: ShownSetting): string =>
  value === "" && source !== "default" ? '""' : Screen.harmless(value)

export const render = (
  { problems, settings, warnings }: Report,
  { columns, green, red, yellow }: Pick<Screen.Screen, "columns" | "green" | "red" | "yellow">
): string => {
  const rows = settings.map((setting) => [setting.name, cell(setting), Screen.harmless(setting.source)])
  const verdict =
    problems.length === 0 ? "The settings are valid." : `${Screen.plural(problems.length, "problem")} to fix.`
  const marked = (mark: string, paint: (text: string) => string) => (text: string) =>
    Layout.wrap(Screen.harmless(text), columns - 2).map((line, index) => `${index === 0 ? paint(mark) : " "} ${line}`)
  return [
    Layout.table([["NAME", "VALUE", "SOURCE"], ...rows], [], columns, [0]),
    "",
    ...problems.flatMap(marked("✗", red)),
    ...warnings.flatMap(marked("!", yellow)),
    ...(problems.length + warnings.length > 0 ? [""] : []),
    problems.length === 0 ? green(verdict) : verdict
  ].join("\n")
}

const check = Effect.fnUntraced(function* ({ json }: { readonly json: boolean }) {
  const report = yield* examine
  const isValid = report.problems.length === 0
  yield* Console.log(json ? Screen.json({ isValid, ...report }) : render(report, yield* Screen.screen))
  const { problems } = report
  if (!isValid)
    return yield* new CommandFailed({ code: Runtime.getErrorExitCode(new Settings.SettingsError({ problems })) })
})

const checkCommand = Command.make(
  "check",
  { json: Flag.Boolean("json").pipe(Flag.withDescription("Print the findings as JSON"), Flag.withDefault(false)) },
  (flags) => told(check(flags))
).pipe(
  Command.withShortDescription("Show every setting with its source, and what is wrong with it"),
  Command.withDescription(
    "Reads the environment, the file of --env-file and the YAML file of BRONZE_CONFIG as the service does, and connects to nothing. Prints each setting with its value and where that is set; secrets are hidden. Then every problem (✗), and warnings (!). Exit code 0 when the settings are valid, else 78."
  ),
  Command.withExamples([
    { command: "BRONZE_CONFIG=bronze.yaml bronze-consumer config check", description: "Before a deployment" },
    { command: "bronze-consumer config check --json | jq '.problems'", description: "For a script" }
  ])
)

export const command = Command.make("config").pipe(
  Command.withShortDescription("Check the settings and where they come from"),
  Command.withDescription(
    "Settings come from the environment, from --env-file, and from the YAML file of BRONZE_CONFIG."
  ),
  Command.withExamples([{ command: "bronze-consumer config check", description: "What is set, and what is wrong" }]),
  Command.withSubcommands([checkCommand])
)
