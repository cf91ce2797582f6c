/** BRONZE_CONFIG: what a file may hold, what wins over it, what is refused, and where each value is said to be from. */
import { spawnSync } from "node:child_process"
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterAll, assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { projectRoot } from "../../../scripts/support/paths.ts"
import * as ConfigFile from "../../../src/settings/ConfigFile.ts"
import * as EnvFile from "../../../src/settings/EnvFile.ts"
import { hints } from "../../../src/settings/Hints.ts"
import * as Settings from "../../../src/settings/Settings.ts"
import { type SettingsFile, SettingsFiles } from "../../../src/settings/SettingsFile.ts"
import * as Shown from "../../../src/settings/Shown.ts"
import { lists, table } from "../../../src/settings/Variables.ts"
import { privateKeyFile } from "../../support/privateKey.ts"

const folder = mkdtempSync(join(tmpdir(), "bronze-config-"))
afterAll(() => rmSync(folder, { recursive: true, force: true }))
const path = join(folder, "bronze.yaml")

type Env = Record<string, string | undefined>
const apply = (text: string | Uint8Array, env: Env = {}): SettingsFile => {
  writeFileSync(path, text, { mode: 0o600 })
  return ConfigFile.apply(path, env)
}
/** The environment after the file; the problems, each with `FILE` for its path. */
const read = (text: string | Uint8Array, env: Env = {}) => {
  const file = apply(text, env)
  return { env, problems: file.problems.map((problem) => problem.replaceAll(path, "FILE")) }
}

/** As the service reads what the file has left in the environment. */
const within = <A, E>(effect: Effect.Effect<A, E>, files: ReadonlyArray<SettingsFile>, env: Env): Promise<A> => {
  const set = Object.fromEntries(
    Object.entries(env).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]]))
  )
  return Effect.runPromise(
    effect.pipe(Effect.provideService(SettingsFiles, files), Effect.provide(Settings.environment(set)))
  )
}
const problemsOf = (files: ReadonlyArray<SettingsFile>, env: Env) =>
  within(
    Settings.load.pipe(
      Effect.as<ReadonlyArray<string>>([]),
      Effect.catch(({ problems }) => Effect.succeed(problems))
    ),
    files,
    env
  ).then((problems) => problems.map((problem) => problem.replaceAll(path, "FILE")))

describe("a file", () => {
  it("sets variables by their names, as they are written", () => {
    assert.deepStrictEqual(
      read('BATCH_TIMEOUT: 5.0\nHTTP_PORT: 9464\nHTTP_SHOW_EVENTS: true\nDLQ_TOPIC: "raw.dlq"\nLOG_FILE: ""\nSINK:\n'),
      {
        env: { BATCH_TIMEOUT: "5.0", HTTP_PORT: "9464", HTTP_SHOW_EVENTS: "true", DLQ_TOPIC: "raw.dlq", LOG_FILE: "" },
        problems: []
      }
    )
  })
  it("may have one item a line where a variable is a list, and only there", async () => {
    const text = [
      ...["KAFKA_BOOTSTRAP_SERVERS:", "  - a:1", "  - b:2", "BRONZE_ROUTES:", "  # ours"],
      ...["  - raw.a=A_RAW(X=x:NUMBER, Y=y)", "  - raw.b=B_RAW # bare", "BRONZE_FORMATS: []", "SINK: duckdb"]
    ].join("\n")
    const { env } = read(text)
    const { kafka, routes } = await within(Settings.load, [], env)
    assert.deepStrictEqual(kafka.brokers, ["a:1", "b:2"])
    assert.deepStrictEqual(
      routes.map(({ table, topic }) => [topic, table.name, table.columns.length]),
      [
        ["raw.a", "A_RAW", 2],
        ["raw.b", "B_RAW", 0]
      ]
    )
    assert.deepStrictEqual(read("SINK: [duckdb]\n"), {
      env: {},
      problems: ["SINK: expected one value, got a list (in FILE line 1)"]
    })
    const isListed = ({ meaning }: { readonly meaning: string }) => /, …|comma separated/.test(meaning)
    assert.sameMembers(
      [...lists],
      table.filter(isListed).map(({ name }) => name)
    )
  })
  it("gives way to the environment, to an empty value too, of which a warning tells", () => {
    const env: Env = { BATCH_SIZE: "7", DLQ_TOPIC: "", LOG_FILE: "" }
    const file = apply("BATCH_SIZE: 9\nDLQ_TOPIC: raw.dlq\nLOG_FILE: /tmp/x\nBATCH_TIMEOUT: 2\n", env)
    assert.deepStrictEqual(env, { BATCH_SIZE: "7", DLQ_TOPIC: "", LOG_FILE: "", ...{ BATCH_TIMEOUT: "2" } })
    assert.deepStrictEqual([...file.lines], [["BATCH_TIMEOUT", 4]])
    assert.deepStrictEqual([...file.overridden.keys()], ["BATCH_SIZE", "DLQ_TOPIC", "LOG_FILE"])
    assert.deepStrictEqual(file.warnings, [`DLQ_TOPIC is empty in the environment, which wins over ${path} line 2`])
  })
  it("never adds a second form of a secret that the environment has", () => {
    for (const [given, other] of [
      ["SNOWFLAKE_PASSWORD", "SNOWFLAKE_PASSWORD_FILE"],
      ["SNOWFLAKE_PASSWORD_FILE", "SNOWFLAKE_PASSWORD"]
    ] as const)
      assert.deepStrictEqual(read(`${other}: y\n`, { [given]: "x" }).env, { [given]: "x" })
  })
  it("may be a link, as Kubernetes mounts it", () => {
    apply("SINK: duckdb\n")
    const link = join(folder, "link.yaml")
    symlinkSync(path, link)
    const env: Env = {}
    assert.deepStrictEqual(ConfigFile.apply(` ${link}`, env).problems, [])
    assert.deepStrictEqual(env, { SINK: "duckdb" })
  })
  it("may set what OpenTelemetry reads, and nothing else of others", () => {
    assert.deepStrictEqual(read("OTEL_SERVICE_NAME: bronze\nNODE_OPTIONS: --inspect\n"), {
      env: { OTEL_SERVICE_NAME: "bronze" },
      problems: ['BRONZE_CONFIG: there is no setting "NODE_OPTIONS" (in FILE line 2)']
    })
  })
  it("with secrets is warned of where everybody can read it", () => {
    const mode = (bits: number, text: string) => {
      apply(text)
      chmodSync(path, bits)
      return ConfigFile.apply(path, {}).warnings
    }
    const secret = "SNOWFLAKE_PASSWORD: hunter2\nHTTP_TOKEN: hunter3\n"
    assert.deepStrictEqual(mode(0o644, secret), [
      `${path} holds SNOWFLAKE_PASSWORD, HTTP_TOKEN and can be read by every user of this machine: chmod 600, or set SNOWFLAKE_PASSWORD_FILE`
    ])
    assert.deepStrictEqual(mode(0o640, secret), [])
    assert.deepStrictEqual(mode(0o644, "SNOWFLAKE_PASSWORD_FILE: /run/secret\nHTTP_TOKEN:\n"), [])
  })
})

describe("a mistake in a file", () => {
  it("is a name that is none, with the one that was probably meant", () => {
    assert.deepStrictEqual(
      read("BATCH_SIZ: 1\nsink: duckdb\nkafka:\n  brokers: x\nBRONZE_CONFIG: other.yaml\nSNOWFLAKE_PASSWRD: hunter2\n")
        .problems,
      [
        'BRONZE_CONFIG: there is no setting "BATCH_SIZ" (did you mean BATCH_SIZE?) (in FILE line 1)',
        'BRONZE_CONFIG: there is no setting "sink" (did you mean SINK?) (in FILE line 2)',
        'BRONZE_CONFIG: there is no setting "kafka" (in FILE line 4)',
        "BRONZE_CONFIG: cannot be set in the file itself (in FILE line 5)",
        'BRONZE_CONFIG: there is no setting "SNOWFLAKE_PASSWRD" (did you mean SNOWFLAKE_PASSWORD?) (in FILE line 6)'
      ]
    )
  })
  it("is said beside those in the environment, once, and with its line", async () => {
    const env: Env = { BATCH_TIMEOUT: "soon" }
    const file = apply(
      "SINK: duckdb\nBATCH_SIZE: none\nWRITE_MAX_ROWS: {a: 1}\nDLQ_TOPIC: x\nDLQ_TOPIC: y\nHTTP_PROT: 1\n",
      env
    )
    assert.deepStrictEqual(await problemsOf([file], env), [
      "WRITE_MAX_ROWS: expected text, a number, true or false, got a map; text that looks like one needs quotes (in FILE line 3)",
      "DLQ_TOPIC: is set already in line 4 (in FILE line 5)",
      'BRONZE_CONFIG: there is no setting "HTTP_PROT" (did you mean HTTP_PORT?) (in FILE line 6)',
      'BATCH_SIZE: expected a whole number from 1 to 1000000, got "none" (in FILE line 2)',
      'BATCH_TIMEOUT: expected a number of seconds from 0.01 to 3600 (5 or 0.5, without a unit), got "soon"'
    ])
  })
  it("in the environment names the value that it wins over", async () => {
    const env: Env = { BATCH_SIZE: "many", SNOWFLAKE_ACCOUNT: "" }
    const others = ["SNOWFLAKE_USER: x", "SNOWFLAKE_DATABASE: x", "SNOWFLAKE_TOKEN: x"]
    const file = apply(["BATCH_SIZE: 9", "SNOWFLAKE_ACCOUNT: x", ...others].join("\n"), env)
    assert.deepStrictEqual(await problemsOf([file], env), [
      'BATCH_SIZE: expected a whole number from 1 to 1000000, got "many" (the environment wins over FILE line 1)',
      "SNOWFLAKE_ACCOUNT: is required with SINK=snowflake (or SNOWFLAKE_HOST) (the environment wins over FILE line 2)"
    ])
  })
  it("of a secret's own file has the line of that variable", async () => {
    const env: Env = {}
    const file = apply("SINK: duckdb\nHTTP_TOKEN_FILE: /no/such\n", env)
    assert.deepStrictEqual(await problemsOf([file], env), [
      'HTTP_TOKEN: expected HTTP_TOKEN_FILE to be a file that can be read, got "/no/such" (NotFound) (in FILE line 2)'
    ])
  })
  it("which leaves nothing of the file to be read hides what would only seem to be missing", async () => {
    const env: Env = { BATCH_SIZE: "none" }
    const file = apply("SINK: duckdb\nSNOWFLAKE_USER: 'x\n", env)
    assert.deepStrictEqual(env, { BATCH_SIZE: "none" })
    assert.deepStrictEqual(await problemsOf([file], env), [
      "BRONZE_CONFIG: the quote is not closed (in FILE line 2, column 17)"
    ])
  })
  it("is counted from the twentieth on", () => {
    const { problems } = read(Array.from({ length: 50 }, (_, index) => `NAME_${index}: 1`).join("\n"))
    assert.lengthOf(problems, 21)
    assert.strictEqual(problems.at(-1), "BRONZE_CONFIG: and 30 more")
  })
})

describe("what is no file of settings", () => {
  const refused = (given: string) => {
    const env: Env = {}
    const { isRead, problems } = ConfigFile.apply(given, env)
    assert.deepStrictEqual([env, isRead], [{}, false])
    return problems.map((problem) => problem.replaceAll(folder, "FOLDER"))
  }
  it("is refused in one sentence, unread", () => {
    mkdirSync(join(folder, "directory"))
    spawnSync("mkfifo", [join(folder, "fifo")])
    writeFileSync(join(folder, "large"), `# ${"x".repeat(1_048_576)}`)
    writeFileSync(join(folder, "latin1"), Uint8Array.from([0x41, 0x3a, 0x20, 0xfc]))
    for (const [name, problem] of [
      ["missing", 'BRONZE_CONFIG: "FOLDER/missing" cannot be read (ENOENT)'],
      ["directory", 'BRONZE_CONFIG: "FOLDER/directory" is a directory'],
      ["fifo", 'BRONZE_CONFIG: "FOLDER/fifo" is not a regular file'],
      ["large", 'BRONZE_CONFIG: "FOLDER/large" is larger than 1MiB'],
      ["latin1", 'BRONZE_CONFIG: "FOLDER/latin1" is not UTF-8']
    ] as const)
      assert.deepStrictEqual(refused(join(folder, name)), [problem])
    assert.deepStrictEqual(refused("/dev/zero"), ['BRONZE_CONFIG: "/dev/zero" is not a regular file'])
  })
  it("is not shown when it is a key, or the settings themselves", () => {
    assert.deepStrictEqual(refused("-----BEGIN PRIVATE KEY-----\nhunter2"), [
      "BRONZE_CONFIG: expected the path of a file, got PEM text"
    ])
    assert.deepStrictEqual(refused("SINK: duckdb\nHTTP_TOKEN: hunter2"), [
      "BRONZE_CONFIG: expected the path of a file, got text of several lines"
    ])
    assert.deepStrictEqual(refused("  "), ['BRONZE_CONFIG: expected a file, not blank, got "  "'])
  })
})

describe("the source of a setting", () => {
  it("is the environment, a file with its line, or the default", async () => {
    const envFile = join(folder, "some.env")
    writeFileSync(envFile, "DUCKDB_PATH=a.db\nSNOWFLAKE_TOKEN_FILE=/run/token\n")
    const env: Env = { BATCH_SIZE: "7", HTTP_PORT: "1" }
    const applied = EnvFile.applied(["--env-file", envFile], env)
    const ofEnv = applied._tag === "Success" && applied.success.envFile !== undefined ? [applied.success.envFile] : []
    const file = apply(
      "SINK: duckdb\nDUCKDB_PATH: b.db\nSNOWFLAKE_PASSWORD_FILE: /x\nBATCH_TIMEOUT: 5.0\nDLQ_TOPIC:\nHTTP_PORT: 2\n",
      env
    )
    const shown = await within(Shown.list, [...ofEnv, file], env)
    const of = (name: string) => {
      const { source, value } = shown.find((setting) => setting.name === name) ?? {}
      return [value, source?.replaceAll(folder, "FOLDER")]
    }
    assert.deepStrictEqual(of("BATCH_SIZE"), ["7", "environment"])
    assert.deepStrictEqual(of("DUCKDB_PATH"), ["a.db", "FOLDER/some.env, over FOLDER/bronze.yaml line 2"])
    assert.deepStrictEqual(of("SNOWFLAKE_TOKEN"), ["<redacted>", "FOLDER/some.env"])
    assert.deepStrictEqual(of("SINK"), ["duckdb", "FOLDER/bronze.yaml line 1"])
    assert.deepStrictEqual(of("SNOWFLAKE_PASSWORD"), ["<redacted>", "FOLDER/bronze.yaml line 3"])
    assert.deepStrictEqual(of("BATCH_TIMEOUT"), ["5.0", "FOLDER/bronze.yaml line 4"])
    assert.deepStrictEqual(of("DLQ_TOPIC"), ["", "default"])
    assert.deepStrictEqual(of("HTTP_PORT"), ["1", "environment, over FOLDER/bronze.yaml line 6"])
  })
})

describe("a list that is folded over lines", () => {
  it("is shown on one line, and a key in its place is not", async () => {
    const text = "BRONZE_ROUTES: >\n  raw.a=A_RAW(X=x),\n\n  raw.b=B_RAW\nDUCKDB_PATH: |\n  two\n  lines\n"
    const { env } = read(text)
    const shown = await within(Shown.list, [], env)
    const shownOf = (name: string) => shown.find((setting) => setting.name === name)?.value
    assert.strictEqual(shownOf("BRONZE_ROUTES"), "raw.a=A_RAW(X=x), raw.b=B_RAW")
    assert.strictEqual(shownOf("DUCKDB_PATH"), "<PEM or other text>")
    const pem = await within(Shown.list, [], { BRONZE_ROUTES: "-----BEGIN PRIVATE KEY-----\nMII\n-----END" })
    assert.strictEqual(pem.find(({ name }) => name === "BRONZE_ROUTES")?.value, "<PEM or other text>")
  })
})

describe("the examples", () => {
  const documented = readFileSync(join(projectRoot, "docs/how-to/configuration-file.md"), "utf8")
  for (const [name, text] of [
    ["deploy/bronze.yaml", readFileSync(join(projectRoot, "deploy/bronze.yaml"), "utf8")],
    ["docs/how-to/configuration-file.md", /```yaml\n([\s\S]*?)```/.exec(documented)?.[1] ?? ""]
  ] as const)
    it(`are what the service accepts, without a hint: ${name}`, async () => {
      const env: Env = {}
      const file = apply(text.replace("/secrets/snowflake.p8", privateKeyFile()), env)
      assert.deepStrictEqual([file.problems, file.warnings], [[], []])
      assert.deepStrictEqual(await within(hints, [file], env), [])
      assert.deepStrictEqual(await problemsOf([file], env), [])
      assert.isAtLeast(file.lines.size, 4)
    })
})
