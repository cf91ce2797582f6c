/** The tutorial, as somebody would type it: its commands one after the other, in an empty folder, on a real broker. */
import { spawnSync } from "node:child_process"
import { mkdtempSync, readFileSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import { type Broker, startBroker } from "../../../scripts/kafka/broker.ts"
import { createTopics } from "../../../scripts/kafka/topics.ts"
import { killAll, start } from "../../../scripts/support/bronzeProcess.ts"
import { projectRoot } from "../../../scripts/support/paths.ts"

const text = readFileSync(join(projectRoot, "docs/tutorial.md"), "utf8")
/** The lines of its blocks for a shell. */
const lines = [...text.matchAll(/^```sh\n([\s\S]*?)^```$/gm)].flatMap(([, block = ""]) => block.trim().split("\n"))
const main = join(projectRoot, "dist/main.js")

const folder = mkdtempSync(join(tmpdir(), "bronze-tutorial-"))
let broker: Broker
beforeAll(async () => {
  broker = await startBroker({ dataDir: join(folder, "kafka") })
  await createTopics(broker.bootstrap, 3)
}, 180_000)
afterAll(async () => {
  killAll()
  await broker?.stop()
  rmSync(folder, { recursive: true, force: true })
})

describe("the tutorial", () => {
  it("goes from the first row to dead letters, each command exiting with 0", async () => {
    const env = {
      KAFKA_BOOTSTRAP_SERVERS: broker.bootstrap,
      SINK: "duckdb",
      DUCKDB_PATH: join(folder, "bronze.duckdb"),
      BATCH_TIMEOUT: "0.5"
    }
    const { HOME = "/tmp", PATH = "" } = process.env
    const ran: Array<string> = []
    let sent = 0
    let broken = 0
    for (const line of lines) {
      const [, words] = /^npx bronze-consumer(.*)$/.exec(line) ?? []
      if (words === undefined) continue
      const args = (words.match(/"[^"]*"|\S+/g) ?? []).map((word) => word.replaceAll('"', ""))
      if (args.length === 0) {
        const service = start(env, [], main)
        let from = 0
        for (let rows = 0; rows < sent - broken; ) {
          const line = await service.line(/Inserted \d+/, { from })
          from = service.lines.indexOf(line) + 1
          rows += Number(/Inserted (\d+)/.exec(line.text)?.[1])
        }
        await service.count(/Bad record/, broken)
        service.signal("SIGINT")
        assert.strictEqual(await service.exit, 0, service.output())
      } else {
        const { status, stderr, stdout } = spawnSync(process.execPath, [main, ...args], {
          cwd: folder,
          env: { HOME, PATH, LOG_FILE: "", HTTP_PORT: "0", ...env },
          encoding: "utf8"
        })
        assert.strictEqual(status, 0, `${line}\n${stdout}\n${stderr}`)
        if (args[0] === "produce") {
          sent = Number(/Sent (\d+) events/.exec(stdout)?.[1])
          broken = Number(/(\d+) of them broken/.exec(stdout)?.[1] ?? 0)
        }
        if (args.join(" ") === "dlq list") assert.match(stdout, /not_json|not_utf8|too_large/)
      }
      ran.push(args[0] ?? "run")
    }
    assert.deepStrictEqual(
      ["init", "doctor", "produce", "run", "status", "audit", "dlq", "query"].filter((name) => !ran.includes(name)),
      []
    )
  }, 120_000)
})
