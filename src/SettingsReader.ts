/** Reads single settings and gathers every problem on the way, so that one bad setting never hides another. */
import * as ConfigProvider from "effect/ConfigProvider"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Redacted from "effect/Redacted"
import * as Result from "effect/Result"
import type { Variable } from "./SettingsTable.ts"
import { expected } from "./SettingsValues.ts"

export interface Reader {
  readonly problems: Array<string>
  /** The value; a malformed one is noted, and the default stands in for it. */
  readonly get: <A>(variable: Variable<A>) => Effect.Effect<A>
  /** Notes a problem, unless the variable has one already. */
  readonly note: (variable: Variable<unknown>, problem: string) => undefined
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
    variable.config.parse(provider).pipe(
      Effect.catch(() => Effect.succeed(Result.fail([expected("a single value", "several")]))),
      Effect.map((parsed) => {
        if (Result.isSuccess(parsed)) return parsed.success
        for (const problem of parsed.failure) note(variable, problem)
        faulty.add(variable.name)
        return variable.fallback
      })
    )
  const file = (variable: Variable<unknown>, path: string): Effect.Effect<string | undefined> =>
    fileSystem.readFileString(path).pipe(
      Effect.catch((error) => {
        const shown = variable.secret ? "one that is not" : JSON.stringify(path)
        note(variable, `expected a file that can be read, got ${shown} (${error.reason._tag})`)
        return Effect.succeed(undefined)
      })
    )
  const readPem = (variable: Variable<unknown>, value: string): Effect.Effect<string | undefined> =>
    value.includes("-----BEGIN")
      ? Effect.succeed(value)
      : Effect.tap(file(variable, value), (content) =>
          Effect.sync(() => {
            if (content !== undefined && !content.includes("-----BEGIN"))
              note(variable, "expected PEM text in the file, got something else")
          })
        )
  return {
    problems,
    get,
    note,
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
