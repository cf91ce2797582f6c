/** The command line: all commands under one name. A usage error prints help and exits with 64, never a stack trace. */
import * as NodeServices from "@effect/platform-node/NodeServices"
import * as Console from "effect/Console"
import * as CliConfig from "effect/cli/CliConfig"
import * as CliError from "effect/cli/CliError"
import * as CliOutput from "effect/cli/CliOutput"
import * as Command from "effect/cli/Command"
import * as GlobalFlag from "effect/cli/GlobalFlag"
import * as Effect from "effect/Effect"
import { fileVariable, secrets, table } from "../settings/Variables.ts"
import { version } from "../Version.ts"
import * as Audit from "./audit/Audit.ts"
import * as Dlq from "./dlq/Commands.ts"
import * as Doctor from "./doctor/Doctor.ts"
import * as Init from "./Init.ts"
import * as Monitor from "./Monitor.ts"
import * as Produce from "./Produce.ts"
import * as Query from "./Query.ts"
import * as Reset from "./Reset.ts"
import * as Status from "./status/Status.ts"
import { usage } from "./support/Failure.ts"

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
    `Reads the topics of BRONZE_ROUTES and writes their events in batches into the raw tables, until SIGTERM or Ctrl-C: then it flushes, commits, leaves the group and exits 0. Exit code 78: the configuration must be fixed.\n\nSettings are environment variables:\n${settingsHelp}\n\nA secret can also be read from a file: ${secrets.map(fileVariable).join(", ")}.`
  ),
  Command.withExamples([
    { command: "SINK=duckdb bronze-consumer run", description: "Into a local DuckDB file" },
    { command: "BATCH_SIZE=500 BATCH_TIMEOUT=1 bronze-consumer run", description: "Larger batches, sooner" }
  ])
)

const root = Command.make("bronze-consumer", {}, () => Effect.asVoid(service)).pipe(
  Command.withDescription(
    "Reads events from Kafka and writes them, in micro-batches and exactly once, into raw tables of Snowflake or DuckDB. Settings are environment variables; `run --help` lists them, `doctor` checks them."
  ),
  Command.withExamples([
    { command: "bronze-consumer doctor", description: "See what is missing" },
    { command: "bronze-consumer init", description: "Create the tables" },
    { command: "bronze-consumer", description: "Consume until stopped" }
  ]),
  Command.withSubcommands([
    consume,
    Init.command,
    Doctor.command,
    Status.command,
    Monitor.command,
    Produce.command,
    Audit.command,
    Reset.command,
    Dlq.command,
    Query.command
  ])
)

/** What was not understood, and where to read more; the help itself would push it off the screen. */
const presenter: CliOutput.Presenter = {
  present: (event) =>
    event._tag === "InvalidInvocation"
      ? Console.error(
          `${event.errors.map(({ message }) => message).join("\n")}\n\nSee \`${event.commandPath.join(" ")} --help\`.`
        )
      : CliOutput.defaultPresenter.present(event)
}

/** Runs what these words ask for; every failure has been reported when it fails, and carries its exit code. */
export const run = (words: ReadonlyArray<string>) =>
  Command.runWith(root, { version })(words).pipe(
    Effect.catchIf(
      (error) => error instanceof CliError.ShowHelp,
      (help) => (help.errors.length > 0 ? Effect.fail(usage) : Effect.void)
    ),
    Effect.provide([
      NodeServices.layer,
      CliOutput.layerPresenter(presenter),
      CliConfig.layer({ builtIns: [GlobalFlag.Help, GlobalFlag.Version, GlobalFlag.Completions] })
    ])
  )
