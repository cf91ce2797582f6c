/**
 * What the service itself says of the environment variables that a file of deploy/ sets: mistakes, and settings that do
 * nothing.
 */
import * as Effect from "effect/Effect"
import { hints } from "../../../src/settings/Hints.ts"
import * as Settings from "../../../src/settings/Settings.ts"
import { table } from "../../../src/settings/Variables.ts"

export const complaints = (env: Readonly<Record<string, string>>): Promise<ReadonlyArray<string>> => {
  const names = table.map(({ name }) => name)
  const strangers = Object.keys(env).filter((name) => !names.includes(name))
  return Effect.all([
    Settings.load.pipe(
      Effect.as<ReadonlyArray<string>>([]),
      Effect.catch(({ problems }) => Effect.succeed(problems))
    ),
    hints
  ]).pipe(
    Effect.map((told) => [...strangers.map((name) => `${name} is no setting`), ...told.flat()]),
    Effect.provide(Settings.environment({ ...env })),
    Effect.runPromise
  )
}

/** The default of a setting. */
export const byDefault = (name: string): string => table.find((variable) => variable.name === name)?.default ?? ""
