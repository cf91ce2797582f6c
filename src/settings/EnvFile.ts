/**
 * `--env-file FILE`: settings from a file, for this process; whatever the environment has already wins over the file.
 */
import { readFileSync } from "node:fs"
import { parseEnv } from "node:util"
import * as Result from "effect/Result"
import { quote } from "../domain/Secrets.ts"
import { fill, type SettingsFile } from "./SettingsFile.ts"

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

/** Sets in `env` what it does not have. */
const apply = (path: string, env: Record<string, string | undefined>): Result.Result<SettingsFile, string> =>
  Result.try({
    try: () => parseEnv(readFileSync(path, "utf8")),
    catch: (error) =>
      `--env-file: ${quote(path)} cannot be read (${error instanceof Error && "code" in error ? error.code : error})`
  }).pipe(
    Result.map((values) => ({
      path,
      ...fill(
        env,
        Object.entries(values).map(([name, text = ""]) => ({ name, text }))
      ),
      problems: [],
      isRead: true,
      warnings: []
    }))
  )

interface Given {
  readonly words: ReadonlyArray<string>
  readonly envFile: SettingsFile | undefined
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
