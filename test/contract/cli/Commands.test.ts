/** The commands as a script meets them: real processes, a real broker, DuckDB; exit codes, stdout and stderr. */
import { spawn, spawnSync } from "node:child_process"
import { once } from "node:events"
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import { type Broker, startBroker } from "../../../scripts/kafka/broker.ts"
import { createTopics } from "../../../scripts/kafka/topics.ts"

const root = fileURLToPath(new URL("../../..", import.meta.url))
const folder = mkdtempSync(join(tmpdir(), "bronze-cli-"))
let broker: Broker

beforeAll(async () => {
  broker = await startBroker({ dataDir: join(folder, "kafka") })
  await createTopics(broker.bootstrap, 2)
}, 120_000)
afterAll(async () => {
  await broker?.stop()
  rmSync(folder, { recursive: true, force: true })
})

const cli = (
  words: ReadonlyArray<string>,
  env: Record<string, string> = {},
  { input, program = join(root, "dist/main.js") }: { input?: string | undefined; program?: string } = {}
) => {
  const { PATH = "", HOME = "/" } = process.env
  const base = { PATH, HOME, SINK: "duckdb", DUCKDB_PATH: join(folder, "raw.db"), LOG_FILE: "", HTTP_PORT: "0" }
  const command = program.endsWith(".js") ? [process.execPath, program] : [program]
  const [file = "", ...args] = [...command, ...words]
  const { status, stderr, stdout } = spawnSync(file, args, {
    cwd: folder,
    env: { ...base, KAFKA_BOOTSTRAP_SERVERS: broker.bootstrap, ...env },
    encoding: "utf8",
    ...(input !== undefined && { input }),
    timeout: 30_000
  })
  return { code: status, out: stdout, err: stderr }
}

describe("words", () => {
  it("that are unknown: 64, a suggestion, nothing on stdout", () => {
    for (const [words, said] of [
      [["doctro"], /Unknown subcommand "doctro"[\s\S]+doctor/],
      [["produce", "--cuont", "3"], /Unrecognized flag: --cuont[\s\S]+--count/],
      [["produce", "--count", "many"], /^--count many: must be a number\n/],
      [["produce", "--rate", "0"], /^--rate 0: must be greater than 0\n/],
      [["status", "--env-file"], /^--env-file needs a file\n/],
      [["dlq", "show", "raw.orders.v1/0"], /^expected topic\/partition@offset, or TOPIC PARTITION OFFSET, got "raw/],
      [["dlq", "show", "a/0@1", "a/0@2"], /^Specify one record as topic\/partition@offset\.\n/],
      [["dlq", "replay", "a/0@1", "--all"], /^Specify either records or filters/],
      [["dlq", "replay", "a/0@1", "a/0@2", "--payload", join(root, "package.json")], /^--payload needs one record/],
      [["reset", "a"], /^Specify --to\.\n/],
      [["reset", "a/0@1", "--to", "5"], /^Specify either TOPIC with --to/],
      [["help", "doctro"], /^There is no command "doctro" \(did you mean doctor\?\)\n/],
      [["run", "fast"], /Unexpected positional argument: "fast"/]
    ] as const) {
      const { code, err, out } = cli(words)
      assert.strictEqual(code, 64, words.join(" "))
      assert.match(err, said)
      assert.notInclude(err, "    at ")
      assert.strictEqual(out, "")
    }
  })
  it("that begin with a dash are values where they cannot be flags, or behind --; a statement may come from stdin", () => {
    const env = { DUCKDB_PATH: join(folder, "words.db") }
    assert.strictEqual(cli(["init"], env).code, 0)
    for (const [words, input] of [
      [["query", "-- all\nSELECT 1 AS A", "--json"]],
      [["query", "--json", "--", "--all\nSELECT 1 AS A"]],
      [["query", "-", "--json"], "-- all\nSELECT 1 AS A\n"]
    ] as const)
      assert.deepStrictEqual(cli(words, env, { input }), { code: 0, out: '[{"A":1}]\n', err: "" })
    assert.match(cli(["dlq", "show", "--", "-topic/0@1"], env).err, /no dead letter at -topic\/0@1/)
  })
  it("--help of every command has examples, and that of run every setting", () => {
    for (const command of [[], ["run"], ["init"], ["doctor"], ["status"], ["monitor"], ["produce"]]) {
      const { code, out } = cli([...command, "--help"])
      assert.strictEqual(code, 0)
      assert.include(out, "EXAMPLES")
    }
    assert.include(cli(["run", "--help"]).out, "SNOWFLAKE_PRIVATE_KEY_PASSPHRASE")
  }, 60_000)
})

describe("a configuration that cannot be used", () => {
  const env = { SINK: "snowflake", SNOWFLAKE_PASSWORD: "s3cret", BATCH_SIZE: "none" }
  it("is 78 with all problems, and no secret", () => {
    const login = ["SNOWFLAKE_ACCOUNT", "SNOWFLAKE_USER", "SNOWFLAKE_DATABASE"]
    for (const [words, names] of [
      [["init"], login],
      [["status"], login],
      [[], login],
      // These two only need Kafka: nobody has to name a warehouse for them.
      [["monitor"], []],
      [["produce"], []]
    ] as const) {
      const { code, err, out } = cli(words, env)
      assert.strictEqual(code, 78, words.join(" "))
      for (const name of ["BATCH_SIZE", ...names]) assert.include(err + out, `${name}: `)
      if (names.length === 0) assert.notInclude(err + out, "SNOWFLAKE_ACCOUNT")
      assert.notInclude(err + out, "s3cret")
    }
  }, 60_000)
  it("may come from a file, for every command and the service, and is named with it", () => {
    const file = join(folder, "broken.env")
    writeFileSync(file, "BATCH_SIZE=none\nDELIVERY=twice\n")
    for (const words of [
      ["--env-file", file],
      ["run", `--env-file=${file}`],
      ["--env-file", file, "audit"]
    ]) {
      const { code, err, out } = cli(words, { DELIVERY: "exactly-once" })
      assert.strictEqual(code, 78, words.join(" "))
      assert.include(err + out, `BATCH_SIZE: expected a whole number from 1 to 1000000, got "none" (in ${file})`)
      assert.notInclude(err + out, "DELIVERY: ")
    }
    // Node 20 looks for the file itself, and says so in its own words.
    assert.include([64, 9], cli(["audit", "--env-file", join(folder, "none.env")]).code)
  }, 60_000)
  it("is no obstacle to printing SQL: it takes the names alone", () => {
    for (const more of [{}, { SNOWFLAKE_WRITER: "streaming", SNOWFLAKE_PRIVATE_KEY_PATH: "/no/such/key" }]) {
      const { code, err, out } = cli(["init", "--print"], { SINK: "snowflake", SNOWFLAKE_DATABASE: "RAW", ...more })
      assert.strictEqual(code, 0, err)
      assert.include(out, '"RAW"."BRONZE"."ORDERS_RAW"')
    }
    assert.match(
      cli(["init", "--print"], { SINK: "snowflake" }).err,
      /:\n {2}SNOWFLAKE_DATABASE: is required [^\n]+\nAll/
    )
  }, 60_000)
  it("is what doctor is for: 1, and the rest is said to wait", () => {
    const { code, out } = cli(["doctor"], { ...env, SNOWFLAKE_USERNAME: "me" })
    assert.strictEqual(code, 1)
    assert.match(out, /✗ configuration +BATCH_SIZE: expected a whole number from 1 to 1000000, got "none"/)
    assert.include(out, "did you mean SNOWFLAKE_USER?")
    assert.include(out, "- warehouse")
  })
})

describe("from nothing to status", () => {
  it("doctor finds the tables missing, init creates them, doctor passes", () => {
    const before = cli(["doctor", "--json"])
    assert.strictEqual(before.code, 1)
    const bad: ReadonlyArray<{ state: string; remedy?: string }> = JSON.parse(before.out)
    assert.isTrue(bad.some(({ remedy, state }) => state === "bad" && /init/.test(remedy ?? "")))

    const shown = cli(["init", "--print"], { DUCKDB_PATH: join(folder, "other.db") })
    assert.strictEqual(shown.code, 0)
    assert.match(shown.out, /CREATE TABLE IF NOT EXISTS[\s\S]+ORDERS_RAW/)
    assert.isFalse(existsSync(join(folder, "other.db")))

    for (const words of [["init"], ["init"]]) assert.strictEqual(cli(words).code, 0)
    const { code, out } = cli(["doctor"])
    assert.strictEqual(code, 0, out)
    assert.include(out, "No problems found.")
  }, 60_000)

  it("produce sends what it says, status and monitor see it", () => {
    const sent = cli(["produce", "--orders", "20", "--clicks", "5", "--bad", "2", "--new-fields"])
    assert.strictEqual(sent.code, 0, sent.err)
    assert.match(
      sent.out,
      /^Sent 27 events in [\d.]+ s \([\d,]+\/s\): 21 orders to raw\.orders\.v1, 6 clicks to raw\.clicks\.v1; 2 of them broken on purpose\n$/
    )
    const status = cli(["status", "--json"])
    assert.strictEqual(status.code, 0, status.err)
    assert.strictEqual(JSON.parse(status.out).lag, 27)

    const seen = cli(["monitor", "--from-beginning", "--topic", "raw.clicks.v1", "--count", "6", "--json"])
    assert.strictEqual(seen.code, 0, seen.err)
    const events: ReadonlyArray<{ topic: string; timestamp: string }> = seen.out
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line))
    assert.deepStrictEqual(
      events.map(({ topic }) => topic),
      Array.from({ length: 6 }, () => "raw.clicks.v1")
    )
    for (const { timestamp } of events) assert.match(timestamp, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/)

    const again = cli(["status"])
    assert.match(again.out, /Total lag: 27/)
  }, 60_000)

  it("a record has one spelling, whatever asks for it", () => {
    for (const place of [["raw.orders.v1/0@3"], ["raw.orders.v1/0", "@", "3"], ["raw.orders.v1", "0", "3"]]) {
      const { code, err } = cli(["dlq", "show", ...place])
      assert.deepStrictEqual([code, err], [1, "There is no dead letter at raw.orders.v1/0@3\n"])
      const moved = cli(["reset", ...place, "--dry-run"])
      assert.deepStrictEqual([moved.code, moved.out], [0, "raw.orders.v1/0: nothing -> 3\n"], moved.err)
    }
  }, 60_000)

  it("produce with a rate alone continues until Ctrl-C, and says what it sent", async () => {
    const { HOME = "/", PATH = "" } = process.env
    const child = spawn(process.execPath, [join(root, "dist/main.js"), "produce", "--rate", "200", "--json"], {
      env: { PATH, HOME, KAFKA_BOOTSTRAP_SERVERS: broker.bootstrap }
    })
    let out = ""
    child.stdout.on("data", (chunk) => {
      out += String(chunk)
    })
    const closed = once(child, "close")
    const lag = () => JSON.parse(cli(["status", "--json"]).out).lag
    const before = lag()
    while (lag() < before + 150) assert.isNull(child.exitCode, "it continues")
    child.kill("SIGINT")
    assert.deepStrictEqual(await closed, [0, null])
    assert.isAbove(JSON.parse(out).sent, 100)
  }, 60_000)

  it("monitor ends when its output is closed", () => {
    // Events keep coming: as with any follower, it is the next write that meets the closed pipe.
    const main = `"${process.execPath}" "${join(root, "dist/main.js")}"`
    const shell = `${main} produce --count 200 --rate 10 >/dev/null 2>&1 & ${main} monitor --from-beginning | head -n 1; kill $!`
    const { status, stdout } = spawnSync("sh", ["-c", shell], {
      env: { ...process.env, SINK: "duckdb", LOG_FILE: "", KAFKA_BOOTSTRAP_SERVERS: broker.bootstrap },
      cwd: folder,
      encoding: "utf8",
      timeout: 20_000
    })
    assert.strictEqual(status, 0)
    assert.strictEqual(stdout.trim().split("\n").length, 1)
  })

  it("the scripts run the same commands, from any folder", () => {
    const { code, out } = cli([], {}, { program: join(root, "scripts/init_snowflake.sh") })
    assert.strictEqual(code, 0)
    assert.include(out, "Tables ready:")
  })
})

/** A terminal of its own, with whoever started it at the keyboard; it does not say how wide it is. */
const inTerminal = "import os, pty, sys; sys.exit(os.waitstatus_to_exitcode(pty.spawn(sys.argv[1:])))"

describe("in a terminal", () => {
  it("no line is wider than COLUMNS, or 80; a pipe gets all", () => {
    const words = [join(root, "dist/main.js"), "query", "SELECT repeat('ab cd', 50) AS A, repeat('e', 70) AS B"]
    const { HOME = "/", PATH = "" } = process.env
    const env = { PATH, HOME, TERM: "dumb", SINK: "duckdb", DUCKDB_PATH: join(folder, "wide.db"), HTTP_PORT: "0" }
    assert.strictEqual(cli(["init"], env).code, 0)
    const shown = (more: Record<string, string>) =>
      spawnSync("python3", ["-c", inTerminal, process.execPath, ...words], {
        env: { ...env, ...more },
        encoding: "utf8",
        timeout: 30_000
      }).stdout.split("\r\n")
    for (const [lines, columns] of [
      [shown({}), 80],
      [shown({ COLUMNS: "100" }), 100]
    ] as const)
      assert.strictEqual(Math.max(...lines.map((line) => line.length)), columns, lines.join("\n"))
    assert.include(cli(words.slice(1), env).out, `${"ab cd".repeat(50)}  ${"e".repeat(70)}\n`)
  })
})

describe("status --watch in a terminal", () => {
  it("draws in place while nothing answers, ends with 0 on Ctrl-C, and gives the terminal back as it was", async () => {
    const program = [process.execPath, join(root, "dist/main.js"), "status", "--watch", "--interval", "0.3"]
    const { HOME = "/", PATH = "" } = process.env
    const child = spawn("python3", ["-c", inTerminal, ...program], {
      cwd: folder,
      env: {
        ...{ PATH, HOME, TERM: "xterm", SINK: "duckdb", DUCKDB_PATH: join(folder, "raw.db"), HTTP_PORT: "0" },
        KAFKA_BOOTSTRAP_SERVERS: "127.0.0.1:1"
      }
    })
    let seen = ""
    child.stdout.setEncoding("utf8").on("data", (chunk: string) => {
      seen += chunk
    })
    const redrawn = () => seen.split("\u001b[H").filter((frame) => frame.includes("✗ Kafka:")).length
    const exit = once(child, "close")
    while (redrawn() < 2) await Promise.race([once(child.stdout, "data"), exit.then(() => assert.fail(seen))])
    child.stdin.write("\u0003")
    assert.deepStrictEqual(await exit, [0, null], seen)
    assert.isTrue(seen.startsWith("\u001b[?1049h\u001b[?25l"), "a screen of its own, without a cursor")
    assert.notInclude(seen, "\u001b[2J", "never blank in between")
    const [, left = ""] = seen.split("\u001b[?25h\u001b[?1049l")
    assert.match(left, /^Group bronze-consumer-group[\s\S]+ORDERS_RAW[\s\S]+Kafka: Could not describe the topics/)
  }, 60_000)
})

describe("when one side is unreachable", () => {
  const nobody = { KAFKA_BOOTSTRAP_SERVERS: "127.0.0.1:1" }
  it("commands fail with 1, in words", () => {
    const { code, err } = cli(["produce"], nobody)
    assert.strictEqual(code, 1)
    assert.match(err, /^Kafka: Could not list the topics: .*ECONNREFUSED.*\nCheck KAFKA_BOOTSTRAP_SERVERS/)
  })
  it("a topic that does not exist", () => {
    const { code, err } = cli(["monitor", "--topic", "nope"])
    assert.strictEqual(code, 1)
    assert.match(err, /there is no topic nope/)
  })
  it("doctor continues with the rest", () => {
    const { code, out } = cli(["doctor"], nobody)
    assert.strictEqual(code, 1)
    assert.match(out, /✗ broker +nothing listens on port 1 of 127\.0\.0\.1\n +-> Set KAFKA_BOOTSTRAP_SERVERS/)
    assert.match(out, /✓ warehouse/)
  })
})
