/**
 * A topic that this user may not read stops only itself, is named, and is read once the right is given, while the
 * service runs.
 */
import { appendFile, mkdtemp, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import kafkajs, { type Admin } from "kafkajs"
import { afterAll, afterEach, assert, beforeAll, describe, it } from "vitest"
import { type SecureBroker, startSecureBroker } from "../../scripts/kafka/broker.ts"
import { killAll, start } from "../../scripts/support/bronzeProcess.ts"
import { makeJob } from "../support/Job.ts"
import { click, connect, messages, order, type RealKafka } from "../support/RealKafka.ts"

let folder: string
let broker: SecureBroker
let kafka: RealKafka
let admin: Admin

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "bronze-rights-"))
  const dataDir = join(folder, "kafka")
  broker = await startSecureBroker({ dataDir })
  // Rights are looked at from now on; who comes over the plain listener may do everything.
  const authorizer = "org.apache.kafka.metadata.authorizer.StandardAuthorizer"
  await appendFile(
    join(dataDir, "server.properties"),
    `authorizer.class.name=${authorizer}\nsuper.users=User:ANONYMOUS\n`
  )
  await broker.restart()
  kafka = await connect(broker.bootstrap)
  admin = new kafkajs.Kafka({ brokers: [broker.bootstrap], logLevel: kafkajs.logLevel.NOTHING }).admin()
  await admin.connect()
})
afterEach(killAll)
afterAll(async () => {
  await Promise.all([kafka?.close(), admin?.disconnect()])
  await broker?.stop()
  await rm(folder, { recursive: true, force: true })
})

const { DESCRIBE, READ } = kafkajs.AclOperationTypes
const { GROUP, TOPIC } = kafkajs.AclResourceTypes

const acl = (operation: typeof READ | typeof DESCRIBE, resourceType: typeof TOPIC | typeof GROUP, name: string) => ({
  ...{ principal: "User:bronze", host: "*", permissionType: kafkajs.AclPermissionTypes.ALLOW },
  ...{ operation, resourceType, resourceName: name, resourcePatternType: kafkajs.ResourcePatternTypes.LITERAL }
})

describe("the right to read a topic", () => {
  it("that is missing, is given, and is taken away stops no other topic", async () => {
    const job = await makeJob(kafka, {
      SINK: "duckdb",
      DUCKDB_PATH: join(folder, "rights.duckdb"),
      BATCH_TIMEOUT: "0.3"
    })
    const clicks = [acl(READ, TOPIC, job.clicks), acl(READ, GROUP, job.group)]
    await admin.createAcls({ acl: [...clicks, acl(DESCRIBE, TOPIC, job.orders)] })
    const service = start({
      ...job.env,
      KAFKA_BOOTSTRAP_SERVERS: `127.0.0.1:${broker.secure.saslPlaintextPort}`,
      KAFKA_SECURITY_PROTOCOL: "SASL_PLAINTEXT",
      KAFKA_SASL_MECHANISM: "SCRAM-SHA-256",
      KAFKA_SASL_USERNAME: broker.secure.username,
      KAFKA_SASL_PASSWORD: broker.secure.password
    })
    const unread = new RegExp(`ERROR - Topic ${job.orders} is not read: this user may see it, but not read it`)
    await service.line(unread)
    await kafka.produce(job.clicks, messages(2, click))
    await service.line(/Inserted 2 /)

    await admin.createAcls({ acl: [acl(READ, TOPIC, job.orders)] })
    await kafka.produce(job.orders, messages(3, order))
    await service.line(/Inserted 3 /)

    const from = service.lines.length
    await admin.deleteAcls({ filters: [acl(READ, TOPIC, job.orders)] })
    await service.line(unread, { from })
    await kafka.produce(job.clicks, messages(4, click))
    await service.line(/Inserted 4 /)
    service.signal("SIGTERM")
    assert.strictEqual(await service.exit, 0, service.output())
  })
})
