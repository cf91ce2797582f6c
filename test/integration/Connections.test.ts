/** Every way to log in to Kafka, and every compression that a producer may use, with DuckDB as the warehouse. */
import { mkdtemp, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { CompressionTypes } from "kafkajs"
import { afterAll, afterEach, assert, beforeAll, describe, it } from "vitest"
import { type SecureBroker, startSecureBroker } from "../../scripts/kafka/broker.ts"
import { killAll, start } from "../../scripts/support/bronzeProcess.ts"
import * as Codecs from "../../src/kafka/kafkajs/Codecs.ts"
import { duckDb } from "../support/Inspect.ts"
import { countRows, type Job, makeJob } from "../support/Job.ts"
import { connect, eventually, messages, order, type RealKafka } from "../support/RealKafka.ts"

const { GZIP, LZ4, None, Snappy, ZSTD } = CompressionTypes
const codecs = [None, GZIP, Snappy, LZ4, ZSTD]
let folder: string
let broker: SecureBroker
let kafka: RealKafka

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "bronze-secure-"))
  broker = await startSecureBroker({ dataDir: join(folder, "kafka") })
  Codecs.register()
  kafka = await connect(broker.bootstrap)
})
afterEach(killAll)
afterAll(async () => {
  await kafka?.close()
  await broker?.stop()
  await rm(folder, { recursive: true, force: true })
})

/** Sends events in every compression, lets the service with these settings consume them, and counts the rows. */
const consumeAll = async (name: string, settings: (job: Job) => Readonly<Record<string, string>>): Promise<number> => {
  const path = join(folder, `${name}.duckdb`)
  const job = await makeJob(kafka, { SINK: "duckdb", DUCKDB_PATH: path })
  for (const [index, codec] of codecs.entries()) await kafka.produce(job.orders, messages(20, order, index * 20), codec)
  const service = start({ ...job.env, BATCH_TIMEOUT: "0.5", ...settings(job) })
  await eventually(
    () => kafka.committed(job.group, job.orders),
    ([committed]) => committed === codecs.length * 20
  ).catch((error: unknown) => assert.fail(`${error}\n${service.output()}`))
  service.signal("SIGTERM")
  assert.strictEqual(await service.exit, 0, service.output())
  assert.notInclude(service.output(), broker.secure.password)
  const inspect = await duckDb(path)
  const rows = await countRows(inspect, job.ordersTable)
  await inspect.close()
  return rows
}

describe("connecting to Kafka", () => {
  const login = (mechanism: string, protocol: string, port: number) => ({
    KAFKA_BOOTSTRAP_SERVERS: `localhost:${port}`,
    KAFKA_SECURITY_PROTOCOL: protocol,
    KAFKA_SASL_MECHANISM: mechanism,
    KAFKA_SASL_USERNAME: broker.secure.username,
    KAFKA_SASL_PASSWORD: broker.secure.password,
    ...(protocol === "SASL_SSL" && { KAFKA_SSL_CA: broker.secure.caPath })
  })

  it("PLAINTEXT, in all compressions", async () => {
    assert.strictEqual(await consumeAll("plaintext", () => ({})), 100)
  })
  it.each(["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"])("SASL_SSL with %s", async (mechanism) => {
    assert.strictEqual(await consumeAll(mechanism, () => login(mechanism, "SASL_SSL", broker.secure.saslSslPort)), 100)
  })
  it("SASL_PLAINTEXT with SCRAM-SHA-256", async () => {
    assert.strictEqual(
      await consumeAll("sasl", () => login("SCRAM-SHA-256", "SASL_PLAINTEXT", broker.secure.saslPlaintextPort)),
      100
    )
  })
  it("SSL with a client certificate", async () => {
    const rows = await consumeAll("ssl", () => ({
      KAFKA_BOOTSTRAP_SERVERS: `localhost:${broker.secure.sslPort}`,
      KAFKA_SECURITY_PROTOCOL: "SSL",
      KAFKA_SSL_CA: broker.secure.caPath,
      KAFKA_SSL_CERT: broker.secure.clientCertPath,
      KAFKA_SSL_KEY: broker.secure.clientKeyPath
    }))
    assert.strictEqual(rows, 100)
  })

  it("a wrong password is reported at once, and never shown", async () => {
    const job = await makeJob(kafka, { SINK: "duckdb", DUCKDB_PATH: join(folder, "wrong.duckdb") })
    const settings = login("SCRAM-SHA-256", "SASL_SSL", broker.secure.saslSslPort)
    const service = start({ ...job.env, ...settings, KAFKA_SASL_PASSWORD: "wr0ng-pass" })
    assert.strictEqual(await service.exit, 78, service.output())
    assert.match(service.output(), /ERROR - .*KAFKA_SASL_\*/)
    assert.notInclude(service.output(), "wr0ng-pass")
  })
})
