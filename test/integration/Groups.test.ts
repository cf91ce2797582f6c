/**
 * Several members of one group: partitions move between them while events flow, and every offset still lands exactly
 * once (P3).
 */
import { afterAll, afterEach, assert, beforeAll, describe, inject, it } from "vitest"
import { type Emulator, startEmulator } from "../../scripts/emulator/emulator.ts"
import { killAll, start } from "../../scripts/support/bronzeProcess.ts"
import { type Inspect, snowflake } from "../support/Inspect.ts"
import { complete, coverage, makeJob, snowflakeAt } from "../support/Job.ts"
import { connect, eventually, messages, order, type RealKafka } from "../support/RealKafka.ts"

let kafka: RealKafka
let emulator: Emulator
let inspect: Inspect

beforeAll(async () => {
  kafka = await connect(inject("kafka"))
  // A member that is killed between its UPDATE and COMMIT leaves the ledger locked, until Snowflake aborts its idle
  // transaction: after five minutes there, after five seconds here.
  emulator = await startEmulator({ idleTransactionSeconds: 5 })
  inspect = await snowflake(emulator.url, "LAKE")
})
afterEach(killAll)
afterAll(async () => {
  await inspect?.close()
  await kafka?.close()
  await emulator?.stop()
})

/** Sends orders in small portions until it is told to stop. */
const load = (topic: string) => {
  let going = true
  let sent = 0
  const done = (async () => {
    while (going) {
      await kafka.produce(topic, messages(50, order, sent))
      sent += 50
      await new Promise((resolve) => setTimeout(resolve, 50))
    }
  })()
  return {
    stop: async () => {
      going = false
      await done
      return sent
    }
  }
}

describe("a consumer group", () => {
  it("hands partitions over when members join, leave and are killed", async () => {
    const job = await makeJob(kafka, snowflakeAt(emulator.url), { partitions: 4, extra: { BATCH_TIMEOUT: "1" } })
    const events = load(job.orders)
    const first = start(job.env)
    await first.count(/Kafka offsets committed/, 3)
    const second = start(job.env)
    await second.count(/Kafka offsets committed/, 3)
    assert.lengthOf(await kafka.members(job.group), 2)
    first.signal("SIGTERM")
    assert.strictEqual(await first.exit, 0, first.output())
    const third = start(job.env)
    await third.count(/Kafka offsets committed/, 3)
    second.signal("SIGKILL")
    await second.exit
    const sent = await events.stop()
    const ends = await kafka.ends(job.orders)
    assert.strictEqual(
      ends.reduce((sum, end) => sum + end, 0),
      sent
    )
    await eventually(
      () => kafka.committed(job.group, job.orders),
      (offsets) => String(offsets) === String(ends),
      90_000
    )
    assert.deepStrictEqual(
      await coverage(inspect, job.ordersTable),
      complete(ends),
      `${second.output()}\n${third.output()}`
    )
    third.signal("SIGTERM")
    assert.strictEqual(await third.exit, 0, third.output())
  })
})
