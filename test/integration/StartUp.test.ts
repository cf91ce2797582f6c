/** What a person sees who starts the service for the first time, or with a mistake in the settings (P9, P10). */
import { afterAll, afterEach, assert, beforeAll, describe, inject, it } from "vitest"
import { type Emulator, startEmulator } from "../../scripts/emulator/emulator.ts"
import { killAll, start } from "../../scripts/support/bronzeProcess.ts"
import { snowflake } from "../support/Inspect.ts"
import { countRows, makeJob, snowflakeAt } from "../support/Job.ts"
import { connect, eventually, type RealKafka } from "../support/RealKafka.ts"

let kafka: RealKafka
let emulator: Emulator

beforeAll(async () => {
  kafka = await connect(inject("kafka"))
  emulator = await startEmulator()
})
afterEach(killAll)
afterAll(async () => {
  await kafka?.close()
  await emulator?.stop()
})

describe("starting", () => {
  it("reports every mistake in the settings at once, before anything connects, and exits 78", async () => {
    const service = start({
      BATCH_SIZE: "many",
      BATCH_TIMEOUT: "5s",
      AUTO_OFFSET_RESET: "earlyest",
      BRONZE_ROUTES: "raw.orders.v1=ORDERS RAW",
      KAFKA_SECURITY_PROTOCOL: "SASL_SSL",
      SNOWFLAKE_PASSWORD: "s3cret"
    })
    assert.strictEqual(await service.exit, 78)
    for (const name of [
      "BATCH_SIZE",
      "BATCH_TIMEOUT",
      "AUTO_OFFSET_RESET",
      "BRONZE_ROUTES",
      "KAFKA_SASL_MECHANISM",
      "SNOWFLAKE_ACCOUNT",
      "SNOWFLAKE_USER"
    ])
      assert.match(service.output(), new RegExp(`ERROR - ${name}: `), service.output())
    assert.notInclude(service.output(), "s3cret")
    assert.notMatch(service.output(), /\n\s+at /, "no stack trace")
  })

  it("names missing topics and tables together, with what fixes them, and exits 78", async () => {
    const service = start({
      KAFKA_BOOTSTRAP_SERVERS: kafka.bootstrap,
      BRONZE_ROUTES: "raw.nowhere.v1=NOWHERE_RAW(A=a), raw.neither.v1=NEITHER_RAW",
      ...snowflakeAt(emulator.url),
      SNOWFLAKE_SCHEMA: "EMPTY"
    })
    assert.strictEqual(await service.exit, 78, service.output())
    assert.match(service.output(), /ERROR - .*raw\.nowhere\.v1/)
    assert.match(service.output(), /ERROR - .*raw\.neither\.v1/)
    assert.match(service.output(), /ERROR - .*bronze-consumer init/)
    assert.notInclude(service.output(), "s3cret")
  })

  it("says at once when the credentials are wrong", async () => {
    const job = await makeJob(kafka, snowflakeAt(emulator.url))
    const startedAt = Date.now()
    const service = start({ ...job.env, SNOWFLAKE_PASSWORD: "wrong" })
    assert.strictEqual(await service.exit, 78, service.output())
    assert.isBelow(Date.now() - startedAt, 15_000)
    assert.match(service.output(), /ERROR - .*(password|Incorrect)/i)
  })

  it("names a column of others that must be filled, at start (78), by doctor, and while it runs; no record is lost to it", async () => {
    const job = await makeJob(kafka, snowflakeAt(emulator.url), { extra: { BATCH_TIMEOUT: "0.5" } })
    const inspect = await snowflake(emulator.url, "LAKE")
    const [add, drop] = ["SET", "DROP"].map(
      (verb) => `ALTER TABLE BRONZE.${job.ordersTable} ALTER COLUMN TENANT ${verb} NOT NULL`
    )
    await inspect.query(`ALTER TABLE BRONZE.${job.ordersTable} ADD COLUMN TENANT VARCHAR`)
    const service = start(job.env)
    await service.line(/Assigned/)
    await inspect.query(add ?? "")
    await kafka.produce(job.orders, [{ value: "{}" }, { value: "{}" }])
    await service.line(/Failed to insert 2 .*column TENANT of table .* takes no NULL.*DROP NOT NULL/)
    await inspect.query(drop ?? "")
    await eventually(
      () => kafka.committed(job.group, job.orders),
      ([offset]) => offset === 2
    )
    service.signal("SIGTERM")
    assert.strictEqual(await service.exit, 0, service.output())
    assert.strictEqual(await countRows(inspect, job.ordersTable, "TENANT IS NULL"), 2)
    assert.strictEqual(await countRows(inspect, "DEAD_LETTERS", `TABLE_NAME = '${job.ordersTable}'`), 0)
    await inspect.query(`DELETE FROM BRONZE.${job.ordersTable}`)
    await inspect.query(add ?? "")
    await inspect.close()
    const again = start(job.env)
    const doctor = start(job.env, ["doctor"])
    assert.strictEqual(await again.exit, 78, again.output())
    assert.match(again.output(), /ERROR - .*column TENANT.*DROP NOT NULL/)
    assert.strictEqual(await doctor.exit, 1, doctor.output())
    assert.match(doctor.output(), /column TENANT.*DROP NOT NULL/s)
  })

  it("says in its first lines what it reads, where it writes, and as whom", async () => {
    const job = await makeJob(kafka, snowflakeAt(emulator.url))
    const service = start(job.env)
    await service.line(/Consumer initialized/)
    assert.match(service.output(), new RegExp(`Reading from ${kafka.bootstrap}, group ${job.group}`))
    assert.match(service.output(), /Writing to Snowflake account test .*LAKE\.BRONZE, as user bronze/)
    assert.notInclude(service.output(), "s3cret")
    service.signal("SIGTERM")
    assert.strictEqual(await service.exit, 0)
  })

  it("a closed terminal (SIGHUP) stops it as SIGTERM does: what it holds is written, exit code 0", async () => {
    const job = await makeJob(kafka, snowflakeAt(emulator.url), { extra: { BATCH_TIMEOUT: "60" } })
    const service = start({ ...job.env, LOG_LEVEL: "debug" })
    await service.line(/Assigned/)
    await kafka.produce(job.orders, [{ value: "{}" }])
    await service.line(/Fetched 1 /)
    service.signal("SIGHUP")
    assert.strictEqual(await service.exit, 0, service.output())
    assert.match(service.output(), /SIGHUP: stopping; flushing/)
    assert.match(service.output(), /Inserted 1 /)
  })

  it("a second signal ends it at once", async () => {
    const job = await makeJob(kafka, snowflakeAt(emulator.url), {
      extra: { SHUTDOWN_TIMEOUT: "60", BATCH_TIMEOUT: "60" }
    })
    const service = start({ ...job.env, LOG_LEVEL: "debug" })
    await service.line(/Assigned/)
    await kafka.produce(job.orders, [{ value: "{}" }])
    await service.line(/Fetched 1 /)
    await emulator.stop()
    service.signal("SIGTERM")
    await service.line(/Failed to insert/)
    const at = Date.now()
    service.signal("SIGTERM")
    assert.strictEqual(await service.exit, 130)
    assert.isBelow(Date.now() - at, 2000)
    await emulator.restart()
  })

  it("a stop that cannot write what it holds says so and exits 1, in time", async () => {
    const job = await makeJob(kafka, snowflakeAt(emulator.url), {
      extra: { SHUTDOWN_TIMEOUT: "4", BATCH_TIMEOUT: "60" }
    })
    const service = start({ ...job.env, LOG_LEVEL: "debug" })
    await service.line(/Assigned/)
    await kafka.produce(job.orders, [{ value: "{}" }])
    await service.line(/Fetched 1 /)
    await emulator.stop()
    const at = Date.now()
    service.signal("SIGTERM")
    assert.strictEqual(await service.exit, 1, service.output())
    assert.isBelow(Date.now() - at, 6000)
    assert.match(service.output(), /ERROR - Not everything was written/)
    assert.deepStrictEqual(await kafka.committed(job.group, job.orders), [0])
    await emulator.restart()
  })

  it.each([
    [["nonsense"], 64],
    [["run", "--fast"], 64],
    [["--help"], 0],
    [["status", "--help"], 0]
  ])("answers %j with help and exit code %d, without a stack trace", async (words, code) => {
    const service = start({}, words)
    assert.strictEqual(await service.exit, code, service.output())
    assert.match(service.output(), /--help|USAGE/)
    assert.notMatch(service.output(), /\n\s+at /)
  })
})
