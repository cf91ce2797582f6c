/** Reads single settings and gathers every problem on the way, so that one bad setting never hides another. */
import * as ConfigProvider from "effect/ConfigProvider"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Redacted from "effect/Redacted"
import * as Result from "effect/Result"
import { notAPath, quote } from "../domain/Secrets.ts"
import { expected } from "./Parse.ts"
import { fileVariable, type Variable } from "./Variables.ts"

export interface Reader {
  readonly problems: Array<string>
  /** The value; a malformed one is noted, and the default stands in for it. */
  readonly get: <A>(variable: Variable<A>) => Effect.Effect<A>
  /** Notes a problem, unless the variable has one already. */
  readonly note: (variable: Variable<unknown>, problem: string) => undefined
  /** Whether a value was given that cannot be used. */
  readonly isFaulty: (variable: Variable<unknown>) => boolean
  /** Notes that a variable is needed. */
  readonly require: (variable: Variable<unknown>, why: string) => undefined
  /** The text of a file; one that cannot be read is noted. */
  readonly file: (variable: Variable<unknown>, path: string) => Effect.Effect<string | undefined>
  /** PEM text, given as it is or as the path of a file. */
  readonly pem: (variable: Variable<string | undefined>) => Effect.Effect<string | undefined>
  readonly secretPem: (
    variable: Variable<Redacted.Redacted | undefined>
  ) => Effect.Effect<Redacted.Redacted | undefined>
  readonly fileSystem: FileSystem.FileSystem
}

export const make = Effect.gen(function* (): Effect.fn.Return<Reader, never, FileSystem.FileSystem> {
  const provider = yield* ConfigProvider.ConfigProvider
  const fileSystem = yield* FileSystem.FileSystem
  const problems: Array<string> = []
  const faulty = new Set<string>()
  const note = ({ name }: Variable<unknown>, problem: string): undefined => {
    if (!faulty.has(name)) problems.push(`${name}: ${problem}`)
  }
  const get = <A>(variable: Variable<A>): Effect.Effect<A> =>
    sourceOf(variable).pipe(
      Effect.flatMap((source) => variable.config.parse(source)),
      Effect.catch(() => Effect.succeed(Result.fail([expected("a single value", "several")]))),
      Effect.map((parsed) => {
        if (Result.isSuccess(parsed)) return parsed.success
        for (const problem of parsed.failure) note(variable, problem)
        faulty.add(variable.name)
        return variable.fallback
      })
    )
  /** Where a variable is read from: a secret may be in a file, whose name another variable gives. */
  const sourceOf = Effect.fnUntraced(function* (variable: Variable<unknown>) {
    if (!variable.secret) return provider
    const { name } = variable
    const valueAt = (key: string) =>
      provider.load([key]).pipe(
        Effect.map((node) => node?.value ?? ""),
        Effect.orElseSucceed(() => "")
      )
    const path = yield* valueAt(fileVariable(name))
    if (path === "") return provider
    const instead = (value: string) => ConfigProvider.fromEnv({ env: { [name]: value }, preserveEmptyStrings: true })
    if ((yield* valueAt(name)) !== "") {
      note(variable, `expected either ${name} or ${fileVariable(name)}, got both`)
      return provider
    }
    const content = yield* Effect.result(fileSystem.readFileString(path))
    if (Result.isFailure(content)) {
      // A secret that was put here in place of its file is not shown.
      const shown = /^\.{0,2}\//.test(path) && notAPath(path) === undefined ? quote(path) : "one that is not"
      note(
        variable,
        `expected ${fileVariable(name)} to be a file that can be read, got ${shown} (${content.failure.reason._tag})`
      )
      faulty.add(name)
      return instead("")
    }
    const value = content.success.replace(/\r?\n$/, "")
    if (value === "") note(variable, `expected a secret in the file of ${fileVariable(name)}, got an empty file`)
    return instead(value)
  })
  const file = (variable: Variable<unknown>, path: string): Effect.Effect<string | undefined> =>
    fileSystem.readFileString(path).pipe(
      Effect.catch((error) => {
        const shown = variable.secret ? "one that is not" : quote(path)
        note(variable, `expected a file that can be read, got ${shown} (${error.reason._tag})`)
        return Effect.succeed(undefined)
      })
    )
  const readPem = (variable: Variable<unknown>, value: string): Effect.Effect<string | undefined> => {
    if (value.includes("-----BEGIN")) return Effect.succeed(value)
    const reason = notAPath(value)
    if (reason !== undefined) {
      note(variable, `expected a file, or PEM text from its first line on, got ${reason}`)
      return Effect.succeed(undefined)
    }
    return Effect.map(file(variable, value), (content) =>
      content === undefined || content.includes("-----BEGIN")
        ? content
        : note(variable, "expected PEM text in the file, got something else")
    )
  }
  return {
    problems,
    get,
    note,
    isFaulty: ({ name }) => faulty.has(name),
    require: (variable, why) => note(variable, `is required ${why}`),
    file,
    pem: Effect.fnUntraced(function* (variable) {
      const value = yield* get(variable)
      return value === undefined ? undefined : yield* readPem(variable, value)
    }),
    secretPem: Effect.fnUntraced(function* (variable) {
      const value = yield* get(variable)
      const content = value === undefined ? undefined : yield* readPem(variable, Redacted.value(value).trim())
      return content === undefined ? undefined : Redacted.make(content)
    }),
    fileSystem
  }
})
