/**
 * kafkajs behind KafkaClient, on a real broker: every codec both ways, offsets, errors sorted by reason, a quiet log,
 * SASL and TLS.
 */
import { appendFileSync, mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import * as References from "effect/References"
import kafkajs from "kafkajs"
import { type SecureBroker, startSecureBroker } from "../../../scripts/kafka/broker.ts"
import * as Admin from "../../../src/kafka/Admin.ts"
import * as KafkaClient from "../../../src/kafka/kafkajs/Client.ts"
import * as Producer from "../../../src/kafka/Producer.ts"
import * as Settings from "../../../src/settings/Settings.ts"

const dataDir = mkdtempSync(join(tmpdir(), "bronze-kafka-"))
let broker: SecureBroker

beforeAll(async () => {
  broker = await startSecureBroker({ dataDir })
}, 120_000)
afterAll(async () => {
  await broker?.stop()
  rmSync(dataDir, { recursive: true, force: true })
})

const layer = (env: Record<string, string> = {}) =>
  Layer.mergeAll(Admin.layer, Producer.layer).pipe(
    Layer.provideMerge(KafkaClient.layer),
    Layer.provide(Settings.layer),
    Layer.provide(
      Settings.environment({ SINK: "duckdb", KAFKA_BOOTSTRAP_SERVERS: broker?.bootstrap ?? "localhost:1", ...env })
    )
  )
const live = <A, E>(
  effect: Effect.Effect<A, E, Admin.Admin | Producer.Producer | KafkaClient.KafkaClient>,
  env?: Record<string, string>
) => Effect.suspend(() => effect.pipe(Effect.provide(layer(env))))

const createTopic = (topic: string, numPartitions = 1) =>
  Effect.gen(function* () {
    const { kafka, use } = yield* KafkaClient.KafkaClient
    const admin = kafka.admin()
    yield* use("create", () => admin.createTopics({ topics: [{ topic, numPartitions }], waitForLeaders: true }))
    yield* use("disconnect", () => admin.disconnect())
  })

const readAll = (topic: string, count: number) =>
  Effect.gen(function* () {
    const { kafka, use } = yield* KafkaClient.KafkaClient
    const values: Array<Buffer | null> = []
    const consumer = kafka.consumer({ groupId: `read-${topic}` })
    yield* use("consume", async () => {
      await consumer.connect()
      await consumer.subscribe({ topics: [topic], fromBeginning: true })
      await new Promise<void>((resolve, reject) => {
        consumer.on(consumer.events.CRASH, ({ payload }) => reject(payload.error))
        consumer
          .run({
            eachMessage: async ({ message }) => {
              values.push(message.value)
              if (values.length === count) resolve()
            }
          })
          .catch(reject)
      })
      await consumer.disconnect()
    })
    return values
  })

const { GZIP, LZ4, None, Snappy, ZSTD } = kafkajs.CompressionTypes

describe("codecs", () => {
  for (const [name, codec] of Object.entries({ None, GZIP, LZ4, Snappy, ZSTD }))
    it.live(
      `${name}: what was produced is consumed`,
      () =>
        live(
          Effect.gen(function* () {
            const topic = `codec-${name}`
            yield* createTopic(topic)
            const values = [
              "",
              `{"a":"ü€😀"}`,
              "x".repeat(300_000),
              JSON.stringify(Array.from({ length: 20_000 }, Math.random))
            ]
            const producer = yield* Producer.Producer
            yield* producer.send(
              topic,
              values.map((value) => ({ key: null, value })),
              codec
            )
            const read = yield* readAll(topic, values.length)
            assert.deepStrictEqual(read.map(String), values)
          })
        ),
      30_000
    )
})

describe("codecs read what other clients write", () => {
  const decompress = (type: 2 | 4, compressed: Buffer): Promise<Buffer> =>
    kafkajs.CompressionCodecs[type]().decompress(compressed)

  it.live("zstd without the size of its content, beyond the first guess", () =>
    live(
      Effect.promise(async () => {
        // head -c 9000000 /dev/zero | tr '\0' x | zstd -c, which cannot know the size.
        const plain = await decompress(4, Buffer.from(ZSTD_STREAM, "base64"))
        assert.strictEqual(plain.length, 9_000_000)
        assert.isTrue(plain.every((byte) => byte === 0x78))
      })
    )
  )
  it.live("snappy without framing", () =>
    live(
      Effect.promise(async () => {
        const { compressSync } = await import("snappy")
        assert.strictEqual(String(await decompress(2, compressSync("hello hello hello"))), "hello hello hello")
      })
    )
  )
})

describe("Admin", () => {
  it.live(
    "tells topics, partitions, ranges and committed offsets, and creates nothing",
    () =>
      live(
        Effect.gen(function* () {
          const admin = yield* Admin.Admin
          const producer = yield* Producer.Producer
          yield* createTopic("offsets", 2)
          yield* producer.send(
            "offsets",
            [1, 2, 3].map((n) => ({ key: null, value: String(n), partition: 1 }))
          )
          const { kafka, use } = yield* KafkaClient.KafkaClient
          const raw = kafka.admin()
          yield* use("set", () =>
            raw.setOffsets({ groupId: "g", topic: "offsets", partitions: [{ partition: 1, offset: "2" }] })
          )
          yield* use("disconnect", () => raw.disconnect())

          const both = [
            { topic: "offsets", partition: 0 },
            { topic: "offsets", partition: 1 }
          ]
          assert.deepStrictEqual(yield* admin.partitions(["offsets", "not-there"]), both)
          const [described, absent] = yield* admin.describe(["offsets", "not-there"])
          assert.match(described?.id ?? "", /^[\w-]{22}$/)
          assert.deepStrictEqual([described?.partitions, described?.problem], [[0, 1], undefined])
          assert.deepStrictEqual([absent?.id, absent?.problem?.reason], [undefined, "missing"])
          const log = { topic: "offsets", low: 0, topicId: described?.id }
          const first = { ...log, partition: 0, high: 0, stable: 0, committed: undefined }
          const second = { ...log, partition: 1, high: 3, stable: 3, committed: 2 }
          assert.deepStrictEqual(yield* admin.positions("g", both), { mine: [first, second], others: [] })
          assert.deepStrictEqual(yield* admin.positions("g", both.slice(1)), { mine: [second], others: [first] })
          assert.strictEqual((yield* Effect.flip(admin.ranges(["not-there", "offsets"]))).reason, "missing")
          assert.notInclude(yield* admin.topics, "not-there")
          assert.lengthOf((yield* admin.cluster).brokers, 1)
        })
      ),
    30_000
  )
})

describe("errors", () => {
  it.live(
    "no broker: unavailable, reported in one line and within seconds",
    () =>
      live(
        Effect.gen(function* () {
          const started = Date.now()
          const error = yield* Effect.flip((yield* Admin.Admin).cluster)
          assert.strictEqual(error.reason, "unavailable")
          assert.isTrue(error.isRetryable)
          assert.match(error.message, /^Could not reach the cluster: .*ECONNREFUSED/)
          assert.isBelow(Date.now() - started, 8000)
        }),
        { KAFKA_BOOTSTRAP_SERVERS: "127.0.0.1:1" }
      ),
    20_000
  )
  it.live(
    "a topic that does not exist: missing",
    () =>
      live(
        Effect.gen(function* () {
          const error = yield* Effect.flip((yield* Producer.Producer).send("not-there", [{ key: null, value: "x" }]))
          assert.deepStrictEqual([error.reason, error.isRetryable], ["missing", false])
        })
      ),
    30_000
  )
})

describe("security", () => {
  const login = () => ({ KAFKA_SASL_USERNAME: broker.secure.username, KAFKA_SASL_PASSWORD: broker.secure.password })
  const reach = (env: () => Record<string, string>) =>
    Effect.suspend(() =>
      live(
        Effect.flatMap(Admin.Admin, (admin) => admin.cluster),
        env()
      )
    )
  const sasl = (mechanism: string) => ({
    ...login(),
    KAFKA_BOOTSTRAP_SERVERS: `localhost:${broker.secure.saslPlaintextPort}`,
    KAFKA_SECURITY_PROTOCOL: "SASL_PLAINTEXT",
    KAFKA_SASL_MECHANISM: mechanism
  })
  const tls = () => ({
    KAFKA_BOOTSTRAP_SERVERS: `localhost:${broker.secure.sslPort}`,
    KAFKA_SECURITY_PROTOCOL: "SSL"
  })

  for (const mechanism of ["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"]) {
    it.live(`SASL_PLAINTEXT with ${mechanism}`, () => reach(() => sasl(mechanism)), 20_000)
    it.live(
      `SASL_PLAINTEXT with ${mechanism} and the wrong password: denied, and the password is not told`,
      () =>
        Effect.gen(function* () {
          const error = yield* Effect.flip(reach(() => ({ ...sasl(mechanism), KAFKA_SASL_PASSWORD: "wr0ng-one" })))
          assert.strictEqual(error._tag === "KafkaError" && error.reason, "denied")
          assert.notInclude(error.message, "wr0ng-one")
        }),
      20_000
    )
  }
  it.live(
    "SSL with the broker's authority and a client certificate",
    () =>
      reach(() => ({
        ...tls(),
        KAFKA_SSL_CA: broker.secure.caPath,
        KAFKA_SSL_CERT: broker.secure.clientCertPath,
        KAFKA_SSL_KEY: broker.secure.clientKeyPath
      })),
    20_000
  )
  it.live(
    "SSL without it: denied",
    () =>
      Effect.gen(function* () {
        const error = yield* Effect.flip(reach(tls))
        assert.strictEqual(error._tag === "KafkaError" && error.reason, "denied", error.message)
      }),
    20_000
  )
  it.live(
    "SASL_SSL",
    () =>
      reach(() => ({
        ...login(),
        KAFKA_BOOTSTRAP_SERVERS: `localhost:${broker.secure.saslSslPort}`,
        KAFKA_SECURITY_PROTOCOL: "SASL_SSL",
        KAFKA_SASL_MECHANISM: "SCRAM-SHA-512",
        KAFKA_SSL_CA: broker.secure.caPath
      })),
    20_000
  )
})

describe("the log of kafkajs", () => {
  const logged: Array<string> = []
  const capture = Layer.merge(
    Logger.layer([
      Logger.map(Logger.formatStructured, (line) => void logged.push(`${line.level} ${JSON.stringify(line)}`))
    ]),
    Layer.succeed(References.MinimumLogLevel, "Debug" as const)
  )
  it.live(
    "is DEBUG for what is normal while a broker is unreachable, and has no stack",
    () =>
      live(
        Effect.flatMap(Admin.Admin, (admin) => Effect.flip(admin.cluster)),
        { KAFKA_BOOTSTRAP_SERVERS: "127.0.0.1:1" }
      ).pipe(
        Effect.provide(capture),
        Effect.andThen(
          Effect.sync(() => {
            assert.isTrue(logged.some((line) => line.includes("ECONNREFUSED")))
            assert.deepStrictEqual(
              logged.filter((line) => !line.startsWith("DEBUG")),
              []
            )
            assert.isFalse(logged.some((line) => line.includes("    at ")))
          })
        )
      ),
    20_000
  )
})

const ZSTD_STREAM =
  "KLUv/QRYVAAAEHh4AQD7/znAAgIAEHgCABB4AgAQeAIAEHgCABB4AgAQeAIAEHgCABB4AgAQeAIAEHgCABB4AgAQeAIAEHgCABB4AgAQeAIAEHgCABB4AgAQeAIAEHgCABB4AgAQeAIAEHgCABB4AgAQeAIAEHgCABB4AgAQeAIAEHgCABB4AgAQeAIAEHgCABB4AgAQeAIAEHgCABB4AgAQeAIAEHgCABB4AgAQeAIAEHgCABB4AgAQeAIAEHgCABB4AgAQeAIAEHgCABB4AgAQeAIAEHgCABB4AgAQeAIAEHgCABB4AgAQeAIAEHgCABB4AgAQeAIAEHgCABB4AgAQeAIAEHgCABB4AgAQeEQAAAABAP3/zQsQAgAQeAIAEHgCABB4A6IKeG5sLnk="

describe("sessions that are shorter than what kafkajs leaves of one", () => {
  beforeAll(async () => {
    appendFileSync(join(dataDir, "server.properties"), "connections.max.reauth.ms=3000\n")
    await broker.restart()
  }, 60_000)

  it.live(
    "are renewed in time, and no request fails",
    () =>
      live(
        Effect.gen(function* () {
          const admin = yield* Admin.Admin
          const until = Date.now() + 8000
          while (Date.now() < until) yield* Effect.andThen(admin.topics, Effect.sleep("100 millis"))
        }),
        {
          KAFKA_BOOTSTRAP_SERVERS: `127.0.0.1:${broker.secure.saslPlaintextPort}`,
          KAFKA_SECURITY_PROTOCOL: "SASL_PLAINTEXT",
          KAFKA_SASL_MECHANISM: "SCRAM-SHA-256",
          KAFKA_SASL_USERNAME: broker.secure.username,
          KAFKA_SASL_PASSWORD: broker.secure.password
        }
      ),
    30_000
  )
})
