/** `config check` and the service with BRONZE_CONFIG, as real processes: output, exit codes, and no connection to anything. */
import { spawnSync } from "node:child_process"
import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterAll, afterEach, assert, describe, it } from "@effect/vitest"
import * as Schema from "effect/Schema"
import { killAll, start } from "../../../scripts/support/bronzeProcess.ts"
import { projectRoot } from "../../../scripts/support/paths.ts"

const folder = mkdtempSync(join(tmpdir(), "bronze-config-check-"))
afterEach(killAll)
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const cli = (words: ReadonlyArray<string>, env: Readonly<Record<string, string>> = {}) => {
  const { HOME = "/", PATH = "" } = process.env
  const { status, stderr, stdout } = spawnSync(process.execPath, [join(projectRoot, "dist/main.js"), ...words], {
    cwd: folder,
    env: { PATH, HOME, ...env },
    encoding: "utf8",
    timeout: 30_000
  })
  return { code: status, out: stdout, err: stderr }
}
const write = (name: string, text: string): void => writeFileSync(join(folder, name), text, { mode: 0o600 })

const Report = Schema.Struct({
  isValid: Schema.Boolean,
  settings: Schema.Array(
    Schema.Struct({ name: Schema.String, value: Schema.String, isDefault: Schema.Boolean, source: Schema.String })
  ),
  problems: Schema.Array(Schema.String),
  warnings: Schema.Array(Schema.String)
})
const report = (text: string) => Schema.decodeUnknownSync(Schema.fromJsonString(Report))(text)

const file = {
  BRONZE_CONFIG: "bronze.yaml",
  LOG_FILE: ""
}

describe("config check", () => {
  it("shows each setting with its source, and says that all are valid: 0", () => {
    write("some.env", "DUCKDB_PATH=a.db\nBRONZE_CONFIG=bronze.yaml\n")
    write(
      "bronze.yaml",
      ["# ours", "SINK: duckdb", "BRONZE_ROUTES:", "  - raw.a=A_RAW", "  - raw.b=B_RAW", "HTTP_TOKEN: hunter2"].join(
        "\n"
      )
    )
    const { code, err, out } = cli(["config", "check", "--env-file", "some.env"], { BATCH_SIZE: "7", LOG_FILE: "" })
    assert.deepStrictEqual([code, err], [0, ""])
    const row = (name: string) =>
      out
        .split("\n")
        .find((line) => line.startsWith(`${name} `))
        ?.split(/ {2,}/)
    assert.deepStrictEqual(row("NAME"), ["NAME", "VALUE", "SOURCE"])
    assert.deepStrictEqual(row("SINK"), ["SINK", "duckdb", "bronze.yaml line 2"])
    assert.deepStrictEqual(row("BRONZE_ROUTES"), ["BRONZE_ROUTES", "raw.a=A_RAW, raw.b=B_RAW", "bronze.yaml line 3"])
    assert.deepStrictEqual(row("HTTP_TOKEN"), ["HTTP_TOKEN", "<redacted>", "bronze.yaml line 6"])
    assert.deepStrictEqual(row("DUCKDB_PATH"), ["DUCKDB_PATH", "a.db", "some.env"])
    assert.deepStrictEqual(row("BATCH_SIZE"), ["BATCH_SIZE", "7", "environment"])
    assert.deepStrictEqual(row("LOG_FILE"), ["LOG_FILE", '""', "environment"])
    assert.deepStrictEqual(row("BATCH_TIMEOUT"), ["BATCH_TIMEOUT", "5.0", "default"])
    assert.match(out, /\n\nThe settings are valid\.\n$/)
    assert.notInclude(out, "hunter2")
  })

  it("says every mistake, of the file and of the environment: 78", () => {
    write("bronze.yaml", "SINK: duckdb\nBATCH_SIZE: many\nHTTP_PROT: 1\nSNOWFLAKE_PASSWORD: hunter2\n")
    const { code, out } = cli(["config", "check"], { ...file, BATCH_TIMEOUT: "soon", BATCH_SIZ: "3" })
    assert.strictEqual(code, 78)
    const [, told] = out.split("\n\n")
    assert.deepStrictEqual(told?.split("\n"), [
      '✗ BRONZE_CONFIG: there is no setting "HTTP_PROT" (did you mean HTTP_PORT?) (in bronze.yaml line 3)',
      '✗ BATCH_SIZE: expected a whole number from 1 to 1000000, got "many" (in bronze.yaml line 2)',
      '✗ BATCH_TIMEOUT: expected a number of seconds from 0.01 to 3600 (5 or 0.5, without a unit), got "soon"',
      "! BATCH_SIZ is set, but there is no such setting (did you mean BATCH_SIZE?)"
    ])
    assert.match(out, /\n3 problems to fix\.\n$/)
    const json = cli(["config", "check", "--json"], { ...file, BATCH_TIMEOUT: "soon" })
    assert.strictEqual(json.code, 78)
    const { isValid, problems, settings } = report(json.out)
    assert.isFalse(isValid)
    assert.lengthOf(problems, 3)
    assert.deepInclude(settings, {
      ...{ name: "SNOWFLAKE_PASSWORD", value: "<redacted>", isDefault: false, source: "bronze.yaml line 4" }
    })
    assert.notInclude(json.out + out, "hunter2")
  })

  it("says what is wrong with a file that cannot be read, and waits for none", () => {
    spawnSync("mkfifo", [join(folder, "fifo")])
    for (const [name, reason] of [
      ["fifo", "is not a regular file"],
      ["none.yaml", "cannot be read (ENOENT)"]
    ] as const) {
      const { code, out } = cli(["config", "check", "--json"], { ...file, BRONZE_CONFIG: name })
      assert.deepStrictEqual([code, report(out).problems], [78, [`BRONZE_CONFIG: "${name}" ${reason}`]])
    }
  })
})

describe("with BRONZE_CONFIG", () => {
  it("the service and every command that reads settings refuse a file with a mistake: 78", () => {
    write("bronze.yaml", "SINK: duckdb\nBATCH_SIZ: 1\n")
    const problem = 'BRONZE_CONFIG: there is no setting "BATCH_SIZ" (did you mean BATCH_SIZE?) (in bronze.yaml line 2)'
    for (const words of [[], ["run"], ["init"], ["status"], ["produce"]]) {
      const { code, err, out } = cli(words, file)
      assert.strictEqual(code, 78, words.join(" "))
      assert.include(out + err, problem)
    }
    assert.include(cli(["doctor"], file).out, `✗ configuration   ${problem}`)
  })
  it("help needs no file that can be read", () => {
    for (const words of [["--help"], ["version"]]) assert.strictEqual(cli(words, { BRONZE_CONFIG: "none" }).code, 0)
  })
  it("the service says how many of its settings are from the file, and uses them", async () => {
    write(
      "bronze.yaml",
      "SINK: duckdb\nKAFKA_BOOTSTRAP_SERVERS: [127.0.0.1:1]\nCONSUMER_GROUP_ID: of-the-file\nBATCH_SIZE: 9\n"
    )
    const service = start({ BRONZE_CONFIG: join(folder, "bronze.yaml"), BATCH_SIZE: "7" })
    await service.line(/INFO - Settings from \S+bronze\.yaml: 3$/)
    await service.line(/Reading from 127\.0\.0\.1:1, group of-the-file/)
    await service.line(/Batches of 7 events/)
  })
  it("a command uses the values of the file", () => {
    write("bronze.yaml", "SINK: duckdb\nDUCKDB_PATH: mine.db\nBRONZE_ROUTES:\n  - raw.a=A_RAW(X=x:NUMBER)\n")
    const { code, out } = cli(["init"], file)
    assert.strictEqual(code, 0)
    assert.match(out, /mine\.db[\s\S]+A_RAW/)
  })
})
