/** The command line: all commands under one name. A usage error prints help and exits with 64, never a stack trace. */
import * as NodeServices from "@effect/platform-node/NodeServices"
import * as Console from "effect/Console"
import * as Argument from "effect/cli/Argument"
import * as CliConfig from "effect/cli/CliConfig"
import * as CliError from "effect/cli/CliError"
import * as CliOutput from "effect/cli/CliOutput"
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import * as GlobalFlag from "effect/cli/GlobalFlag"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { didYouMean } from "../settings/Parse.ts"
import { fileVariable, secrets, table } from "../settings/Variables.ts"
import { version } from "../Version.ts"
import * as Audit from "./audit/Audit.ts"
import * as ConfigCheck from "./ConfigCheck.ts"
import * as Dlq from "./dlq/Commands.ts"
import * as Doctor from "./doctor/Doctor.ts"
import * as Init from "./Init.ts"
import * as Monitor from "./Monitor.ts"
import * as Produce from "./Produce.ts"
import * as Query from "./Query.ts"
import * as Reset from "./Reset.ts"
import * as Status from "./status/Status.ts"
import { usage } from "./support/Failure.ts"
import * as Help from "./support/Help.ts"
import * as Misuse from "./support/Misuse.ts"
import * as Screen from "./support/Screen.ts"
import * as Words from "./support/Words.ts"

/** Every setting, for `run --help`. */
const settingsHelp = table
  .map(({ default: byDefault, meaning, name }) => {
    const shown =
      byDefault === "" ? "" : byDefault.length > 40 ? " (default: the two sample topics)" : ` (default: ${byDefault})`
    return `  ${name}${shown}\n      ${meaning}`
  })
  .join("\n")

/** Loaded when it is asked for: the other commands need no pipeline. */
const service = Effect.flatten(Effect.promise(() => import("../app/Service.ts").then(({ run }) => run)))

const consume = Command.make("run", {}, () => Effect.asVoid(service)).pipe(
  Command.withShortDescription("Consume until stopped (the default command)"),
  Command.withDescription(
    `Reads the topics of BRONZE_ROUTES and writes their events in batches into the raw tables, until SIGTERM or Ctrl-C: then it flushes, commits, leaves the group and exits 0. Exit code 78: the configuration must be fixed.\n\nSettings are environment variables, or lines of the YAML file that BRONZE_CONFIG names:\n${settingsHelp}\n\nA secret can also be read from a file: ${secrets.map(fileVariable).join(", ")}.`
  ),
  Command.withExamples([
    { command: "SINK=duckdb bronze-consumer run", description: "Into a local DuckDB file" },
    { command: "BATCH_SIZE=500 BATCH_TIMEOUT=1 bronze-consumer run", description: "Larger batches, sooner" }
  ])
)

/** Listed for help and completions: it is taken out of the words, and read, before anything reads a setting. */
const envFile = GlobalFlag.Setting("env-file")({
  flag: Flag.File("env-file").pipe(
    Flag.withDescription("Read settings from a file of NAME=value lines; the environment wins over it"),
    Flag.optional
  )
})

const helpCommand = Command.make(
  "help",
  { command: Argument.String("command").pipe(Argument.withDescription("Its name"), Argument.atLeast(0)) },
  ({ command }) => explain(command)
).pipe(Command.withShortDescription("Show the help of a command"))

const versionCommand = Command.make("version", {}, () => run(["--version"])).pipe(
  Command.withShortDescription("Show the version")
)

const root = Command.make("bronze-consumer", {}, () => Effect.asVoid(service)).pipe(
  Command.withDescription(
    "Reads events from Kafka and writes them, in micro-batches and exactly once, into raw tables of Snowflake or DuckDB. Settings are environment variables, or in the YAML file of BRONZE_CONFIG; `run --help` lists them, `config check` and `doctor` check them."
  ),
  Command.withExamples([
    { command: "bronze-consumer doctor", description: "See what is missing" },
    { command: "bronze-consumer init", description: "Create the tables" },
    { command: "bronze-consumer", description: "Consume until stopped" }
  ]),
  Command.withSubcommands([
    consume,
    Init.command,
    ConfigCheck.command,
    Doctor.command,
    Status.command,
    Monitor.command,
    Produce.command,
    Audit.command,
    Reset.command,
    Dlq.command,
    Query.command,
    helpCommand,
    versionCommand
  ]),
  Command.withGlobalFlags([envFile])
)

/** The names below a command. */
const namesBelow = (command: Command.Command.Any): ReadonlyMap<string, Command.Command.Any> =>
  new Map(command.subcommands.flatMap(({ commands }) => commands.map((below) => [below.name, below])))

/** The help of the command with this path of names. */
const explain = (path: ReadonlyArray<string>): Effect.Effect<void, unknown> => {
  let at: Command.Command.Any = root
  for (const name of path) {
    const names = namesBelow(at)
    const next = names.get(name)
    if (next === undefined)
      return Effect.andThen(
        Console.error(
          `There is no command "${path.join(" ")}"${didYouMean(name, [...names.keys()])}\n\nSee \`bronze-consumer help\`.`
        ),
        Effect.fail(usage)
      )
    at = next
  }
  return run([...path, "--help"])
}

/** Help that fits; of what was not understood the reason alone, which the help would push off the screen. */
const presenter = Effect.map(
  Screen.screen,
  ({ columns, isColoured, isTerminal }): CliOutput.Presenter => ({
    present: (event) => {
      if (event._tag === "Help")
        return Console.log(Help.format(event.helpDoc, { columns: isTerminal ? columns : 80, colors: isColoured }))
      if (event._tag === "InvalidInvocation")
        return Console.error(
          `${event.errors.map(Misuse.describe).join("\n")}\n\nSee \`${event.commandPath.join(" ")} --help\`.`
        )
      return CliOutput.defaultPresenter.present(event)
    }
  })
)

/** Runs what these words ask for; every failure has been reported when it fails, and carries its exit code. */
export const run = (words: ReadonlyArray<string>): Effect.Effect<void, unknown> =>
  Command.runWith(root, { version })(Words.separated(words)).pipe(
    Effect.catchIf(
      (error) => error instanceof CliError.ShowHelp,
      (help) => (help.errors.length > 0 ? Effect.fail(usage) : Effect.void)
    ),
    Effect.provide([
      Layer.effect(CliOutput.Presenter, presenter),
      CliConfig.layer({ builtIns: [GlobalFlag.Help, GlobalFlag.Version, GlobalFlag.Completions] })
    ]),
    Effect.provide(NodeServices.layer)
  )
