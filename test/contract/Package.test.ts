/** The package alone: packed, installed with its production dependencies somewhere else, run from another folder. */
import { spawn, spawnSync } from "node:child_process"
import { once } from "node:events"
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import { freePort } from "../../scripts/support/freePort.ts"
import { projectRoot } from "../../scripts/support/paths.ts"

const folder = mkdtempSync(join(tmpdir(), "bronze-package-"))
const home = join(folder, "installed")
const elsewhere = join(folder, "elsewhere")
const program = join(home, "node_modules", ".bin", "bronze-consumer")
let packed: ReadonlyArray<string> = []

const npm = (args: ReadonlyArray<string>, cwd: string): string => {
  const { status, stderr, stdout } = spawnSync("npm", args, { cwd, encoding: "utf8" })
  assert.strictEqual(status, 0, stderr)
  return stdout
}

beforeAll(() => {
  for (const path of [home, elsewhere]) mkdirSync(path)
  // The build of this run; prepack would delete it under the other tests.
  const answer = npm(["pack", "--ignore-scripts", "--json", "--pack-destination", folder], projectRoot)
  const [{ filename = "", files = [] } = {}]: ReadonlyArray<{
    readonly filename?: string
    readonly files?: ReadonlyArray<{ readonly path: string }>
  }> = JSON.parse(answer)
  packed = files.map(({ path }) => path)
  writeFileSync(join(home, "package.json"), JSON.stringify({ private: true }))
  npm(["install", "--prefer-offline", "--no-audit", "--no-fund", "--loglevel=error", join(folder, filename)], home)
}, 180_000)
afterAll(() => rmSync(folder, { recursive: true, force: true }))

describe("the package", () => {
  it("has the program, the page, the SQL, and nothing of the workshop", () => {
    for (const file of [
      "dist/main.js",
      "dist/http/page/index.html",
      "sql/snowflake/02_tables.sql",
      "LICENSE",
      "README.md"
    ])
      assert.include(packed, file)
    assert.deepStrictEqual(
      packed.filter((file) => !/^(dist|sql)\/|^(package\.json|LICENSE|README\.md|CHANGELOG\.md)$/.test(file)),
      []
    )
  })

  it("answers as bronze-consumer from another folder", () => {
    const { status, stdout } = spawnSync(program, ["--help"], { cwd: elsewhere, encoding: "utf8" })
    assert.strictEqual(status, 0)
    assert.include(stdout, "bronze-consumer doctor")
    const env = { ...process.env, SINK: "duckdb", DUCKDB_PATH: join(elsewhere, "bronze.duckdb"), LOG_FILE: "" }
    const init = spawnSync(program, ["init"], { cwd: elsewhere, env, encoding: "utf8" })
    assert.strictEqual(init.status, 0, init.stderr)
  })

  it("runs the service with its live page", async () => {
    const port = String(await freePort())
    const env = {
      ...{ PATH: process.env["PATH"], SINK: "duckdb", DUCKDB_PATH: join(elsewhere, "bronze.duckdb"), LOG_FILE: "" },
      // Nobody listens there: the page has to come all the same.
      ...{ KAFKA_BOOTSTRAP_SERVERS: `127.0.0.1:${await freePort()}`, HTTP_PORT: port }
    }
    const service = spawn(program, [], { cwd: elsewhere, env, stdio: ["ignore", "pipe", "pipe"] })
    const ended = once(service, "exit")
    try {
      const page = `http://127.0.0.1:${port}`
      const get = async (path: string): Promise<Response> => {
        for (;;) {
          const answer = await fetch(page + path).catch(() => undefined)
          if (answer !== undefined) return answer
          if (service.exitCode !== null) throw new Error("the service has ended")
        }
      }
      assert.include(await (await get("/")).text(), "<title>")
      for (const path of ["/page/app.js", "/page/tokens.css", "/page/plot.js"])
        assert.strictEqual((await get(path)).status, 200, path)
    } finally {
      service.kill("SIGKILL")
      await ended
    }
  }, 60_000)
})
