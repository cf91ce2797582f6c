/**
 * BRONZE_CONFIG: settings from a YAML file, by the names of the variables; what the environment has already wins over
 * it. Loaded only when the variable is set.
 */
import * as Result from "effect/Result"
import { quote } from "../domain/Secrets.ts"
import * as Parse from "./Parse.ts"
import { fill, place, type SettingsFile, type Value } from "./SettingsFile.ts"
import * as TextFile from "./TextFile.ts"
import { fileVariable, lists, secrets, table, variables } from "./Variables.ts"
import * as Yaml from "./Yaml.ts"

const itself = variables.config.name
const names = [...table.map(({ name }) => name), ...secrets.map(fileVariable)].filter((name) => name !== itself)

/** The variables of OpenTelemetry are read by the service as well. */
const isKnown = (name: string): boolean => names.includes(name) || /^OTEL_[A-Z0-9_]+$/.test(name)

/** A file with more mistakes is probably no file of settings. */
const maxProblems = 20

interface Judged {
  readonly values: ReadonlyArray<Value>
  readonly problems: ReadonlyArray<string>
}

const unknown = (name: string): string =>
  name === itself
    ? `${itself}: cannot be set in the file itself`
    : `${itself}: there is no setting ${quote(name, 80)}${Parse.didYouMean(name, names)}`

/** What the entries mean to this service; each problem has its place. */
const judge = (path: string, parsed: Yaml.Parsed): Judged => {
  const values: Array<Value> = []
  const problems: Array<{ readonly line: number; readonly text: string }> = []
  const note = (text: string, line: number, column?: number): void => {
    const at = column === undefined ? "" : `, column ${column}`
    problems.push({ line, text: `${text} (in ${place(path, line)}${at})` })
  }
  for (const { column, line, message, name = itself } of parsed.problems)
    if (name === itself || isKnown(name)) note(`${name}: ${message}`, line, column)
    else note(unknown(name), line)
  for (const { line, name, value } of parsed.entries)
    if (!isKnown(name)) note(unknown(name), line)
    else if (typeof value === "string") values.push({ name, line, text: value })
    else if (value !== undefined && !lists.includes(name)) note(`${name}: expected one value, got a list`, line)
    else if (value !== undefined) values.push({ name, line, text: value.join(", ") })
  const all = [...new Set(problems.sort((a, b) => a.line - b.line).map(({ text }) => text))]
  const rest = all.length - maxProblems
  return { values, problems: rest > 0 ? [...all.slice(0, maxProblems), `${itself}: and ${rest} more`] : all }
}

const warnings = (
  path: string,
  values: ReadonlyArray<Value>,
  isPublic: boolean,
  env: Readonly<Record<string, string | undefined>>
): ReadonlyArray<string> => {
  const open = values.filter(({ name, text }) => isPublic && secrets.includes(name) && text !== "")
  return [
    ...values
      .filter(({ name }) => env[name] === "" && name !== variables.logFile.name)
      .map(({ line, name }) => `${name} is empty in the environment, which wins over ${place(path, line)}`),
    ...open.slice(0, 1).map(({ name }) => {
      const held = open.map((value) => value.name).join(", ")
      return `${place(path)} holds ${held} and can be read by every user of this machine: chmod 600, or set ${fileVariable(name)}`
    })
  ]
}

/** Sets in `env` what it does not have. */
export const apply = (given: string, env: Record<string, string | undefined>): SettingsFile => {
  const unreadable = (path: string, problem: string): SettingsFile => ({
    path,
    lines: new Map(),
    overridden: new Map(),
    problems: [`${itself}: ${problem}`],
    isRead: false,
    warnings: []
  })
  const parsedPath = Parse.path(given)
  if (Result.isFailure(parsedPath)) return unreadable(itself, parsedPath.failure.join("; "))
  const path = parsedPath.success
  const file = TextFile.read(path)
  if (Result.isFailure(file)) return unreadable(path, `${quote(path)} ${file.failure}`)
  const parsed = Yaml.parse(file.success.text)
  const { problems, values } = judge(path, parsed)
  const warned = warnings(path, values, file.success.isPublic, env)
  return { path, ...fill(env, values), problems, isRead: parsed.isYaml, warnings: warned }
}
