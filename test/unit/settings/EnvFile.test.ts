/** `--env-file`: found anywhere in the words, and never stronger than the environment. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterAll, assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import * as EnvFile from "../../../src/settings/EnvFile.ts"
import * as Settings from "../../../src/settings/Settings.ts"
import { SettingsFiles } from "../../../src/settings/SettingsFile.ts"

const folder = mkdtempSync(join(tmpdir(), "bronze-env-file-"))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const written = (text: string): string => {
  const path = join(folder, "settings.env")
  writeFileSync(path, text)
  return path
}
const applied = (text: string, env: Record<string, string | undefined>) =>
  Result.getOrThrow(EnvFile.applied(["status", "--env-file", written(text)], env))
const problem = (words: ReadonlyArray<string>): string => {
  const result = EnvFile.applied(words, {})
  return Result.isFailure(result) ? result.failure : ""
}

describe("the flag", () => {
  it("stands before or after the command, joined or not, and leaves the other words", () => {
    const path = written("SINK=duckdb\n")
    for (const words of [
      ["--env-file", path, "dlq", "list", "--json"],
      ["dlq", "--env-file", path, "list", "--json"],
      ["dlq", "list", "--json", `--env-file=${path}`]
    ]) {
      const env: Record<string, string | undefined> = {}
      assert.deepStrictEqual(Result.getOrThrow(EnvFile.applied(words, env)).words, ["dlq", "list", "--json"])
      assert.deepStrictEqual(env, { SINK: "duckdb" })
    }
    assert.deepStrictEqual(Result.getOrThrow(EnvFile.applied(["--", "--env-file", "x"], {})).words, [
      ...["--", "--env-file", "x"]
    ])
  })
  it("needs a file that is there, and one only", () => {
    assert.strictEqual(problem(["run", "--env-file"]), "--env-file needs a file")
    assert.strictEqual(problem(["--env-file=", "run"]), "--env-file needs a file")
    assert.strictEqual(problem(["--env-file", "--json"]), "--env-file needs a file")
    assert.strictEqual(problem(["--env-file", "/no/such"]), '--env-file: "/no/such" cannot be read (ENOENT)')
    const path = written("")
    assert.strictEqual(problem(["--env-file", path, "--env-file", path]), "--env-file: one file only")
  })
})

describe("the file", () => {
  it("has quotes, comments and export, as such files have", () => {
    const env: Record<string, string | undefined> = {}
    applied('# ours\nexport SINK="duckdb"\nDUCKDB_PATH=a.db # here\n\nLOG_FILE=\n', env)
    assert.deepStrictEqual(env, { SINK: "duckdb", DUCKDB_PATH: "a.db", LOG_FILE: "" })
  })
  it("gives way to the environment, to an empty value too", () => {
    const env = { BATCH_SIZE: "7", LOG_FILE: "" }
    const { envFile } = applied("BATCH_SIZE=9\nLOG_FILE=/tmp/x\nBATCH_TIMEOUT=2\n", env)
    assert.deepStrictEqual(env, { BATCH_SIZE: "7", LOG_FILE: "", ...{ BATCH_TIMEOUT: "2" } })
    assert.deepStrictEqual([...(envFile?.lines.keys() ?? [])], ["BATCH_TIMEOUT"])
  })
  it("never adds a second form of a secret that the environment has", () => {
    for (const [given, other] of [
      ["SNOWFLAKE_PASSWORD", "SNOWFLAKE_PASSWORD_FILE"],
      ["SNOWFLAKE_PASSWORD_FILE", "SNOWFLAKE_PASSWORD"]
    ] as const) {
      const env: Record<string, string | undefined> = { [given]: "x" }
      applied(`${other}=y\nHTTP_TOKEN_FILE=/run/token\n`, env)
      assert.deepStrictEqual(env, { [given]: "x", HTTP_TOKEN_FILE: "/run/token" })
    }
  })
  it("is named beside a problem with one of its values", async () => {
    const env: Record<string, string | undefined> = { BATCH_TIMEOUT: "soon" }
    const { envFile } = applied("SINK=duckdb\nBATCH_SIZE=none\n", env)
    const all = { SINK: "duckdb", BATCH_SIZE: "none", BATCH_TIMEOUT: "soon" }
    const error = await Effect.runPromise(
      Settings.load.pipe(
        Effect.provide(Settings.environment(all)),
        Effect.provideService(SettingsFiles, envFile === undefined ? [] : [envFile]),
        Effect.flip
      )
    )
    assert.deepStrictEqual(error.problems, [
      `BATCH_SIZE: expected a whole number from 1 to 1000000, got "none" (in ${envFile?.path})`,
      'BATCH_TIMEOUT: expected a number of seconds from 0.01 to 3600 (5 or 0.5, without a unit), got "soon"'
    ])
  })
})
