/**
 * `--env-file FILE`: settings from a file, for this process; whatever the environment has already wins over the file.
 */
import { readFileSync } from "node:fs"
import { parseEnv } from "node:util"
import * as Context from "effect/Context"
import * as Result from "effect/Result"
import { quote } from "../domain/Secrets.ts"
import { fileVariable, secrets } from "./Variables.ts"

export interface Applied {
  readonly path: string
  /** The variables whose values are those of the file. */
  readonly names: ReadonlySet<string>
}

/** The file of this process, so that a problem with one of its values can name it. */
export const EnvFile = Context.Reference<Applied | undefined>("bronze/settings/EnvFile", {
  defaultValue: () => undefined
})

/** A problem, which begins with its variable, with the file where that was set. */
export const placed =
  (file: Applied | undefined) =>
  (problem: string): string =>
    file?.names.has(problem.split(":")[0] ?? "") ? `${problem} (in ${quote(file.path).slice(1, -1)})` : problem

interface Taken {
  readonly path: string | undefined
  /** The words without the flag. */
  readonly words: ReadonlyArray<string>
}

/** Takes the flag out of the words of a command line, before or after the command. */
const take = (words: ReadonlyArray<string>): Result.Result<Taken, string> => {
  const end = words.indexOf("--")
  const flags = end === -1 ? words : words.slice(0, end)
  const at = flags.findIndex((word) => word === "--env-file" || word.startsWith("--env-file="))
  if (at === -1) return Result.succeed({ path: undefined, words })
  const isJoined = flags[at] !== "--env-file"
  const path = isJoined ? flags[at]?.slice("--env-file=".length) : flags[at + 1]
  if (path === undefined || path === "" || (!isJoined && path.startsWith("-")))
    return Result.fail("--env-file needs a file")
  const rest = words.filter((_, index) => index !== at && (isJoined || index !== at + 1))
  return Result.flatMap(take(rest), (other) =>
    other.path === undefined ? Result.succeed({ path, words: rest }) : Result.fail("--env-file: one file only")
  )
}

/** Sets in `env` what it does not have; a secret and the file that it may be in are one setting. */
const apply = (path: string, env: Record<string, string | undefined>): Result.Result<Applied, string> =>
  Result.try({
    try: () => parseEnv(readFileSync(path, "utf8")),
    catch: (error) =>
      `--env-file: ${quote(path)} cannot be read (${error instanceof Error && "code" in error ? error.code : error})`
  }).pipe(
    Result.map((values) => {
      const taken = new Set(
        secrets
          .map((name) => [name, fileVariable(name)])
          .filter((pair) => pair.some((name) => env[name] !== undefined))
          .flat()
      )
      const names = Object.keys(values).filter((name) => env[name] === undefined && !taken.has(name))
      for (const name of names) env[name] = values[name]
      return { path, names: new Set(names) }
    })
  )

interface Given {
  readonly words: ReadonlyArray<string>
  readonly envFile: Applied | undefined
}

/** The words of the command line without the flag; the settings of the file are set in `env`. */
export const applied = (
  given: ReadonlyArray<string>,
  env: Record<string, string | undefined>
): Result.Result<Given, string> =>
  Result.flatMap(
    take(given),
    ({ path, words }): Result.Result<Given, string> =>
      path === undefined
        ? Result.succeed({ words, envFile: undefined })
        : Result.map(apply(path, env), (envFile) => ({ words, envFile }))
  )
