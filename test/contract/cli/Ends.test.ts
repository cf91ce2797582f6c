/**
 * How a command ends, as a real process: interrupted before its answer, with its output lost, or with a reader who has
 * gone.
 */
import { spawn } from "node:child_process"
import { once } from "node:events"
import { mkdtempSync, openSync } from "node:fs"
import { type AddressInfo, createServer } from "node:net"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"

const main = fileURLToPath(new URL("../../../dist/main.js", import.meta.url))
const folder = mkdtempSync(join(tmpdir(), "bronze-ends-"))

/** A broker that takes connections and never answers. */
const silent = createServer()
beforeAll(async () => {
  silent.listen(0, "127.0.0.1")
  await once(silent, "listening")
  assert.strictEqual((await run(["init"])).code, 0)
})
afterAll(() => {
  silent.close()
})

const begin = (words: ReadonlyArray<string>, stdout: "pipe" | number = "pipe") => {
  const { HOME = "/tmp", PATH = "" } = process.env
  const address: string | AddressInfo | null = silent.address()
  const port = typeof address === "object" && address !== null ? address.port : 1
  const child = spawn(process.execPath, [main, ...words], {
    env: {
      ...{ HOME, PATH, SINK: "duckdb", DUCKDB_PATH: join(folder, "raw.duckdb"), LOG_FILE: "", HTTP_PORT: "0" },
      KAFKA_BOOTSTRAP_SERVERS: `127.0.0.1:${port}`
    },
    stdio: ["ignore", stdout, "pipe"]
  })
  let err = ""
  child.stderr?.on("data", (chunk) => {
    err += String(chunk)
  })
  const end = once(child, "close").then(([code, signal]) => ({ code: code ?? signal, err }))
  return { child, end }
}

const run = (words: ReadonlyArray<string>, stdout: "pipe" | number = "pipe") => begin(words, stdout).end

describe("a signal", () => {
  for (const [words, signal, code] of [
    [["audit"], "SIGINT", 130],
    [["audit"], "SIGTERM", 143],
    [["status"], "SIGINT", 130],
    [["status", "--json"], "SIGTERM", 143],
    [["doctor"], "SIGINT", 130],
    [["produce", "--count", "5"], "SIGTERM", 143],
    [["reset", "raw.orders.v1", "--to", "earliest"], "SIGINT", 130],
    // What follows events has no other end.
    [["monitor"], "SIGINT", 0],
    [["status", "--watch"], "SIGTERM", 0]
  ] as const)
    it(`${signal} ends ${words.join(" ")} with ${code}`, async () => {
      const asked = once(silent, "connection")
      const { child, end } = begin(words)
      await asked
      child.kill(signal)
      assert.strictEqual((await end).code, code)
    })
})

describe("the service", () => {
  it("says that it stopped, even before Kafka has answered", async () => {
    const asked = once(silent, "connection")
    const { child, end } = begin([])
    let log = ""
    child.stdout?.on("data", (chunk) => {
      log += String(chunk)
    })
    await asked
    child.kill("SIGTERM")
    assert.strictEqual((await end).code, 0)
    assert.match(log, /SIGTERM: stopping[\s\S]*Stopped: everything that was read is in DuckDB\n$/)
  })
})

describe("output", () => {
  const lost = "The output could not be written: ENOSPC: no space left on device, write\n"
  for (const words of [["init", "--print"], ["--help"], ["dlq", "list"], ["dlq", "list", "--json"]])
    it(`of ${words.join(" ")} that is lost is a failure, in one line`, async () => {
      assert.deepStrictEqual(await run(words, openSync("/dev/full", "w")), { code: 1, err: lost })
    })
  it("that nobody reads any more is not a failure", async () => {
    const { child, end } = begin(["run", "--help"])
    child.stdout?.destroy()
    assert.deepStrictEqual(await end, { code: 0, err: "" })
  })
})
