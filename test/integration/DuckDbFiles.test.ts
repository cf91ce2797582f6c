/**
 * Tables and files of DuckDB that somebody else made or changed, through the process: the exit code, the remedy, and
 * where the records go.
 */
import { existsSync, readFileSync, writeFileSync } from "node:fs"
import { mkdtemp, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { DuckDBInstance } from "@duckdb/node-api"
import { afterAll, afterEach, assert, beforeAll, describe, inject, it } from "vitest"
import { killAll, start } from "../../scripts/support/bronzeProcess.ts"
import { duckDb } from "../support/Inspect.ts"
import { countRows, type Job, makeJob } from "../support/Job.ts"
import { connect, eventually, messages, order, type RealKafka } from "../support/RealKafka.ts"

let folder: string
let kafka: RealKafka
let files = 0

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "bronze-files-"))
  kafka = await connect(inject("kafka"))
})
afterEach(killAll)
afterAll(async () => {
  await kafka?.close()
  await rm(folder, { recursive: true, force: true })
})

const newPath = () => join(folder, `${++files}.duckdb`)

/** A job after `init`, and after somebody has run `sql` on its tables. */
const changed = async (sqlOf: (table: string) => string): Promise<Job & { readonly path: string }> => {
  const path = newPath()
  const job = await makeJob(kafka, { SINK: "duckdb", DUCKDB_PATH: path, BATCH_TIMEOUT: "0.5" })
  const instance = await DuckDBInstance.create(path)
  const connection = await instance.connect()
  await connection.run(sqlOf(job.ordersTable))
  connection.closeSync()
  instance.closeSync()
  return { ...job, path }
}

describe("a table that takes no rows", () => {
  it.each<readonly [what: string, sqlOf: (table: string) => string, remedy: RegExp]>([
    [
      "a view",
      (table) => `ALTER TABLE BRONZE.${table} RENAME TO O; CREATE VIEW BRONZE.${table} AS SELECT * FROM BRONZE.O`,
      /is a view, and rows can be added to a table only.*rename or drop/s
    ],
    [
      "a column of others that must be filled",
      (table) =>
        `ALTER TABLE BRONZE.${table} ADD COLUMN TENANT VARCHAR; ALTER TABLE BRONZE.${table} ALTER TENANT SET NOT NULL`,
      /column TENANT .*ALTER COLUMN "TENANT" DROP NOT NULL/s
    ],
    [
      "a column of another type",
      (table) => `ALTER TABLE BRONZE.${table} ALTER KAFKA_OFFSET TYPE VARCHAR`,
      /KAFKA_OFFSET .*ALTER COLUMN "KAFKA_OFFSET" TYPE BIGINT/s
    ]
  ])("is found at start and by doctor: %s", async (_, sqlOf, remedy) => {
    const job = await changed(sqlOf)
    await kafka.produce(job.orders, messages(3, order))
    const service = start(job.env)
    assert.strictEqual(await service.exit, 78, service.output())
    assert.match(service.output(), remedy)
    const doctor = start(job.env, ["doctor"])
    assert.strictEqual(await doctor.exit, 1, doctor.output())
    assert.match(doctor.output(), remedy)
    assert.deepStrictEqual(await kafka.committed(job.group, job.orders), [-1])
  })
})

describe("a rule that some records break", () => {
  it.each<readonly [what: string, sqlOf: (table: string) => string, broken: number]>([
    [
      "CHECK",
      // DuckDB adds no CHECK to a table that is there.
      (table) =>
        `CREATE TABLE BRONZE.X AS FROM BRONZE.${table}; DROP TABLE BRONZE.${table};
         CREATE TABLE BRONZE.${table} (ORDER_ID VARCHAR, USER_ID DECIMAL(38,0) CHECK (USER_ID % 10 <> 3), RAW_EVENT JSON, INGESTION_TIMESTAMP TIMESTAMP,
         KAFKA_TOPIC VARCHAR, KAFKA_PARTITION INTEGER, KAFKA_OFFSET BIGINT, KAFKA_TIMESTAMP TIMESTAMP, KAFKA_KEY VARCHAR, KAFKA_HEADERS JSON);
         DROP TABLE BRONZE.X`,
      6
    ],
    ["UNIQUE", (table) => `CREATE UNIQUE INDEX ONE_ORDER ON BRONZE.${table} (ORDER_ID)`, 4]
  ])("makes dead letters of them, and the others land: %s", async (what, sqlOf, broken) => {
    const job = await changed(sqlOf)
    const sent = messages(46, order)
    // Four orders that were sent twice, beside their firsts and far from them.
    const again = what === "UNIQUE" ? [sent[0], sent[1], sent[44], sent[45]] : messages(4, order, 50)
    await kafka.produce(job.orders, [...sent, ...again.flatMap((message) => (message === undefined ? [] : [message]))])
    const service = start(job.env)
    await eventually(
      () => kafka.committed(job.group, job.orders),
      ([offset]) => offset === 50
    )
    service.signal("SIGTERM")
    assert.strictEqual(await service.exit, 0, service.output())
    const inspect = await duckDb(job.path)
    const rows = await countRows(inspect, job.ordersTable)
    const letters = await countRows(inspect, "DEAD_LETTERS", "CAUSE = 'refused'")
    await inspect.close()
    assert.deepStrictEqual([rows, letters], [50 - broken, broken])
    assert.strictEqual(await start(job.env, ["audit"]).exit, 0)
  })
})

describe("a file that is no database of ours", () => {
  const damaged = async (path: string) => {
    const instance = await DuckDBInstance.create(path)
    instance.closeSync()
    writeFileSync(path, Buffer.from(readFileSync(path)).fill(0x55, 8292, 12_288))
  }
  const sqlite = async (path: string) =>
    writeFileSync(path, Buffer.concat([Buffer.from("SQLite format 3\0"), Buffer.alloc(4096)]))

  it.each([
    ["damaged", damaged, /the file is damaged/],
    ["SQLite's", sqlite, /is a SQLite database/]
  ] as const)("ends the start with 78: %s", async (_, make, says) => {
    const job = await makeJob(kafka, { SINK: "duckdb", DUCKDB_PATH: newPath() })
    const path = newPath()
    await make(path)
    const before = readFileSync(path)
    const service = start({ ...job.env, DUCKDB_PATH: path })
    assert.strictEqual(await service.exit, 78, service.output())
    assert.match(service.output(), says)
    assert.isTrue(readFileSync(path).equals(before), "it is left as it was")
  })
})

describe("a file that does not exist", () => {
  it("is created by no command that only reads", async () => {
    const job = await makeJob(kafka, { SINK: "duckdb", DUCKDB_PATH: newPath() })
    const path = newPath()
    const commands = [["status"], ["audit"], ["dlq", "list"], ["doctor"]].map((words) =>
      start({ ...job.env, DUCKDB_PATH: path }, words)
    )
    for (const command of commands) {
      assert.notStrictEqual(await command.exit, 0, command.output())
      assert.match(command.output(), /bronze-consumer init/)
    }
    assert.isFalse(existsSync(path))
  })
})
