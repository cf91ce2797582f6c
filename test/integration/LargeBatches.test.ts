/**
 * Batches that are small on the wire and large unpacked: named by their coordinates, skipped, and never a matter of
 * memory.
 */
import { mkdtemp, readFile, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { CompressionTypes } from "kafkajs"
import { afterAll, afterEach, assert, beforeAll, describe, inject, it } from "vitest"
import { killAll, start } from "../../scripts/support/bronzeProcess.ts"
import * as Codecs from "../../src/kafka/kafkajs/Codecs.ts"
import { duckDb } from "../support/Inspect.ts"
import { countRows, makeJob } from "../support/Job.ts"
import { connect, eventually, messages, order, type RealKafka } from "../support/RealKafka.ts"

let folder: string
let kafka: RealKafka

beforeAll(async () => {
  Codecs.register()
  folder = await mkdtemp(join(tmpdir(), "bronze-large-"))
  kafka = await connect(inject("kafka"))
})
afterEach(killAll)
afterAll(async () => {
  await kafka?.close()
  await rm(folder, { recursive: true, force: true })
})

/** The most memory that the process has had, in MB, as the kernel counted. */
const peakMegabytes = async (pid: number): Promise<number> => {
  const [, kilobytes] = /^VmHWM:\s+(\d+) kB$/m.exec(await readFile(`/proc/${pid}/status`, "utf8")) ?? []
  return Number(kilobytes) / 1024
}

describe("a batch of 100 MB in a hundred kilobytes", () => {
  it.each([CompressionTypes.GZIP, CompressionTypes.ZSTD])("is dead letters, codec %i", async (codec) => {
    const path = join(folder, `${codec}.duckdb`)
    const job = await makeJob(kafka, { SINK: "duckdb", DUCKDB_PATH: path, BATCH_TIMEOUT: "0.5" })
    await kafka.produce(job.orders, messages(5, order))
    for (let index = 0; index < 3; index++)
      await kafka.produce(job.orders, [{ value: Buffer.alloc(50_000_000) }, { value: Buffer.alloc(50_000_000) }], codec)
    await kafka.produce(job.orders, messages(5, order, 5))
    const service = start(job.env)
    await eventually(
      () => kafka.committed(job.group, job.orders),
      ([offset]) => offset === 16
    )
    const peak = await peakMegabytes(service.pid)
    service.signal("SIGTERM")
    assert.strictEqual(await service.exit, 0, service.output())
    assert.isBelow(peak, 512)
    const inspect = await duckDb(path)
    assert.strictEqual(await countRows(inspect, job.ordersTable), 10)
    const letters = await inspect.query(
      "SELECT KAFKA_OFFSET AS O, CAUSE, PAYLOAD_TRUNCATED AS CUT FROM BRONZE.DEAD_LETTERS ORDER BY 1"
    )
    await inspect.close()
    assert.deepStrictEqual(
      letters.map((letter) => [Number(letter["o"]), letter["cause"], letter["cut"]]),
      [5, 6, 7, 8, 9, 10].map((offset) => [offset, "too_large", true])
    )
    assert.strictEqual(await start(job.env, ["audit"]).exit, 0)
  })
})
