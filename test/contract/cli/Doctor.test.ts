/**
 * What `doctor` finds and how it says to fix it, on a broker with ACLs, logins and TLS, on the Snowflake emulator and
 * on DuckDB; and that it changes nothing.
 */
import { generateKeyPairSync } from "node:crypto"
import { appendFile, mkdtemp, readdir, rm, writeFile } from "node:fs/promises"
import { createServer, type Server } from "node:http"
import type { AddressInfo } from "node:net"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterAll, afterEach, assert, beforeAll, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import kafkajs, { type Admin } from "kafkajs"
import { type Emulator, startEmulator } from "../../../scripts/emulator/emulator.ts"
import { type SecureBroker, startSecureBroker } from "../../../scripts/kafka/broker.ts"
import { createTopics } from "../../../scripts/kafka/topics.ts"
import { killAll, start } from "../../../scripts/support/bronzeProcess.ts"
import { examine } from "../../../src/cli/doctor/Doctor.ts"
import type { Finding } from "../../../src/cli/doctor/Finding.ts"
import type { StatusReport } from "../../../src/cli/status/Report.ts"
import * as Settings from "../../../src/settings/Settings.ts"
import { snowflakeAt } from "../../support/Job.ts"
import { connect, type RealKafka } from "../../support/RealKafka.ts"
import * as RefusingProxy from "../../support/RefusingProxy.ts"

const dlq = "raw.dlq.v1"
const group = "bronze-consumer-group"
let folder: string
let broker: SecureBroker
let emulator: Emulator
let proxy: RefusingProxy.RefusingProxy
let kafka: RealKafka
let admin: Admin

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "bronze-doctor-"))
  const dataDir = join(folder, "kafka")
  ;[broker, emulator] = await Promise.all([startSecureBroker({ dataDir }), startEmulator()])
  // Rights are looked at from now on; who comes over the plain listener may do everything.
  const authorizer = "org.apache.kafka.metadata.authorizer.StandardAuthorizer"
  await appendFile(
    join(dataDir, "server.properties"),
    `authorizer.class.name=${authorizer}\nsuper.users=User:ANONYMOUS\n`
  )
  await broker.restart()
  proxy = await RefusingProxy.start(emulator.url)
  kafka = await connect(broker.bootstrap)
  admin = new kafkajs.Kafka({ brokers: [broker.bootstrap], logLevel: kafkajs.logLevel.NOTHING }).admin()
  await Promise.all([createTopics(broker.bootstrap, 2), kafka.createTopic(dlq), admin.connect()])
}, 120_000)
afterEach(async () => {
  killAll()
  proxy.refuse()
})
afterAll(async () => {
  await Promise.all([kafka?.close(), admin?.disconnect(), proxy?.close()])
  await Promise.all([broker?.stop(), emulator?.stop()])
  await rm(folder, { recursive: true, force: true })
})

/** In this process, because each new one takes seconds; Commands.test.ts has its exit codes. */
const doctor = (env: Readonly<Record<string, string>>): Promise<ReadonlyArray<Finding>> =>
  Effect.runPromise(examine(Settings.environment({ LOG_FILE: "", HTTP_PORT: "0", ...env })))

const bad = (findings: ReadonlyArray<Finding>) => findings.filter(({ state }) => state === "bad")
const find = (findings: ReadonlyArray<Finding>, check: string) => findings.find((finding) => finding.check === check)

const onDuckDb = (name: string) => ({ SINK: "duckdb", DUCKDB_PATH: join(folder, name) })
const plainly = () => ({ KAFKA_BOOTSTRAP_SERVERS: broker.bootstrap })
const asBronze = () => ({
  KAFKA_BOOTSTRAP_SERVERS: `127.0.0.1:${broker.secure.saslPlaintextPort}`,
  KAFKA_SECURITY_PROTOCOL: "SASL_PLAINTEXT",
  KAFKA_SASL_MECHANISM: "SCRAM-SHA-256",
  KAFKA_SASL_USERNAME: broker.secure.username,
  KAFKA_SASL_PASSWORD: broker.secure.password
})

/** Does what kafka-acls.sh would, given the words of a remedy. */
const runAcls = async (remedies: ReadonlyArray<string>): Promise<void> => {
  const { ALLOW } = kafkajs.AclPermissionTypes
  const { GROUP, TOPIC } = kafkajs.AclResourceTypes
  const { READ, WRITE } = kafkajs.AclOperationTypes
  const acl = remedies.map((remedy) => {
    const pattern = /--allow-principal "(\S+)" --operation (READ|WRITE) --(topic|group) (\S+)/
    const [, principal = "", operation, resource, resourceName = ""] = pattern.exec(remedy) ?? []
    return {
      ...{ principal, resourceName, host: "*", permissionType: ALLOW },
      operation: operation === "READ" ? READ : WRITE,
      resourceType: resource === "group" ? GROUP : TOPIC,
      resourcePatternType: kafkajs.ResourcePatternTypes.LITERAL
    }
  })
  assert.isTrue(await admin.createAcls({ acl }))
}

describe("rights in Kafka", () => {
  it("are found missing all at once, though the topics can be seen, and given by the commands it prints", async () => {
    const { ALLOW } = kafkajs.AclPermissionTypes
    const seen = ["raw.orders.v1", "raw.clicks.v1", dlq].map((resourceName) => ({
      ...{ principal: "User:bronze", resourceName, host: "*", permissionType: ALLOW },
      operation: kafkajs.AclOperationTypes.DESCRIBE,
      resourceType: kafkajs.AclResourceTypes.TOPIC,
      resourcePatternType: kafkajs.ResourcePatternTypes.LITERAL
    }))
    const env = { ...asBronze(), ...onDuckDb("rights.db"), DLQ_TOPIC: dlq }
    assert.strictEqual(await start(env, ["init"]).exit, 0)

    const hidden = bad(await doctor(env))
    assert.lengthOf(hidden, 4)
    assert.include(hidden[0]?.detail, "does not exist, or this user may not see it")
    assert.include(hidden[0]?.remedy, "--create --topic raw.orders.v1 --partitions 3 --replication-factor 1")

    await admin.createAcls({ acl: seen })
    const unread = bad(await doctor(env))
    assert.deepStrictEqual(
      unread.map(({ check, detail }) => [check, detail]),
      [
        ["topic raw.orders.v1", "this user may see it, but not read it"],
        ["topic raw.clicks.v1", "this user may see it, but not read it"],
        [`topic ${dlq}`, "this user may not write to it (DLQ_TOPIC)"],
        ["consumer group", `this user may not join group ${group}`]
      ]
    )
    await runAcls(unread.map(({ remedy = "" }) => remedy))
    assert.deepStrictEqual(bad(await doctor(env)), [])
    // It asked whether it may write, and wrote nothing; it asked whether it may join, and nobody is there.
    assert.deepStrictEqual(await kafka.ends(dlq), [0])
    assert.deepStrictEqual(await kafka.members(group), [])
  }, 60_000)
})

describe("the way to Kafka", () => {
  const { raw, secure } = { raw: () => broker.port, secure: () => broker.secure }
  const at = (port: number, extra: Readonly<Record<string, string>> = {}) => ({
    KAFKA_BOOTSTRAP_SERVERS: `localhost:${port}`,
    ...extra
  })
  const sasl = { KAFKA_SASL_MECHANISM: "PLAIN", KAFKA_SASL_USERNAME: "bronze", KAFKA_SASL_PASSWORD: "wr0ng" }

  it.each([
    ["no listener", () => at(1), /^nothing listens on port 1 of localhost$/, /KAFKA_BOOTSTRAP_SERVERS/],
    [
      "no TLS on a TLS listener",
      () => at(secure().sslPort),
      /Closed connection/,
      /speaks TLS: set KAFKA_SECURITY_PROTOCOL=SSL$/
    ],
    [
      "TLS on a plain listener",
      () => at(raw(), { KAFKA_SECURITY_PROTOCOL: "SSL" }),
      /TLS/,
      /does not speak TLS: set KAFKA_SECURITY_PROTOCOL=PLAINTEXT/
    ],
    [
      "no login on a SASL listener",
      () => at(secure().saslPlaintextPort),
      /Closed/,
      /KAFKA_SECURITY_PROTOCOL=SASL_PLAINTEXT with/
    ],
    [
      "a login on a plain listener",
      () => at(raw(), { ...sasl, KAFKA_SECURITY_PROTOCOL: "SASL_PLAINTEXT" }),
      /SASL state/,
      /requires no login: set KAFKA_SECURITY_PROTOCOL=PLAINTEXT/
    ],
    [
      "a wrong password",
      () => at(secure().saslPlaintextPort, { ...sasl, KAFKA_SECURITY_PROTOCOL: "SASL_PLAINTEXT" }),
      /authentication failed/i,
      /KAFKA_SASL_USERNAME and KAFKA_SASL_PASSWORD/
    ],
    [
      "an unknown authority",
      () => at(secure().sslPort, { KAFKA_SECURITY_PROTOCOL: "SSL" }),
      /certificate/,
      /KAFKA_SSL_CA/
    ]
  ])("%s", async (_, env, detail, remedy) => {
    const findings = await doctor({ ...env(), ...onDuckDb("way.db") })
    const found = find(findings, "broker")
    assert.match(found?.detail ?? "", detail)
    assert.match(found?.remedy ?? "", remedy)
    assert.notInclude(JSON.stringify(findings), "wr0ng")
    assert.strictEqual(find(findings, "consumer group")?.state, "skipped")
  })
})

describe("Snowflake", () => {
  const env = (extra: Readonly<Record<string, string>> = {}) => ({
    ...plainly(),
    ...snowflakeAt(proxy.url),
    SNOWFLAKE_ROLE: "BRONZE_WRITER",
    ...extra
  })

  it("missing grants are found without writing, each with the GRANT of the real names", async () => {
    assert.strictEqual(await start(env(), ["init"]).exit, 0)
    assert.deepStrictEqual(bad(await doctor(env())), [])
    proxy.refuse(
      RefusingProxy.withoutGrant("CLICKS_RAW", /^INSERT INTO \S*"CLICKS_RAW"/),
      RefusingProxy.withoutGrant("CONSUMER_OFFSETS", /^(UPDATE|MERGE INTO) \S*"CONSUMER_OFFSETS"/)
    )
    assert.deepStrictEqual(
      bad(await doctor(env())).map(({ remedy }) => remedy),
      [
        'GRANT SELECT, INSERT ON TABLE "LAKE"."BRONZE"."CLICKS_RAW" TO ROLE BRONZE_WRITER;',
        'GRANT SELECT, INSERT, UPDATE ON TABLE "LAKE"."BRONZE"."CONSUMER_OFFSETS" TO ROLE BRONZE_WRITER;'
      ]
    )
    // At-least-once has no ledger to move.
    assert.lengthOf(bad(await doctor(env({ DELIVERY: "at-least-once" }))), 1)
  }, 60_000)

  it("names the role that is in force, and every table that is missing, also while no warehouse is selected", async () => {
    const [selected, tables, ...more] = bad(
      await doctor(env({ SNOWFLAKE_SCHEMA: "EMPTY", SNOWFLAKE_WAREHOUSE: "", SNOWFLAKE_ROLE: "" }))
    )
    assert.include(selected?.detail, "no warehouse is selected: SNOWFLAKE_WAREHOUSE is not set")
    assert.include(selected?.remedy, "TO ROLE PUBLIC;")
    assert.lengthOf(tables?.detail.split("\n") ?? [], 4)
    assert.match(tables?.remedy ?? "", /^bronze-consumer init, or if they are there: GRANT SELECT, INSERT ON TABLE/)
    assert.deepStrictEqual(more, [])
  })

  it.each([
    ["390144", "JWT token is invalid.", /^ALTER USER bronze SET RSA_PUBLIC_KEY/, { key: true }],
    ["390189", "Role 'BRONZE_WRITER' is not granted to this user.", /^GRANT ROLE BRONZE_WRITER TO USER bronze;/, {}],
    ["390100", "Incorrect username or password was specified.", /SNOWFLAKE_USER and SNOWFLAKE_PASSWORD/, {}]
  ])("a login refused with %s", async (code, message, remedy, { key = false }: { readonly key?: boolean }) => {
    const path = join(folder, "key.p8")
    const { privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 })
    await writeFile(path, privateKey.export({ type: "pkcs8", format: "pem" }))
    proxy.refuse({ what: "login", code, sqlState: "08001", message })
    const [found] = bad(await doctor(env(key ? { SNOWFLAKE_PASSWORD: "", SNOWFLAKE_PRIVATE_KEY_PATH: path } : {})))
    assert.include(found?.detail, `Snowflake refused user bronze: ${message.slice(0, -1)} (${code})`)
    assert.match(found?.remedy ?? "", remedy)
  })
})

describe("this machine", () => {
  it("clocks: a little off costs freshness, much costs the login", async () => {
    for (const [seconds, state, text] of [
      [12, "warning", /^1[123] s behind .*freshness is wrong/],
      [-90, "bad", /^(89|9[01]) s ahead of .*logins/],
      [0, "good", /^within \d s of/]
    ] as const) {
      const { close, url } = await clockAt(seconds)
      const found = find(await doctor({ ...plainly(), ...snowflakeAt(url) }), "clock")
      close()
      assert.strictEqual(found?.state, state)
      assert.match(found?.detail ?? "", text)
    }
  }, 60_000)

  it("records from the future are reported, with where they begin", async () => {
    await kafka.produce("raw.clicks.v1", [{ value: "{}", partition: 0 }])
    await kafka.produce("raw.clicks.v1", [
      { value: "{}", partition: 0, timestamp: String(Date.now() + 120_000) },
      { value: "{}", partition: 0 }
    ])
    const findings = await doctor({ ...plainly(), ...onDuckDb("future.db") })
    const found = findings.find(({ check, state }) => check === "topic raw.clicks.v1" && state === "warning")
    assert.match(found?.detail ?? "", /^partition 0 from offset 1 on has timestamps more than 5 s ahead/)
    assert.isFalse(findings.some(({ check, state }) => check === "topic raw.orders.v1" && state === "warning"))
  })

  it("records that Kafka no longer has are reported, with the command to continue", async () => {
    const topic = "raw.lost.v1"
    const env = { ...plainly(), ...onDuckDb("lost.db"), BRONZE_ROUTES: `${topic}=LOST_RAW`, CONSUMER_GROUP_ID: "lost" }
    await kafka.createTopic(topic)
    await kafka.produce(topic, [{ value: "{}" }, { value: "{}" }])
    assert.strictEqual(await start(env, ["init"]).exit, 0)
    assert.strictEqual(await start(env, ["reset", topic, "--to", "earliest"]).exit, 0)
    assert.deepStrictEqual(bad(await doctor(env)), [])
    await admin.fetchTopicOffsets(topic)
    await admin.deleteTopicRecords({ topic, partitions: [{ partition: 0, offset: "1" }] })
    assert.deepStrictEqual(
      bad(await doctor(env)).map(({ detail, remedy }) => [detail, remedy]),
      [
        [
          "offsets 0 to 0 of partition 0 are no longer in Kafka (retention); the topic is stopped",
          `bronze-consumer reset ${topic} --to earliest`
        ]
      ]
    )
    assert.deepStrictEqual(bad(await doctor({ ...env, OFFSETS_LOST: "continue" })), [])
  }, 60_000)

  it("makes no file, neither the database nor the log", async () => {
    const log = join(folder, "not-yet.log")
    const found = await doctor({ ...plainly(), ...onDuckDb("not-yet.db"), LOG_FILE: log })
    assert.deepStrictEqual(
      bad(found).map(({ detail, remedy }) => [detail, remedy]),
      [[`${join(folder, "not-yet.db")} does not exist yet`, "bronze-consumer init"]]
    )
    assert.strictEqual(find(found, "log file")?.state, "good")
    assert.notInclude((await readdir(folder)).join(), "not-yet")
  })

  it("a port in use by another program, or by the service", async () => {
    const { close, url } = await clockAt(0)
    const { port } = new URL(url)
    const env = { ...plainly(), ...onDuckDb("port.db"), HTTP_PORT: port }
    assert.strictEqual(await start(env, ["init"]).exit, 0)
    const taken = find(await doctor(env), "http port")
    assert.strictEqual(taken?.state, "warning")
    assert.include(taken?.detail, `another program listens on port ${port}`)
    close()
    assert.include(find(await doctor(env), "http port")?.detail, "is free")

    const service = start(env)
    await Promise.all([service.line(/Assigned/), service.line(/Live page/)])
    const findings = await doctor(env)
    assert.match(find(findings, "http port")?.detail ?? "", /^the service \(\S+\) answers at http:\/\/127\.0\.0\.1/)
    assert.match(find(findings, "warehouse")?.detail ?? "", /held by the running service; .* says it is ready$/)
    assert.match(find(findings, "consumer group")?.detail ?? "", /1 member \(Stable\)/)
    const status = start(env, ["status", "--json"])
    assert.strictEqual(await status.exit, 0, status.output())
    const { partitions, service: asked, tables }: StatusReport = JSON.parse(status.output())
    assert.strictEqual(asked?.url, `http://127.0.0.1:${port}`)
    assert.isTrue(partitions.every(({ source }) => source === "ledger"))
    assert.deepStrictEqual(
      tables.map(({ table }) => table),
      ["ORDERS_RAW", "CLICKS_RAW", "DEAD_LETTERS"]
    )
    // Another service that takes the same group for other topics would take partitions away that it does not read.
    const stranger = find(await doctor({ ...env, BRONZE_ROUTES: "raw.orders.v1=ORDERS_RAW" }), "consumer group")
    assert.match(stranger?.detail ?? "", /reads other topics \(raw\.orders\.v1, raw\.clicks\.v1\)/)
    assert.include(stranger?.remedy, "CONSUMER_GROUP_ID")
    service.signal("SIGTERM")
    assert.strictEqual(await service.exit, 0, service.output())
  }, 60_000)
})

/** A server with a clock of its own. */
const clockAt = async (seconds: number): Promise<{ readonly url: string; readonly close: () => void }> => {
  const server: Server = createServer((_, response) => {
    response.setHeader("date", new Date(Date.now() + seconds * 1000).toUTCString())
    response.end("{}")
  })
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve))
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, close: () => server.close() }
}
