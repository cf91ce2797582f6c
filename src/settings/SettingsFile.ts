/**
 * The files that settings come from, besides the environment: which variable is of which file and line. What is set
 * already always wins over a file.
 */
import * as Context from "effect/Context"
import { quote } from "../domain/Secrets.ts"
import { fileVariable, secrets } from "./Variables.ts"

export interface SettingsFile {
  readonly path: string
  /** The variables whose values are those of the file, with their lines where these are known. */
  readonly lines: ReadonlyMap<string, number | undefined>
  /** What is wrong with the file itself; each begins with the name of a variable. */
  readonly problems: ReadonlyArray<string>
  /** Whether its values are known: if not, what else seems to be wrong may only be missing. */
  readonly isRead: boolean
  /** What is not wrong, but worth a word; whole sentences. */
  readonly warnings: ReadonlyArray<string>
}

/** Those of this process. */
export const SettingsFiles = Context.Reference<ReadonlyArray<SettingsFile>>("bronze/settings/SettingsFiles", {
  defaultValue: () => []
})

/** As messages and tables name a place: `bronze.yaml line 3`. */
export const place = (path: string, line?: number): string =>
  `${quote(path).slice(1, -1)}${line === undefined ? "" : ` line ${line}`}`

/** Where a variable, or the file of a secret, was set; undefined when in no file. */
export const placeOf = (files: ReadonlyArray<SettingsFile>, name: string): string | undefined => {
  for (const { lines, path } of files) {
    const found = [name, fileVariable(name)].find((each) => lines.has(each))
    if (found !== undefined) return place(path, lines.get(found))
  }
  return undefined
}

/** A problem, which begins with its variable, with the place where that was set. */
export const placed =
  (files: ReadonlyArray<SettingsFile>) =>
  (problem: string): string => {
    const at = placeOf(files, variableOf(problem))
    return at === undefined ? problem : `${problem} (in ${at})`
  }

/** The variable that a problem is about. */
export const variableOf = (problem: string): string => problem.split(":")[0] ?? ""

/** Sets in `env` what it does not have, and returns the names; a secret and the file that it may be in are one setting. */
export const fill = (
  env: Record<string, string | undefined>,
  values: Readonly<Record<string, string | undefined>>
): ReadonlyArray<string> => {
  const taken = new Set(
    secrets
      .map((name) => [name, fileVariable(name)])
      .filter((pair) => pair.some((name) => env[name] !== undefined))
      .flat()
  )
  const names = Object.keys(values).filter((name) => env[name] === undefined && !taken.has(name))
  for (const name of names) env[name] = values[name]
  return names
}
