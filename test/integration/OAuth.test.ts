/**
 * OAUTHBEARER on a real broker that verifies tokens by a key from a file: re-logins, rejected tokens, a token endpoint
 * that is down, and what is said of each.
 */
import { generateKeyPairSync } from "node:crypto"
import { appendFile, mkdtemp, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import * as Effect from "effect/Effect"
import { afterAll, afterEach, assert, beforeAll, beforeEach, describe, it } from "vitest"
import { type OAuthBroker, startOAuthBroker } from "../../scripts/kafka/broker.ts"
import { type BronzeProcess, killAll, start } from "../../scripts/support/bronzeProcess.ts"
import { examine } from "../../src/cli/doctor/Doctor.ts"
import * as Settings from "../../src/settings/Settings.ts"
import { duckDb } from "../support/Inspect.ts"
import { complete, coverage, type Job, makeJob } from "../support/Job.ts"
import { connect, eventually, messages, order, type RealKafka } from "../support/RealKafka.ts"
import * as TokenServer from "../support/TokenServer.ts"

const secret = "hush-hush-client"
let folder: string
let broker: OAuthBroker
let kafka: RealKafka
let endpoint: TokenServer.TokenServer
/** Each token that was issued, to be found in no output. */
let issued: Array<string>

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "bronze-oauth-"))
  broker = await startOAuthBroker({ dataDir: join(folder, "kafka") })
  kafka = await connect(broker.bootstrap)
  endpoint = await TokenServer.start()
})
beforeEach(async () => {
  await endpoint.open()
  issued = []
  endpoint.requests.length = 0
})
afterEach(killAll)
afterAll(async () => {
  await kafka?.close()
  await Promise.all([broker?.stop(), endpoint?.close()])
  await rm(folder, { recursive: true, force: true })
})

/** From now on the endpoint answers with tokens of so many seconds, with these claims, signed by this key. */
const grant = (
  life: number,
  claims: Readonly<Record<string, unknown>> = {},
  key?: Parameters<OAuthBroker["oauth"]["issue"]>[1]
): void =>
  endpoint.reply(() => {
    const exp = Math.floor(Date.now() / 1000) + life
    const token = broker.oauth.issue({ exp, ...claims }, key)
    issued.push(token)
    return { body: { access_token: token, expires_in: life } }
  })

const login = () => ({
  KAFKA_BOOTSTRAP_SERVERS: `127.0.0.1:${broker.oauth.port}`,
  KAFKA_SECURITY_PROTOCOL: "SASL_PLAINTEXT",
  KAFKA_SASL_MECHANISM: "OAUTHBEARER",
  KAFKA_OAUTH_TOKEN_URL: endpoint.url,
  KAFKA_OAUTH_CLIENT_ID: "bronze",
  KAFKA_OAUTH_CLIENT_SECRET: secret,
  KAFKA_OAUTH_SCOPE: "kafka",
  KAFKA_OAUTH_EXTENSIONS: "logicalCluster=lkc-abc12,identityPoolId=pool-Xy9"
})

const makeOne = async (name: string) => {
  const path = join(folder, `${name}.duckdb`)
  const job = await makeJob(kafka, { SINK: "duckdb", DUCKDB_PATH: path })
  // A member that cannot log in any more cannot leave the group either.
  return { job, path, env: { ...job.env, BATCH_TIMEOUT: "0.5", KAFKA_SESSION_TIMEOUT: "6", ...login() } }
}

const wrote = (service: BronzeProcess, { group, orders }: Job, count: number): Promise<unknown> =>
  eventually(
    () => kafka.committed(group, orders),
    ([committed]) => committed === count,
    60_000
  ).catch((error: unknown) => assert.fail(`${error}\n${service.output()}`))

/** Each record is there once; neither a token nor the secret was written anywhere. */
const ended = async (service: BronzeProcess, job: Job, path: string, count: number): Promise<void> => {
  service.signal("SIGTERM")
  assert.strictEqual(await service.exit, 0, service.output())
  const inspect = await duckDb(path)
  assert.deepStrictEqual(await coverage(inspect, job.ordersTable), complete([count]))
  await inspect.close()
  hasNoSecret(service.output())
}

const hasNoSecret = (text: string): void => {
  assert.isAbove(issued.length + endpoint.requests.length, 0)
  for (const hidden of [secret, ...issued]) assert.notInclude(text, hidden)
}

describe("OAUTHBEARER", () => {
  it("consumes and commits over several tokens, without losing the connection", async () => {
    grant(6)
    const { env, job, path } = await makeOne("lives")
    const service = start({ ...env, LOG_LEVEL: "DEBUG" })
    let count = 0
    while (endpoint.requests.length < 5) {
      await kafka.produce(job.orders, messages(10, order, count))
      count += 10
      await wrote(service, job, count)
    }
    // The first token lives for 6 seconds, so that the fifth comes well after its end.
    assert.isAbove(Date.now() / 1000, JSON.parse(Buffer.from(issued[0]?.split(".")[1] ?? "", "base64").toString()).exp)
    await ended(service, job, path, count)
    assert.notMatch(service.output(), /Lost connection|unreachable|WARNING|ERROR/)
    assert.deepStrictEqual(endpoint.requests[0], {
      login: `bronze:${secret}`,
      form: { grant_type: "client_credentials", scope: "kafka" }
    })
  })

  it.each([
    ["another key", {}, generateKeyPairSync("rsa", { modulusLength: 2048 }).privateKey, /audience kafka, .*valid for/],
    ["another audience", { aud: "other" }, undefined, /issuer https:\/\/issuer\.test, audience other, subject bronze/],
    ["its end in the past", { exp: Math.floor(Date.now() / 1000) - 60 }, undefined, /expired \d+ s ago/]
  ])("a token with %s is a login fault, in the log and in doctor", async (_, claims, key, about) => {
    grant(300, claims, key)
    const { env } = await makeOne("rejected")
    const service = start(env)
    assert.strictEqual(await service.exit, 78, service.output())
    assert.match(service.output(), /ERROR - .*rejected the token \(invalid_token\)/)
    assert.match(service.output(), about)
    hasNoSecret(service.output())

    const findings = await Effect.runPromise(examine(Settings.environment({ LOG_FILE: "", HTTP_PORT: "0", ...env })))
    const found = findings.find(({ check }) => check === "broker")
    assert.strictEqual(found?.state, "bad")
    assert.match(found?.detail ?? "", /rejected the token/)
    assert.match(found?.remedy ?? "", /sasl\.oauthbearer\.expected\.audience/)
    hasNoSecret(JSON.stringify(findings))
  })

  it("a client that the endpoint refuses is a login fault with its variables", async () => {
    endpoint.reply(() => ({ status: 401, body: { error: "invalid_client" } }))
    const { env } = await makeOne("refused")
    const service = start(env)
    assert.strictEqual(await service.exit, 78, service.output())
    assert.match(service.output(), /ERROR - .*refused client bronze \(401: invalid_client\).*KAFKA_OAUTH_CLIENT_SECRET/)
    const doctor = start(env, ["doctor"])
    assert.strictEqual(await doctor.exit, 1, doctor.output())
    assert.match(doctor.output(), /refused client bronze \(401: invalid_client\)/)
    hasNoSecret(service.output() + doctor.output())
  })

  it("doctor logs in, and names the login", async () => {
    grant(300)
    const { env } = await makeOne("doctor")
    const doctor = start(env, ["doctor"])
    assert.strictEqual(await doctor.exit, 0, doctor.output())
    assert.match(doctor.output(), /cluster \S+ as client bronze \(oauthbearer\): 127\.0\.0\.1/)
    hasNoSecret(doctor.output())
  })

  it("an endpoint that is down, at the start and later, costs nothing but delay", async () => {
    // A connection logs in again after 17 seconds, with the token that it has, and once more when that has ended.
    grant(20)
    const { env, job, path } = await makeOne("down")
    await endpoint.close()
    const service = start(env)
    await service.line(/ERROR - .*unreachable: .*the token endpoint .*Retrying/)
    const doctor = start(env, ["doctor"])
    assert.strictEqual(await doctor.exit, 1, doctor.output())
    assert.match(doctor.output(), /Check KAFKA_OAUTH_TOKEN_URL, and that 127\.0\.0\.1:\d+ can be reached/)
    await endpoint.open()
    await kafka.produce(job.orders, messages(10, order))
    await wrote(service, job, 10)

    await endpoint.close()
    await service.line(/WARNING - Could not renew the token for Kafka: .*the last one is still valid/)
    await service.line(/WARNING - Lost connection to Kafka: .*the token endpoint/)
    await kafka.produce(job.orders, messages(10, order, 10))
    await endpoint.open()
    await wrote(service, job, 20)
    await ended(service, job, path, 20)
  })

  it("a key that the broker does not know yet is reported, and the next token with a known one works", async () => {
    grant(6)
    const { env, job, path } = await makeOne("keys")
    const service = start(env)
    await kafka.produce(job.orders, messages(10, order))
    await wrote(service, job, 10)
    grant(6, {}, generateKeyPairSync("rsa", { modulusLength: 2048 }).privateKey)
    await service.line(/WARNING - Lost connection to Kafka: .*rejected the token/)
    grant(6)
    await kafka.produce(job.orders, messages(10, order, 10))
    await wrote(service, job, 20)
    await ended(service, job, path, 20)
  })
})

describe("the rights of a token", () => {
  it("are those of its subject, whom doctor's commands name", async () => {
    const authorizer = "org.apache.kafka.metadata.authorizer.StandardAuthorizer"
    const properties = join(folder, "kafka", "server.properties")
    await appendFile(properties, `authorizer.class.name=${authorizer}\nsuper.users=User:ANONYMOUS\n`)
    await broker.restart()
    grant(300, { sub: "0f3c-bronze" })
    const { env, job } = await makeOne("rights")
    const doctor = start({ ...env, KAFKA_OAUTH_EXTENSIONS: "" }, ["doctor"])
    assert.strictEqual(await doctor.exit, 1, doctor.output())
    for (const words of [`topic ${job.orders}`, `group ${job.group}`])
      assert.include(doctor.output(), `--allow-principal "User:0f3c-bronze" --operation READ --${words}`)
  })
})
