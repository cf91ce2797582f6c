/**
 * What real serializers write with a real registry lands as JSON, in every sink; what does not decode is a dead letter
 * with its bytes; and a registry that is away costs nothing but delay.
 */
import { mkdtemp, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { afterAll, afterEach, assert, beforeAll, describe, inject, it } from "vitest"
import { type Emulator, startEmulator } from "../../scripts/emulator/emulator.ts"
import { type RegistryServer, startRegistry } from "../../scripts/registry/server.ts"
import { type BronzeProcess, killAll, start } from "../../scripts/support/bronzeProcess.ts"
import { runOrThrow } from "../../scripts/support/command.ts"
import { freePort } from "../../scripts/support/freePort.ts"
import { installPython } from "../../scripts/support/python.ts"
import { duckDb, type Inspect, snowflake } from "../support/Inspect.ts"
import { snowflakeAt, streamingAt } from "../support/Job.ts"
import { connect, eventually, type RealKafka, unique } from "../support/RealKafka.ts"
import { addressAt, framer, openAt, readiness } from "../support/schema/RegistryDoor.ts"

const requirements = fileURLToPath(new URL("../support/schema/requirements.txt", import.meta.url))
const script = fileURLToPath(new URL("schemas.py", import.meta.url))

let folder: string
let kafka: RealKafka
let registry: RegistryServer
let emulator: Emulator
let topics: { readonly avro: string; readonly protobuf: string; readonly json: string }

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "bronze-registry-"))
  kafka = await connect(inject("kafka"))
  registry = await startRegistry(folder)
  emulator = await startEmulator({ dataDir: join(folder, "snowflake") })
  topics = { avro: unique("avro"), protobuf: unique("protobuf"), json: unique("json") }
  await Promise.all(Object.values(topics).map((topic) => kafka.createTopic(topic)))
  const python = join(await installPython("schemas", "a registry's serializers", requirements), "python")
  await runOrThrow(python, [script, kafka.bootstrap, registry.url, topics.avro, topics.protobuf, topics.json])
}, 300_000)
afterEach(killAll)
afterAll(async () => {
  await kafka?.close()
  await registry?.stop()
  await emulator?.stop()
  await rm(folder, { recursive: true, force: true })
})

/** The records of each topic. */
const sent = { avro: 7, protobuf: 4, json: 3 }

const order = (id: string, rest: string) =>
  `{"order_id":"${id}","user_id":9007199254740993,"amount":123456789012345678.90,"at":"2026-01-02T03:04:05.678Z","note":${rest}}`

/** What lands, by offset: the key, USER_ID and RAW_EVENT. */
const avroRows = [
  [0, "k-1", "9007199254740993", order("o-1", "null")],
  [1, "k-2", "9007199254740993", order("o-2", '"é","channel":"APP"')],
  [2, null, "9007199254740993", order("o-3", "null")],
  [3, null, "-1", '{"order_id":"o-4","user_id":-1}'],
  [4, null, "5", '{"order_id":"o-5","user_id":5}']
]
const protobufRows = [
  [
    0,
    null,
    "9007199254740993",
    '{"user_id":9007199254740993,"counts":{"a":-1},"price":{"currency":"EUR","units":12},"at":"2026-01-02T03:04:05.678Z","lines":[{"user_id":18446744073709551615,"color":"BLUE"}],"cash":false}'
  ],
  [1, null, "0", '{"user_id":0,"counts":{},"lines":[]}'],
  [2, null, "7", '{"user_id":7,"color":9}']
]
const jsonRows = [
  [0, null, "12345678901234567890", '{"user_id":12345678901234567890,"page":"/menu"}'],
  [1, null, "6", '{"user_id": 6}'],
  [2, "k", null, null]
]

const settings = (sink: Readonly<Record<string, string>>): Readonly<Record<string, string>> => ({
  KAFKA_BOOTSTRAP_SERVERS: kafka.bootstrap,
  CONSUMER_GROUP_ID: unique("group"),
  BRONZE_ROUTES: Object.entries(topics)
    .map(([name, topic]) => `${topic}=${name.toUpperCase()}_RAW(USER_ID=user_id:NUMBER)`)
    .join(", "),
  BATCH_TIMEOUT: "0.5",
  ...sink
})
const withRegistry = (sink: Readonly<Record<string, string>>) => ({
  ...settings(sink),
  SCHEMA_REGISTRY_URL: registry.url
})
const duckDbAt = (name: string) => ({ SINK: "duckdb", DUCKDB_PATH: join(folder, `${name}.duckdb`) })

const begin = async (env: Readonly<Record<string, string>>): Promise<BronzeProcess> => {
  const init = start(env, ["init"])
  assert.strictEqual(await init.exit, 0, init.output())
  return start(env)
}

/** Until every record of the topics is passed; then the service is stopped. */
const finish = async (service: BronzeProcess, { CONSUMER_GROUP_ID: group = "" }: Readonly<Record<string, string>>) => {
  for (const name of ["avro", "protobuf", "json"] as const)
    await eventually(
      () => kafka.committed(group, topics[name]),
      ([committed]) => committed === sent[name],
      60_000
    )
  service.signal("SIGTERM")
  assert.strictEqual(await service.exit, 0, service.output())
}

const rowsOf = async (inspect: Inspect, table: string, text: string) =>
  (
    await inspect.query(
      `SELECT KAFKA_OFFSET AS O, KAFKA_KEY AS K, CAST(USER_ID AS VARCHAR) AS U, ${text} AS E FROM BRONZE.${table}_RAW ORDER BY 1`
    )
  ).map(({ e, k, o, u }) => [Number(o), k, u, e])

/** Which records' rows say their schema, and how many schemas there are. */
const schemaIdsOf = async (inspect: Inspect, table: string) => {
  const rows = await inspect.query(
    `SELECT KAFKA_OFFSET AS O, KAFKA_SCHEMA_ID AS S FROM BRONZE.${table}_RAW WHERE KAFKA_SCHEMA_ID > 0 ORDER BY 1`
  )
  return { offsets: rows.map(({ o }) => Number(o)), schemas: new Set(rows.map(({ s }) => s)).size }
}

const lettersOf = async (inspect: Inspect) =>
  (
    await inspect.query("SELECT TABLE_NAME AS T, KAFKA_OFFSET AS O, CAUSE AS C FROM BRONZE.DEAD_LETTERS ORDER BY 1, 2")
  ).map(({ c, o, t }) => [t, Number(o), c])

const letters = [
  ["AVRO_RAW", 5, "not_avro"],
  ["AVRO_RAW", 6, "unknown_schema"],
  ["PROTOBUF_RAW", 3, "not_protobuf"]
]

/** Values, for a sink that keeps these and not their text. */
const values = (rows: ReadonlyArray<ReadonlyArray<unknown>>) =>
  rows.map(([offset, key, user, event]) => [offset, key, user, typeof event === "string" ? JSON.parse(event) : event])

describe("records of a schema registry", () => {
  it("land in DuckDB as JSON, digit for digit, old and new versions alike", async () => {
    const sink = duckDbAt("all")
    const env = withRegistry(sink)
    const service = await begin(env)
    await finish(service, env)
    const inspect = await duckDb(sink.DUCKDB_PATH)
    assert.deepStrictEqual(await rowsOf(inspect, "AVRO", "RAW_EVENT::VARCHAR"), avroRows)
    assert.deepStrictEqual(await rowsOf(inspect, "PROTOBUF", "RAW_EVENT::VARCHAR"), protobufRows)
    assert.deepStrictEqual(await rowsOf(inspect, "JSON", "RAW_EVENT::VARCHAR"), jsonRows)
    assert.deepStrictEqual(await lettersOf(inspect), letters)
    assert.deepStrictEqual(await schemaIdsOf(inspect, "AVRO"), { offsets: [0, 1, 2, 3], schemas: 3 })
    assert.deepStrictEqual(await schemaIdsOf(inspect, "PROTOBUF"), { offsets: [0, 1, 2], schemas: 1 })
    assert.deepStrictEqual(await schemaIdsOf(inspect, "JSON"), { offsets: [0], schemas: 1 })
    const [unknown] = await inspect.query("SELECT MESSAGE AS M FROM BRONZE.DEAD_LETTERS WHERE KAFKA_OFFSET = 6")
    assert.include(String(unknown?.["m"]), "schema 9999")
    await inspect.close()
  })

  it.each([
    ["INSERTs", "LAKE", snowflakeAt],
    ["the streaming API", "STREAM", streamingAt]
  ] as const)("land in Snowflake by %s as the same values", async (_, database, sinkAt) => {
    const env = withRegistry({ ...sinkAt(emulator.url), SNOWFLAKE_DATABASE: database })
    const service = await begin(env)
    const doctor = start(env, ["doctor"])
    await doctor.exit
    assert.match(doctor.output(), /schema registry +http:/)
    await finish(service, env)
    const inspect = await snowflake(emulator.url, database)
    const text = "CASE WHEN RAW_EVENT IS NOT NULL THEN TO_JSON(RAW_EVENT) END"
    assert.deepStrictEqual(values(await rowsOf(inspect, "AVRO", text)), values(avroRows))
    assert.deepStrictEqual(values(await rowsOf(inspect, "PROTOBUF", text)), values(protobufRows))
    assert.deepStrictEqual(values(await rowsOf(inspect, "JSON", text)), values(jsonRows))
    assert.deepStrictEqual(await schemaIdsOf(inspect, "AVRO"), { offsets: [0, 1, 2, 3], schemas: 3 })
    assert.deepStrictEqual(await schemaIdsOf(inspect, "JSON"), { offsets: [0], schemas: 1 })
    assert.deepStrictEqual(await lettersOf(inspect), letters)
    await inspect.close()
  })

  it("are shown by monitor as the JSON that they become", async () => {
    const args = ["monitor", "--from-beginning", "--json", "--topic", topics.avro, "--count", "2"]
    const monitor = start(withRegistry(duckDbAt("monitor")), args)
    assert.strictEqual(await monitor.exit, 0, monitor.output())
    assert.include(monitor.output(), '"key":"k-1"')
    assert.include(monitor.output(), JSON.stringify(order("o-1", "null")))
  })

  it("wait while the registry is unreachable, with health saying so, and then land", async () => {
    const port = await freePort()
    const httpPort = await freePort()
    const sink = duckDbAt("away")
    const env = {
      ...settings(sink),
      SCHEMA_REGISTRY_URL: addressAt(registry, port),
      HTTP_PORT: String(httpPort)
    }
    const service = await begin(env)
    await service.line(/Could not get a schema from the registry: .*Retrying; nothing is lost/)
    const ready = await eventually(
      () => readiness(httpPort),
      (text) => text.includes("schema registry")
    )
    assert.include(ready, "ECONNREFUSED")
    const close = await openAt(registry, port)
    await finish(service, env)
    await close()
    const inspect = await duckDb(sink.DUCKDB_PATH)
    assert.deepStrictEqual(await rowsOf(inspect, "AVRO", "RAW_EVENT::VARCHAR"), avroRows)
    await inspect.close()
  })

  it("go on while the registry is away as far as their schemas are known, and so do other topics", async () => {
    const [topic, plain] = [unique("outages"), unique("plain")]
    await Promise.all([kafka.createTopic(topic), kafka.createTopic(plain)])
    const port = await freePort()
    const httpPort = await freePort()
    const sink = duckDbAt("outages")
    const env = {
      ...settings(sink),
      BRONZE_ROUTES: `${topic}=OUTAGES_RAW(USER_ID=user_id:NUMBER), ${plain}=PLAIN_RAW`,
      SCHEMA_REGISTRY_URL: addressAt(registry, port),
      HTTP_PORT: String(httpPort)
    }
    const group = unique("group")
    const service = await begin({ ...env, CONSUMER_GROUP_ID: group })
    const committed = (of: string, count: number) =>
      eventually(
        () => kafka.committed(group, of),
        ([offset]) => offset === count
      )
    let known: ((body: string) => Buffer) | undefined
    for (let round = 0; round < 3; round++) {
      const schema = `{"type":"record","name":"R${round}","fields":[{"name":"user_id","type":"long"}]}`
      const frame = await framer(registry, `outages-${round}`, schema)
      if (known !== undefined) {
        await kafka.produce(topic, [{ value: known("02") }])
        await committed(topic, round * 2)
      }
      await kafka.produce(topic, [{ value: frame("04") }])
      await eventually(
        () => readiness(httpPort),
        (text) => text.includes("schema registry")
      )
      await kafka.produce(plain, [{ value: "{}" }])
      await committed(plain, round + 1)
      const close = await openAt(registry, port)
      await committed(topic, round * 2 + 1)
      await close()
      known = frame
    }
    service.signal("SIGTERM")
    assert.strictEqual(await service.exit, 0, service.output())
    const inspect = await duckDb(sink.DUCKDB_PATH)
    assert.deepStrictEqual(
      (await rowsOf(inspect, "OUTAGES", "RAW_EVENT::VARCHAR")).map(([offset, , user]) => [offset, user]),
      [2, 1, 2, 1, 2].map((user, offset) => [offset, String(user)])
    )
    await inspect.close()
  })

  it("are dead letters without a registry, and rows once they are replayed with one", async () => {
    const sink = duckDbAt("replayed")
    const env = settings(sink)
    const service = await begin(env)
    await finish(service, env)
    // The tables do not have the column for the schema yet.
    const later = { ...env, SCHEMA_REGISTRY_URL: registry.url }
    const tooEarly = start(later)
    assert.strictEqual(await tooEarly.exit, 78, tooEarly.output())
    assert.match(tooEarly.output(), /has no column KAFKA_SCHEMA_ID: .*init/)
    const init = start(later, ["init"])
    assert.strictEqual(await init.exit, 0, init.output())
    const replay = start(later, ["dlq", "replay", "--all"])
    // The three that no registry can help stay dead letters.
    assert.strictEqual(await replay.exit, 1, replay.output())
    const inspect = await duckDb(sink.DUCKDB_PATH)
    const withoutKey = ([offset, , user, event]: ReadonlyArray<unknown>) => [offset, user, event]
    assert.deepStrictEqual(
      (await rowsOf(inspect, "AVRO", "RAW_EVENT::VARCHAR")).map(withoutKey),
      avroRows.map(withoutKey)
    )
    assert.deepStrictEqual(await rowsOf(inspect, "PROTOBUF", "RAW_EVENT::VARCHAR"), protobufRows)
    assert.deepStrictEqual(await rowsOf(inspect, "JSON", "RAW_EVENT::VARCHAR"), jsonRows)
    assert.deepStrictEqual(await schemaIdsOf(inspect, "AVRO"), { offsets: [0, 1, 2, 3], schemas: 3 })
    await inspect.close()
  })
})
