/**
 * The page on troubleshooting, tried: each symptom is brought about on real parts, shows the line that the page quotes,
 * and goes when its remedy is applied.
 */
import { mkdtemp, readFile, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterAll, afterEach, assert, beforeAll, describe, inject, it } from "vitest"
import { type Emulator, startEmulator } from "../../scripts/emulator/emulator.ts"
import { type BronzeProcess, killAll, start } from "../../scripts/support/bronzeProcess.ts"
import { freePort } from "../../scripts/support/freePort.ts"
import { type Job, makeJob, snowflakeAt } from "../support/Job.ts"
import { connect, messages, order, type RealKafka } from "../support/RealKafka.ts"
import * as RefusingProxy from "../support/RefusingProxy.ts"

const page = await readFile(new URL("../../docs/reference/troubleshooting.md", import.meta.url), "utf8")
let folder: string
let kafka: RealKafka
let emulator: Emulator
let proxy: RefusingProxy.RefusingProxy

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "bronze-trouble-"))
  ;[kafka, emulator] = await Promise.all([connect(inject("kafka")), startEmulator()])
  proxy = await RefusingProxy.start(emulator.url)
})
afterEach(() => {
  killAll()
  proxy.refuse()
})
afterAll(async () => {
  await Promise.all([kafka?.close(), proxy?.close()])
  await emulator?.stop()
  await rm(folder, { recursive: true, force: true })
})

/** That the process says what the README quotes; `…` stands there for what differs from case to case. */
const says = async (process: BronzeProcess, quoted: string): Promise<void> => {
  assert.include(page, `\`${quoted}\``, "the page quotes another line")
  const escaped = quoted.split("…").map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, "\\$&"))
  await process.line(new RegExp(escaped.join(".*")))
}

const end = async (service: BronzeProcess): Promise<void> => {
  service.signal("SIGTERM")
  assert.strictEqual(await service.exit, 0, service.output())
}

const run = async (job: Job, words: ReadonlyArray<string>, code = 0): Promise<string> => {
  const command = start(job.env, words)
  assert.strictEqual(await command.exit, code, command.output())
  return command.output()
}

const quick = { BATCH_TIMEOUT: "0.3" }
const onDuckDb = (name: string, extra: Readonly<Record<string, string>> = {}) =>
  makeJob(kafka, { SINK: "duckdb", DUCKDB_PATH: join(folder, name) }, { extra: { ...quick, ...extra } })
const plain = () => ({ KAFKA_BOOTSTRAP_SERVERS: kafka.bootstrap })

describe("nothing arrives", () => {
  it("because the group began at the end: reset reads from the beginning", async () => {
    const job = await onDuckDb("latest.db", { AUTO_OFFSET_RESET: "latest" })
    await kafka.produce(job.orders, messages(5, order))
    const service = start(job.env)
    await says(service, "Assigned … from …")
    await service.line(/\/0 from 5(,|$)/)
    await end(service)
    await run(job, ["reset", job.orders, "--to", "earliest"])
    const again = start(job.env)
    await again.line(/Inserted 5 /)
    await end(again)
  })

  it("because another member has the partitions, the file, the port", async () => {
    const port = String(await freePort())
    const job = await onDuckDb("first.db", { HTTP_PORT: port })
    const env = { ...job.env, BRONZE_ROUTES: `${job.orders}=${job.ordersTable}` }
    const other = { ...env, DUCKDB_PATH: join(folder, "second.db") }
    assert.strictEqual(await start(other, ["init"]).exit, 0)
    const first = start(env)
    await first.line(/Assigned 1 partition/)
    const [sameFile, second] = [start(env), start(other)]
    await says(second, "Cannot listen on http://… EADDRINUSE")
    await says(sameFile, "is held by process …, and DuckDB allows one process at a time")
    assert.strictEqual(await sameFile.exit, 78)
    // Which of the two has the partition is by chance; when it ends, the other takes over.
    const idle = "Assigned no partition"
    const [standby, holder] = await Promise.any(
      [[first, second] as const, [second, first] as const].map(async (pair) => {
        await pair[0].line(new RegExp(idle))
        return pair
      })
    )
    await says(standby, idle)
    const from = standby.lines.length
    await end(holder)
    await standby.line(/Assigned 1 partition/, { from })
    await end(standby)
  })

  it("because the tables are missing: exit code 78, and init makes them", async () => {
    const job = await onDuckDb("made.db")
    const empty = { ...job, env: { ...job.env, DUCKDB_PATH: join(folder, "empty.db") } }
    const without = start(empty.env)
    await says(without, "DuckDB file … does not exist; bronze-consumer init creates it")
    assert.strictEqual(await without.exit, 78)
    await run({ ...empty, env: { ...empty.env, BRONZE_ROUTES: "other=OTHER_RAW" } }, ["init"])
    const refused = start(empty.env)
    await says(refused, "table … is missing or not visible: bronze-consumer init")
    await says(refused, "Cannot start: … must be fixed")
    assert.strictEqual(await refused.exit, 78)
    await run(empty, ["init"])
    const service = start(empty.env)
    await service.line(/Assigned/)
    // A bad record on the way: it is reported, and the next one continues.
    await kafka.produce(job.orders, [{ value: "{" }, { value: order(1) }])
    await says(service, "Bad record: topic=… partition=… offset=…; kept as a dead letter")
    await service.line(/Inserted 1 .* and 1 dead letter/)
    await end(service)
    assert.include(await run(empty, ["dlq", "list"]), "not_json")
  })
})

describe("Snowflake refuses", () => {
  it("the login, at the start: exit code 78", async () => {
    const service = start({ ...snowflakeAt(proxy.url), ...plain(), SNOWFLAKE_PASSWORD: "wrong" })
    await says(service, "Snowflake refused user …: Incorrect username or password was specified (390100)")
    assert.strictEqual(await service.exit, 78)
  })

  it("writes, while it runs: nothing is lost, and it continues once the cause is gone", async () => {
    const job = await makeJob(kafka, snowflakeAt(proxy.url), { extra: quick })
    const service = start(job.env)
    await service.line(/Assigned/)
    let sent = 0
    const refused = async (refusal: RefusingProxy.Refusal, quoted: string): Promise<void> => {
      const from = service.lines.length
      proxy.refuse(refusal)
      await kafka.produce(job.orders, messages(3, order, sent))
      sent += 3
      await says(service, quoted)
      proxy.refuse()
      await service.line(/Inserted 3 /, { from })
    }
    await refused(
      RefusingProxy.withoutGrant(job.ordersTable, /^INSERT INTO \S*"ORDERS/),
      "Failed to insert … SQL access control error"
    )
    // The ledger is moved under the service, which drops what it holds and reads on from there.
    const from = service.lines.length
    await run(job, ["reset", job.orders, "--to", "latest"])
    await kafka.produce(job.orders, messages(1, order, sent++))
    await says(service, "Reading the ledger again: …")
    await service.line(/Inserted 1 /, { from })
    await refused(
      { what: /^INSERT/, code: "090073", sqlState: "57014", message: "The quota is used up." },
      "Failed to insert … (090073); a resource monitor has stopped the warehouse"
    )
    await end(service)
  })
})
