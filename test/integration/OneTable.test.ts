/**
 * A table that cannot be written, with more events than the buffer holds, stops only itself; its events land once it
 * can be written again.
 */
import { mkdtemp, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterAll, afterEach, assert, beforeAll, describe, inject, it } from "vitest"
import { type Emulator, startEmulator } from "../../scripts/emulator/emulator.ts"
import { killAll, start } from "../../scripts/support/bronzeProcess.ts"
import { snowflake } from "../support/Inspect.ts"
import { countRows, makeJob, snowflakeAt } from "../support/Job.ts"
import { click, connect, eventually, messages, type RealKafka } from "../support/RealKafka.ts"

let dataDir: string
let emulator: Emulator
let kafka: RealKafka

beforeAll(async () => {
  dataDir = await mkdtemp(join(tmpdir(), "bronze-one-table-"))
  emulator = await startEmulator({ dataDir: join(dataDir, "snowflake") })
  kafka = await connect(inject("kafka"))
})
afterEach(killAll)
afterAll(async () => {
  await kafka?.close()
  await emulator?.stop()
  await rm(dataDir, { recursive: true, force: true })
})

describe("a table that was renamed while the service runs", () => {
  it("keeps no other topic waiting, however much waits for it", async () => {
    const extra = { BATCH_TIMEOUT: "0.3", BUFFER_MAX_BYTES: "4MiB", WRITE_MAX_BYTES: "1MiB" }
    const job = await makeJob(kafka, snowflakeAt(emulator.url), { extra })
    const inspect = await snowflake(emulator.url, "LAKE")
    const service = start(job.env)
    await service.line(/Assigned 2 partitions/)
    await inspect.query(`ALTER TABLE BRONZE.${job.ordersTable} RENAME TO ${job.ordersTable}_GONE`)
    const value = JSON.stringify({ order_id: "1", text: "x".repeat(1000) })
    for (let part = 0; part < 20; part++)
      await kafka.produce(
        job.orders,
        Array.from({ length: 1000 }, () => ({ value }))
      )
    await service.line(/Failed to insert .* into Snowflake/)
    for (const total of [5, 10, 15]) {
      await kafka.produce(job.clicks, messages(5, click, total - 5))
      await eventually(
        () => kafka.committed(job.group, job.clicks),
        ([committed]) => committed === total,
        15_000
      )
    }
    await inspect.query(`ALTER TABLE BRONZE.${job.ordersTable}_GONE RENAME TO ${job.ordersTable}`)
    await eventually(
      () => kafka.committed(job.group, job.orders),
      ([committed]) => committed === 20_000,
      60_000
    )
    service.signal("SIGTERM")
    assert.strictEqual(await service.exit, 0, service.output())
    assert.strictEqual(await countRows(inspect, job.ordersTable), 20_000)
    assert.strictEqual(await countRows(inspect, job.clicksTable), 15)
    await inspect.close()
  })
})
