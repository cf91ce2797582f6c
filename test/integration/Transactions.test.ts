/**
 * Read committed means read committed: the rows are the records that librdkafka reads with read_committed, whatever its
 * transactional producers did.
 */
import { mkdtemp, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import * as Schema from "effect/Schema"
import { afterAll, afterEach, assert, beforeAll, describe, inject, it } from "vitest"
import { killAll, start } from "../../scripts/support/bronzeProcess.ts"
import { runOrThrow } from "../../scripts/support/command.ts"
import { installPython } from "../../scripts/support/python.ts"
import { duckDb } from "../support/Inspect.ts"
import { makeJob } from "../support/Job.ts"
import { connect, eventually, type RealKafka } from "../support/RealKafka.ts"

const requirements = fileURLToPath(new URL("../fuzz/requirements.txt", import.meta.url))
const script = fileURLToPath(new URL("transactions.py", import.meta.url))
const decodePlaces = Schema.decodeUnknownSync(
  Schema.fromJsonString(Schema.Array(Schema.Tuple([Schema.Int, Schema.Int])))
)

let folder: string
let kafka: RealKafka
let python: string

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "bronze-transactions-"))
  kafka = await connect(inject("kafka"))
  python = join(await installPython("fuzz", "a Kafka client for the fuzz run", requirements), "python")
})
afterEach(killAll)
afterAll(async () => {
  await kafka?.close()
  await rm(folder, { recursive: true, force: true })
})

/** The rows' places, in order. */
const placesOf = async (path: string, table: string): Promise<ReadonlyArray<readonly [number, number]>> => {
  const inspect = await duckDb(path)
  const rows = await inspect.query(`SELECT KAFKA_PARTITION AS P, KAFKA_OFFSET AS O FROM BRONZE.${table} ORDER BY 1, 2`)
  await inspect.close()
  return rows.map((row) => [Number(row["p"]), Number(row["o"])] as const)
}

describe("transactional producers", () => {
  it.each([1, 2, 3])("overlap, abort and commit: seed %i gives the rows that librdkafka reads", async (seed) => {
    const path = join(folder, `${seed}.duckdb`)
    const job = await makeJob(kafka, { SINK: "duckdb", DUCKDB_PATH: path, BATCH_TIMEOUT: "0.5" }, { partitions: 3 })
    const service = start(job.env)
    await service.line(/Assigned 4 partitions/)
    const output = await runOrThrow(python, [script, kafka.bootstrap, job.orders, String(seed)])
    // Before it may stand what librdkafka has to say.
    const committed = decodePlaces(output.trim().split("\n").at(-1))
    const ends = await kafka.ends(job.orders)
    await eventually(
      () => kafka.committed(job.group, job.orders),
      (offsets) => offsets.every((offset, partition) => offset === ends[partition])
    )
    service.signal("SIGTERM")
    assert.strictEqual(await service.exit, 0, service.output())
    assert.isAbove(committed.length, 100)
    assert.deepStrictEqual(await placesOf(path, job.ordersTable), committed)

    // Once more from the beginning, all at once: what comes in many fetches above comes in few.
    const second = { ...job.env, CONSUMER_GROUP_ID: `${job.group}.again`, DUCKDB_PATH: `${path}.again` }
    assert.strictEqual(await start(second, ["init"]).exit, 0)
    const again = start(second)
    await eventually(
      () => kafka.committed(`${job.group}.again`, job.orders),
      (offsets) => offsets.every((offset, partition) => offset === ends[partition])
    )
    again.signal("SIGTERM")
    assert.strictEqual(await again.exit, 0, again.output())
    assert.deepStrictEqual(await placesOf(`${path}.again`, job.ordersTable), committed)
    const audit = start(second, ["audit"])
    assert.strictEqual(await audit.exit, 0, audit.output())

    // Without the ledger Kafka is asked what the holes are: markers and aborted records are none of its records.
    const unledgered = { ...second, DELIVERY: "at-least-once" }
    const asked = start(unledgered, ["audit"])
    assert.strictEqual(await asked.exit, 0, asked.output())
    const [partition, offset] = committed[Math.floor(committed.length / 2)] ?? [0, 0]
    const place = `KAFKA_PARTITION = ${partition} AND KAFKA_OFFSET = ${offset}`
    const inspect = await duckDb(`${path}.again`)
    await inspect.query(`DELETE FROM BRONZE.${job.ordersTable} WHERE ${place}`)
    await inspect.close()
    const missed = start(unledgered, ["audit"])
    assert.strictEqual(await missed.exit, 1, missed.output())
    assert.include(missed.output(), `${job.orders}/${partition}: 1 record lost`)
  })
})
