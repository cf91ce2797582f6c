/** Reads a small text file that a person wrote; whatever else is at its path is refused in one sentence, unread. */
import { readFileSync, statSync } from "node:fs"
import * as Result from "effect/Result"
import { showBytes } from "./Parse.ts"

const maxBytes = 1_048_576

export interface TextFile {
  readonly text: string
  /** Whether every user of this machine may read it. */
  readonly isPublic: boolean
}

/** Anything but a regular file may have no end, or nobody who writes it. */
export const read = (path: string): Result.Result<TextFile, string> =>
  Result.gen(function* () {
    const readable = <A>(look: () => A): Result.Result<A, string> =>
      Result.try({
        try: look,
        catch: (error) => `cannot be read (${error instanceof Error && "code" in error ? error.code : error})`
      })
    const stats = yield* readable(() => statSync(path))
    if (stats.isDirectory()) return yield* Result.fail("is a directory")
    if (!stats.isFile()) return yield* Result.fail("is not a regular file")
    if (stats.size > maxBytes) return yield* Result.fail(`is larger than ${showBytes(maxBytes)}`)
    const bytes = yield* readable(() => readFileSync(path))
    const text = yield* Result.try({
      try: () => new TextDecoder("utf-8", { fatal: true }).decode(bytes),
      catch: () => "is not UTF-8"
    })
    return { text, isPublic: process.platform !== "win32" && (stats.mode & 0o004) !== 0 }
  })
