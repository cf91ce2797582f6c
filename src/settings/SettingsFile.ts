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
  /** Those that something else has set already. */
  readonly overridden: ReadonlyMap<string, number | undefined>
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

const placeIn = (
  files: ReadonlyArray<SettingsFile>,
  name: string,
  which: "lines" | "overridden"
): string | undefined => {
  for (const file of files) {
    const found = [name, fileVariable(name)].find((each) => file[which].has(each))
    if (found !== undefined) return place(file.path, file[which].get(found))
  }
  return undefined
}

/** Where a variable, or the file of a secret, was set: `environment`, or the place in a file. */
export const sourceOf = (files: ReadonlyArray<SettingsFile>, name: string): string => {
  const over = placeIn(files, name, "overridden")
  return `${placeIn(files, name, "lines") ?? "environment"}${over === undefined ? "" : `, over ${over}`}`
}

/** A problem, which begins with its variable, with the file that it has to do with. */
export const placed =
  (files: ReadonlyArray<SettingsFile>) =>
  (problem: string): string => {
    const name = variableOf(problem)
    const at = placeIn(files, name, "lines")
    if (at !== undefined) return `${problem} (in ${at})`
    const over = placeIn(files, name, "overridden")
    return over === undefined ? problem : `${problem} (the environment wins over ${over})`
  }

/** The variable that a problem is about. */
export const variableOf = (problem: string): string => problem.split(":")[0] ?? ""

export interface Value {
  readonly name: string
  readonly text: string
  readonly line?: number
}

/** Sets in `env` what it does not have; a secret and the file that it may be in are one setting. */
export const fill = (
  env: Record<string, string | undefined>,
  values: ReadonlyArray<Value>
): Pick<SettingsFile, "lines" | "overridden"> => {
  const pairs = secrets.map((name) => [name, fileVariable(name)])
  const before = new Set(Object.keys(env).filter((name) => env[name] !== undefined))
  const isTaken = ({ name }: Value): boolean =>
    (pairs.find((pair) => pair.includes(name)) ?? [name]).some((each) => before.has(each))
  const linesOf = (some: ReadonlyArray<Value>) => new Map(some.map(({ line, name }) => [name, line]))
  const free = values.filter((value) => !isTaken(value))
  for (const { name, text } of free) env[name] = text
  return { lines: linesOf(free), overridden: linesOf(values.filter(isTaken)) }
}
