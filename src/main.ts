#!/usr/bin/env node
/** Entry: selects the program from the command line, and sets the exit code. */
import { setFlagsFromString } from "node:v8"
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Result from "effect/Result"
import * as Runtime from "effect/Runtime"
import * as Output from "./cli/support/Output.ts"
import * as EnvFile from "./settings/EnvFile.ts"
import { type SettingsFile, SettingsFiles } from "./settings/SettingsFile.ts"
import { variables } from "./settings/Variables.ts"

// Much passes through and little stays: left to itself the heap doubles with garbage before it is looked after. Costs a
// tenth more CPU.
setFlagsFromString("--heap-growing-percent=60")

// Node's deprecation warnings are not for the log of a service.
process.noDeprecation = true

/** The file of BRONZE_CONFIG; its reader is loaded only where there is one. */
const configFile = Effect.promise(async (): Promise<ReadonlyArray<SettingsFile>> => {
  const path = process.env[variables.config.name] ?? ""
  return path === "" ? [] : [(await import("./settings/ConfigFile.ts")).apply(path, process.env)]
})

/** Runs the program that these words ask for. */
const start = (words: ReadonlyArray<string>, envFile: SettingsFile | undefined): void => {
  const isService = words.length === 0 || (words.length === 1 && words[0] === "run")

  // Loaded as needed: the service starts without the command line's parser, the commands without the pipeline.
  const selected = Effect.promise(
    (): Promise<Effect.Effect<unknown, unknown>> =>
      isService
        ? import("./app/Service.ts").then(({ run }) => run)
        : import("./cli/Cli.ts").then(({ run }) => run(words))
  ).pipe(Effect.flatten)
  const program = Effect.flatMap(configFile, (files) =>
    Effect.provideService(selected, SettingsFiles, [...(envFile === undefined ? [] : [envFile]), ...files])
  )

  // The output of the service is its log; its loss is no failure.
  const output = isService ? undefined : Output.watch()

  NodeRuntime.runMain(program, {
    // Each program has already reported its failures.
    disableErrorReporting: true,
    // A signal is the usual end of a service, and of what follows events: it was stopped, nothing failed. Any other
    // command has not answered yet.
    teardown: (exit, onExit) => {
      const end = (code: number): void => (output === undefined ? onExit(code) : output.settle(code, onExit))
      if (Exit.isFailure(exit) && Cause.hasInterruptsOnly(exit.cause))
        end(Number(process.exitCode ?? output?.interrupted() ?? 0))
      else Runtime.defaultTeardown(exit, end)
    }
  })
}

Result.match(EnvFile.applied(process.argv.slice(2), process.env), {
  onSuccess: ({ envFile, words }) => start(words, envFile),
  onFailure: (problem) => {
    process.stderr.write(`${problem}\n\nSee \`bronze-consumer --help\`.\n`)
    process.exitCode = 64
  }
})
