/**
 * P5: a warehouse or a broker that is unreachable costs nothing but delay. Each outage lasts 30 seconds, longer than
 * any single retry.
 */
import { mkdtemp, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { setTimeout as sleep } from "node:timers/promises"
import { afterAll, afterEach, assert, beforeAll, describe, it } from "vitest"
import { type Emulator, startEmulator } from "../../scripts/emulator/emulator.ts"
import { type Broker, startBroker } from "../../scripts/kafka/broker.ts"
import { killAll, start } from "../../scripts/support/bronzeProcess.ts"
import { snowflake } from "../support/Inspect.ts"
import { complete, coverage, makeJob, snowflakeAt } from "../support/Job.ts"
import { connect, eventually, messages, order, type RealKafka } from "../support/RealKafka.ts"

const outage = 30_000
let dataDir: string
let broker: Broker
let emulator: Emulator
let kafka: RealKafka

beforeAll(async () => {
  dataDir = await mkdtemp(join(tmpdir(), "bronze-outage-"))
  ;[broker, emulator] = await Promise.all([
    startBroker({ dataDir: join(dataDir, "kafka") }),
    startEmulator({ dataDir: join(dataDir, "snowflake") })
  ])
  kafka = await connect(broker.bootstrap)
})
afterEach(killAll)
afterAll(async () => {
  await kafka?.close()
  await Promise.all([broker?.stop(), emulator?.stop()])
  await rm(dataDir, { recursive: true, force: true })
})

describe("outages of 30 seconds", () => {
  it("the warehouse: work resumes by itself, nothing is lost, the member stays in the group", async () => {
    const job = await makeJob(kafka, snowflakeAt(emulator.url), { partitions: 3, extra: { BATCH_TIMEOUT: "1" } })
    const service = start(job.env)
    await kafka.produce(job.orders, messages(300, order))
    const first = await kafka.ends(job.orders)
    await eventually(
      () => kafka.committed(job.group, job.orders),
      (offsets) => String(offsets) === String(first)
    )
    const members = await kafka.members(job.group)
    assert.lengthOf(members, 1)

    await emulator.stop()
    await kafka.produce(job.orders, messages(700, order, 300))
    await service.line(/ERROR - Failed to insert .* into Snowflake/, { timeout: 60_000 })
    await sleep(outage)
    assert.deepStrictEqual(await kafka.members(job.group), members, "the member is still the same")
    assert.isBelow(service.lines.filter(({ text }) => /ERROR/.test(text)).length, 20, service.output())
    await emulator.restart()

    const ends = await kafka.ends(job.orders)
    await eventually(
      () => kafka.committed(job.group, job.orders),
      (offsets) => String(offsets) === String(ends),
      60_000
    )
    const inspect = await snowflake(emulator.url, "LAKE")
    assert.deepStrictEqual(await coverage(inspect, job.ordersTable), complete(ends))
    await inspect.close()
    assert.deepStrictEqual(await kafka.members(job.group), members)
    service.signal("SIGTERM")
    assert.strictEqual(await service.exit, 0, service.output())
  })

  it("the broker: it connects again by itself and nothing is lost or duplicated", async () => {
    const job = await makeJob(kafka, snowflakeAt(emulator.url), { partitions: 3, extra: { BATCH_TIMEOUT: "1" } })
    const service = start(job.env)
    await kafka.produce(job.orders, messages(300, order))
    await service.count(/Kafka offsets committed/, 1)
    await broker.stop()
    await sleep(outage)
    await broker.restart()
    await kafka.produce(job.orders, messages(500, order, 300))
    const ends = await kafka.ends(job.orders)
    await eventually(
      () => kafka.committed(job.group, job.orders),
      (offsets) => String(offsets) === String(ends),
      60_000
    )
    const inspect = await snowflake(emulator.url, "LAKE")
    assert.deepStrictEqual(await coverage(inspect, job.ordersTable), complete(ends))
    await inspect.close()
    assert.isBelow(service.lines.filter(({ text }) => /ERROR|WARNING/.test(text)).length, 20, service.output())
    service.signal("SIGTERM")
    assert.strictEqual(await service.exit, 0, service.output())
  })
})
