/** Settings: defaults, every malformed value by name, all problems at once, cross checks, and no secret in any text. */
import { generateKeyPairSync } from "node:crypto"
import { mkdtempSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { assert, describe, it } from "@effect/vitest"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import * as Runtime from "effect/Runtime"
import { hints } from "../../../src/settings/Hints.ts"
import * as Settings from "../../../src/settings/Settings.ts"
import { table } from "../../../src/settings/Variables.ts"
import { makeCertificate } from "../../support/certificates.ts"

const login = {
  SNOWFLAKE_ACCOUNT: "myorg-me",
  SNOWFLAKE_USER: "LOADER",
  SNOWFLAKE_DATABASE: "RAW",
  SNOWFLAKE_PASSWORD: "s3cret-of-mine"
}
const duckdb = { SINK: "duckdb" }

const load = (env: Record<string, string>) => Settings.load.pipe(Effect.provide(Settings.environment(env)))
const problemsOf = (env: Record<string, string>) =>
  Effect.flip(load(env)).pipe(Effect.map((error) => [...error.problems]))
const hintsOf = (env: Record<string, string>) => hints.pipe(Effect.provide(Settings.environment(env)))

const folder = mkdtempSync(join(tmpdir(), "bronze-settings-"))
const pem = (passphrase?: string) =>
  generateKeyPairSync("rsa", { modulusLength: 2048 }).privateKey.export({
    type: "pkcs8",
    format: "pem",
    ...(passphrase ? { cipher: "aes-256-cbc", passphrase } : {})
  })
const file = (name: string, content: string | Buffer): string => {
  const path = join(folder, name)
  writeFileSync(path, content)
  return path
}

describe("defaults", () => {
  it.effect("are those of the design", () =>
    Effect.gen(function* () {
      const settings = yield* load(duckdb)
      assert.deepStrictEqual(settings.kafka, {
        brokers: ["localhost:19092"],
        ssl: undefined,
        sasl: undefined,
        group: "bronze-consumer-group",
        autoOffsetReset: "earliest",
        sessionTimeout: Duration.seconds(30),
        ledgerMissing: "stop",
        offsetsLost: "stop"
      })
      assert.deepStrictEqual(
        settings.routes.map(({ table, topic }) => [topic, table.name, table.columns.map(({ name }) => name)]),
        [
          ["raw.orders.v1", "ORDERS_RAW", ["ORDER_ID", "USER_ID"]],
          ["raw.clicks.v1", "CLICKS_RAW", ["USER_ID", "ITEM_ID"]]
        ]
      )
      assert.deepStrictEqual(
        [settings.batch.size, Duration.toMillis(settings.batch.timeout), Duration.toMillis(settings.shutdownTimeout)],
        [100, 5000, 25_000]
      )
      assert.deepStrictEqual(settings.write, { maxRows: 50_000, maxBytes: 8_388_608, concurrency: 4 })
      assert.strictEqual(settings.bufferMaxBytes, 67_108_864)
      assert.deepStrictEqual(
        [settings.delivery, settings.tombstones, settings.dlqTopic],
        ["exactly-once", "insert", undefined]
      )
      assert.deepStrictEqual(settings.sink, { _tag: "DuckDb", path: "bronze.duckdb" })
      assert.deepStrictEqual(settings.log, { level: "Info", format: "text", file: "/tmp/bronze_consumer.log" })
      assert.deepStrictEqual(settings.http, { host: "127.0.0.1", port: 9464, showEvents: false, token: undefined })
      assert.deepStrictEqual(
        [settings.readyMaxPending, settings.progressTimeout],
        [Duration.seconds(60), Duration.seconds(300)]
      )
    })
  )

  it.effect("an empty variable counts as absent, but an empty LOG_FILE says none", () =>
    Effect.gen(function* () {
      const settings = yield* load({ ...duckdb, BATCH_SIZE: "", LOG_FILE: "", KAFKA_SSL_CA: "" })
      assert.strictEqual(settings.batch.size, 100)
      assert.strictEqual(settings.log.file, undefined)
    })
  )
})

const malformed: ReadonlyArray<readonly [name: string, value: string, problem: string]> = [
  ["KAFKA_BOOTSTRAP_SERVERS", "localhost", 'expected host:port, …, got "localhost"'],
  ["KAFKA_BOOTSTRAP_SERVERS", "a:1, PLAINTEXT://b:2", 'expected host:port, …, got "PLAINTEXT://b:2"'],
  [
    "KAFKA_BOOTSTRAP_SERVERS",
    "u:p@a:9092",
    "expected host:port, …, got one with a user or a password in it: KAFKA_SASL_USERNAME and KAFKA_SASL_PASSWORD take these"
  ],
  ["KAFKA_BOOTSTRAP_SERVERS", "a:70000", 'expected host:port, …, got "a:70000"'],
  [
    "KAFKA_SECURITY_PROTOCOL",
    "SASL-SSL",
    'expected one of PLAINTEXT, SSL, SASL_PLAINTEXT, SASL_SSL, got "SASL-SSL" (did you mean SASL_SSL?)'
  ],
  [
    "KAFKA_SASL_MECHANISM",
    "SCRAM",
    'expected one of PLAIN, SCRAM-SHA-256, SCRAM-SHA-512, OAUTHBEARER, AWS_MSK_IAM, got "SCRAM"'
  ],
  ["CONSUMER_GROUP_ID", "  ", 'expected a consumer group, not blank, got "  "'],
  ["CONSUMER_GROUP_ID", "#lock:g", 'expected a consumer group that does not begin with #, got "#lock:g"'],
  ["AUTO_OFFSET_RESET", "earlist", 'expected one of earliest, latest, got "earlist" (did you mean earliest?)'],
  ["BRONZE_ROUTES", "raw.orders.v1", '"raw.orders.v1" is not of the form topic=TABLE(COLUMN=json.path:TYPE,…)'],
  ["BATCH_SIZE", "0", 'expected a whole number from 1 to 1000000, got "0"'],
  ["BATCH_SIZE", "1e2", 'expected a whole number from 1 to 1000000, got "1e2"'],
  ["BATCH_TIMEOUT", "5s", 'expected a number of seconds from 0.01 to 3600 (5 or 0.5, without a unit), got "5s"'],
  ["BATCH_TIMEOUT", "-1", 'expected a number of seconds from 0.01 to 3600 (5 or 0.5, without a unit), got "-1"'],
  ["WRITE_MAX_ROWS", "many", 'expected a whole number from 1 to 1000000, got "many"'],
  ["WRITE_MAX_BYTES", "1 MiX", 'expected a size from 1KiB to 1024MiB (1048576, 1MiB or 8 MB), got "1 MiX"'],
  ["WRITE_CONCURRENCY", "65", 'expected a whole number from 1 to 64, got "65"'],
  ["BUFFER_MAX_BYTES", "1", 'expected a size from 1MiB to 65536MiB (1048576, 1MiB or 8 MB), got "1"'],
  [
    "DELIVERY",
    "exactly_once",
    'expected one of exactly-once, at-least-once, got "exactly_once" (did you mean exactly-once?)'
  ],
  ["TOMBSTONES", "drop", 'expected one of insert, skip, got "drop"'],
  ["DLQ_TOPIC", "a topic", 'expected a topic name (letters, digits, dot, underscore, hyphen), got "a topic"'],
  ["SNOWFLAKE_ROLE", " ", 'expected a role, not blank, got " "'],
  ["SNOWFLAKE_USER", "\t", 'expected a user, not blank, got "\\t"'],
  ["SNOWFLAKE_HOST", "  ", 'expected a host name, host:port or http(s)://host:port, without a path, got "  "'],
  ["LOG_LEVEL", "verbose", 'expected one of DEBUG, INFO, WARNING, ERROR, got "verbose"'],
  ["LOG_FORMAT", "xml", 'expected one of text, json, got "xml"'],
  ["HTTP_TOKEN", "two words", "expected a token of visible ASCII characters, without blanks and line breaks"],
  ["HTTP_PORT", "99999", 'expected a whole number from 0 to 65535, got "99999"'],
  ["SHUTDOWN_TIMEOUT", "", ""],
  ["SHUTDOWN_TIMEOUT", "0", 'expected a number of seconds from 0.1 to 3600 (5 or 0.5, without a unit), got "0"'],
  ["DUCKDB_PATH", ":memory:", 'expected the path of a file, and no other database, got ":memory:"'],
  [
    "DUCKDB_PATH",
    "md:lake",
    'expected the path of a file, and no other database, got "md:lake"; a file of that name is written with ./ before it'
  ],
  ["DUCKDB_PATH", "s3://lake/x.db", 'expected the path of a file, and no other database, got "s3://lake/x.db"'],
  ["DUCKDB_PATH", "/nowhere/at/all.duckdb", 'expected a file in a folder that exists, got "/nowhere/at/all.duckdb"']
]

describe("a malformed value is refused by name, with what was expected", () => {
  for (const [name, value, problem] of malformed.filter(([, value]) => value !== ""))
    it.effect(`${name}=${JSON.stringify(value)}`, () =>
      Effect.gen(function* () {
        assert.deepStrictEqual(yield* problemsOf({ ...duckdb, [name]: value }), [`${name}: ${problem}`])
      })
    )

  it.effect("all at once, each variable once, exit code 78", () =>
    Effect.gen(function* () {
      const first = new Map(malformed.filter(([, value]) => value !== "").map(([name, value]) => [name, value]))
      const error = yield* Effect.flip(load({ ...duckdb, ...Object.fromEntries(first) }))
      assert.deepStrictEqual(
        [...new Set(error.problems.map((problem) => problem.split(":")[0]))].sort(),
        [...first.keys()].sort()
      )
      assert.strictEqual(error.problems.length, first.size)
      assert.strictEqual(Runtime.getErrorExitCode(error), 78)
    })
  )

  it.effect("routes with + before them come besides the default ones", () =>
    Effect.gen(function* () {
      const topics = (text: string) =>
        Effect.map(load({ ...duckdb, BRONZE_ROUTES: text }), ({ routes }) => routes.map(({ topic }) => topic))
      const added = ["raw.orders.v1", "raw.clicks.v1", "raw.payments.v1"]
      assert.deepStrictEqual(yield* topics("+raw.payments.v1=PAYMENTS_RAW(ID=id:NUMBER)"), added)
      assert.deepStrictEqual(yield* topics(" + raw.payments.v1=PAYMENTS_RAW"), added)
      assert.deepStrictEqual(yield* topics("raw.payments.v1=PAYMENTS_RAW"), ["raw.payments.v1"])
      assert.match((yield* problemsOf({ ...duckdb, BRONZE_ROUTES: "+raw.orders.v1=X" }))[0] ?? "", /raw\.orders\.v1/)
    })
  )

  it.effect("several problems of one variable are all told", () =>
    Effect.gen(function* () {
      const problems = yield* problemsOf({ ...duckdb, BRONZE_ROUTES: "a=T(X=x:INT), a=T, b" })
      assert.isAbove(problems.length, 2)
      assert.isTrue(problems.every((problem) => problem.startsWith("BRONZE_ROUTES: ")))
    })
  )
})

describe("units and case", () => {
  for (const [value, size] of [
    ["1048576", 1_048_576],
    ["1MiB", 1_048_576],
    ["2 mib", 2_097_152],
    ["8 MB", 8_000_000],
    ["512KiB", 524_288],
    ["0.5MiB", 524_288],
    ["1M", 1_000_000]
  ] as const)
    it.effect(`WRITE_MAX_BYTES=${value}`, () =>
      Effect.gen(function* () {
        assert.strictEqual((yield* load({ ...duckdb, WRITE_MAX_BYTES: value })).write.maxBytes, size)
      })
    )
  for (const [value, level] of [
    ["info", "Info"],
    ["WARNING", "Warn"],
    ["Warn", "Warn"],
    ["debug", "Debug"],
    ["ERROR", "Error"]
  ] as const)
    it.effect(`LOG_LEVEL=${value}`, () =>
      Effect.gen(function* () {
        assert.strictEqual((yield* load({ ...duckdb, LOG_LEVEL: value })).log.level, level)
      })
    )
  it.effect("BATCH_TIMEOUT=0.25", () =>
    Effect.gen(function* () {
      assert.strictEqual(Duration.toMillis((yield* load({ ...duckdb, BATCH_TIMEOUT: "0.25" })).batch.timeout), 250)
    })
  )
})

describe("settings that need each other", () => {
  it.effect("nothing set: Snowflake's needs are told together", () =>
    Effect.gen(function* () {
      assert.deepStrictEqual(yield* problemsOf({}), [
        "SNOWFLAKE_ACCOUNT: is required with SINK=snowflake (or SNOWFLAKE_HOST)",
        "SNOWFLAKE_USER: is required with SINK=snowflake",
        "SNOWFLAKE_DATABASE: is required with SINK=snowflake",
        "SNOWFLAKE_PASSWORD: is required to log in (or SNOWFLAKE_PRIVATE_KEY_PATH, or SNOWFLAKE_TOKEN)"
      ])
    })
  )
  it.effect("a sink that there is none of: what the others need is not asked for", () =>
    Effect.gen(function* () {
      assert.deepStrictEqual(yield* problemsOf({ SINK: "bigquery" }), [
        'SINK: expected one of snowflake, duckdb, got "bigquery"'
      ])
    })
  )
  it.effect("a malformed value is not called missing as well", () =>
    Effect.gen(function* () {
      assert.deepStrictEqual(yield* problemsOf({ ...login, SNOWFLAKE_USER: " " }), [
        'SNOWFLAKE_USER: expected a user, not blank, got " "'
      ])
    })
  )
  it.effect("an account given as an address", () =>
    Effect.gen(function* () {
      const problems = yield* problemsOf({ ...login, SNOWFLAKE_ACCOUNT: "https://x.snowflakecomputing.com" })
      assert.strictEqual(problems.length, 1)
      assert.match(problems[0] ?? "", /^SNOWFLAKE_ACCOUNT: expected an account identifier such as/)
    })
  )
  it.effect("a host stands in for the account", () =>
    Effect.gen(function* () {
      const { SNOWFLAKE_ACCOUNT: _, ...rest } = login
      const { sink } = yield* load({ ...rest, SNOWFLAKE_HOST: "http://127.0.0.1:8086" })
      assert.deepInclude(sink, { _tag: "Snowflake", account: "local", host: "http://127.0.0.1:8086", schema: "BRONZE" })
    })
  )
  it.effect("WRITE_MAX_BYTES above BUFFER_MAX_BYTES, WRITE_MAX_ROWS below BATCH_SIZE, DLQ_TOPIC that is consumed", () =>
    Effect.gen(function* () {
      assert.deepStrictEqual(
        yield* problemsOf({
          ...duckdb,
          WRITE_MAX_BYTES: "2MiB",
          BUFFER_MAX_BYTES: "1MiB",
          BATCH_SIZE: "60000",
          DLQ_TOPIC: "raw.orders.v1"
        }),
        [
          "WRITE_MAX_BYTES: expected at most BUFFER_MAX_BYTES (1MiB), got 2MiB",
          "WRITE_MAX_ROWS: expected at least BATCH_SIZE (60000), got 50000",
          'DLQ_TOPIC: expected a topic that is not consumed, got "raw.orders.v1"'
        ]
      )
    })
  )
  it.effect("SASL needs mechanism, user and password", () =>
    Effect.gen(function* () {
      const problems = yield* problemsOf({ ...duckdb, KAFKA_SECURITY_PROTOCOL: "sasl_ssl" })
      assert.deepStrictEqual(
        problems.map((problem) => problem.split(":")[0]),
        ["KAFKA_SASL_MECHANISM", "KAFKA_SASL_USERNAME", "KAFKA_SASL_PASSWORD"]
      )
    })
  )
  it.effect("OAUTHBEARER needs endpoint, client and secret; AWS_MSK_IAM a region, unless the brokers tell it", () =>
    Effect.gen(function* () {
      const sasl = { ...duckdb, KAFKA_SECURITY_PROTOCOL: "SASL_SSL" }
      assert.deepStrictEqual(yield* problemsOf({ ...sasl, KAFKA_SASL_MECHANISM: "OAUTHBEARER" }), [
        "KAFKA_OAUTH_TOKEN_URL: is required with KAFKA_SASL_MECHANISM=OAUTHBEARER",
        "KAFKA_OAUTH_CLIENT_ID: is required with KAFKA_SASL_MECHANISM=OAUTHBEARER",
        "KAFKA_OAUTH_CLIENT_SECRET: is required with KAFKA_SASL_MECHANISM=OAUTHBEARER"
      ])
      const { kafka } = yield* load({
        ...sasl,
        KAFKA_SASL_MECHANISM: "oauthbearer",
        KAFKA_OAUTH_TOKEN_URL: "https://login.example.com/oauth2/token",
        KAFKA_OAUTH_CLIENT_ID: "bronze",
        KAFKA_OAUTH_CLIENT_SECRET_FILE: file("client-secret", "hush\n"),
        KAFKA_OAUTH_SCOPE: "api://kafka/.default",
        KAFKA_OAUTH_EXTENSIONS: "logicalCluster=lkc-abc12, identityPoolId=pool-Xy9="
      })
      const { clientSecret, ...login } = kafka.sasl?._tag === "OAuth" ? kafka.sasl : assert.fail()
      assert.strictEqual(Redacted.value(clientSecret), "hush")
      assert.deepStrictEqual(login, {
        ...{ _tag: "OAuth", tokenUrl: "https://login.example.com/oauth2/token", clientId: "bronze" },
        scope: "api://kafka/.default",
        extensions: { logicalCluster: "lkc-abc12", identityPoolId: "pool-Xy9=" }
      })
      const iam = { ...sasl, KAFKA_SASL_MECHANISM: "AWS_MSK_IAM" }
      assert.deepStrictEqual(yield* problemsOf(iam), [
        "KAFKA_AWS_REGION: is required with KAFKA_SASL_MECHANISM=AWS_MSK_IAM"
      ])
      const regionAt = (broker: string) =>
        Effect.map(load({ ...iam, KAFKA_BOOTSTRAP_SERVERS: broker }), ({ kafka }) => kafka.sasl)
      for (const name of ["b-1.mine.abc123.c2.kafka", "boot-x1.c3.kafka-serverless"])
        assert.deepStrictEqual(yield* regionAt(`${name}.eu-central-1.amazonaws.com:9098`), {
          _tag: "AwsIam",
          region: "eu-central-1"
        })
    })
  )
  it.effect("SASL_SSL with all there is", () =>
    Effect.gen(function* () {
      const { cert, key } = makeCertificate(folder, "me")
      const ca = file("ca.pem", cert)
      const { kafka } = yield* load({
        ...duckdb,
        KAFKA_SECURITY_PROTOCOL: "SASL_SSL",
        KAFKA_SASL_MECHANISM: "scram-sha-512",
        KAFKA_SASL_USERNAME: "me",
        KAFKA_SASL_PASSWORD: "hush",
        KAFKA_SSL_CA: ca,
        KAFKA_SSL_CERT: cert,
        KAFKA_SSL_KEY: file("key.pem", key)
      })
      assert.deepInclude(kafka.sasl, { _tag: "Password", mechanism: "scram-sha-512", username: "me" })
      assert.strictEqual(kafka.ssl?.ca, cert)
      assert.strictEqual(kafka.ssl?.cert, cert.trim())
      assert.include(kafka.ssl?.key && Redacted.value(kafka.ssl.key), "PRIVATE KEY")
    })
  )
  it.effect("TLS files that do not exist, not PEM, or without their other half", () =>
    Effect.gen(function* () {
      assert.deepStrictEqual(
        yield* problemsOf({
          ...duckdb,
          KAFKA_SECURITY_PROTOCOL: "SSL",
          KAFKA_SSL_CA: "/nowhere/ca.pem",
          KAFKA_SSL_CERT: file("not.pem", "hello")
        }),
        [
          'KAFKA_SSL_CA: expected a file that can be read, got "/nowhere/ca.pem" (NotFound)',
          "KAFKA_SSL_CERT: expected PEM text in the file, got something else",
          "KAFKA_SSL_KEY: is required with KAFKA_SSL_CERT"
        ]
      )
    })
  )
})

describe("the way to log in", () => {
  const { SNOWFLAKE_PASSWORD: _, ...account } = login
  const tagOf = (env: Record<string, string>) =>
    Effect.map(load({ ...account, ...env }), ({ sink }) => (sink._tag === "Snowflake" ? sink.credentials._tag : "none"))
  const key = file("plain.p8", pem())
  const encrypted = file("encrypted.p8", pem("open sesame"))
  it.effect("is inferred", () =>
    Effect.gen(function* () {
      assert.strictEqual(yield* tagOf({ SNOWFLAKE_PASSWORD: "p" }), "Password")
      assert.strictEqual(yield* tagOf({ SNOWFLAKE_PASSWORD: "p", SNOWFLAKE_PRIVATE_KEY_PATH: key }), "KeyPair")
      assert.strictEqual(yield* tagOf({ SNOWFLAKE_TOKEN: "t" }), "AccessToken")
      assert.strictEqual(yield* tagOf({ SNOWFLAKE_TOKEN: "t", SNOWFLAKE_AUTHENTICATOR: "OAUTH" }), "OAuth")
      assert.strictEqual(
        yield* tagOf({ SNOWFLAKE_PRIVATE_KEY_PATH: encrypted, SNOWFLAKE_PRIVATE_KEY_PASSPHRASE: "open sesame" }),
        "KeyPair"
      )
    })
  )
  it.effect("or said to be incomplete", () =>
    Effect.gen(function* () {
      const problems = (env: Record<string, string>) => problemsOf({ ...account, ...env })
      assert.deepStrictEqual(yield* problems({ SNOWFLAKE_AUTHENTICATOR: "oauth" }), [
        "SNOWFLAKE_TOKEN: is required with SNOWFLAKE_AUTHENTICATOR=oauth"
      ])
      assert.deepStrictEqual(yield* problems({ SNOWFLAKE_PRIVATE_KEY_PATH: "/nowhere/key.p8" }), [
        'SNOWFLAKE_PRIVATE_KEY_PATH: expected a file that can be read, got "/nowhere/key.p8" (NotFound)'
      ])
      assert.deepStrictEqual(yield* problems({ SNOWFLAKE_PRIVATE_KEY_PATH: encrypted }), [
        `SNOWFLAKE_PRIVATE_KEY_PASSPHRASE: is required because the key in ${encrypted} is encrypted`
      ])
      assert.deepStrictEqual(
        yield* problems({ SNOWFLAKE_PRIVATE_KEY_PATH: encrypted, SNOWFLAKE_PRIVATE_KEY_PASSPHRASE: "wrong-s3cret" }),
        [`SNOWFLAKE_PRIVATE_KEY_PASSPHRASE: does not open the private key in ${encrypted}`]
      )
    })
  )
})

describe("secrets", () => {
  it.effect("of the login with a token stand in no text either", () =>
    Effect.gen(function* () {
      const settings = yield* load({
        ...login,
        KAFKA_SECURITY_PROTOCOL: "SASL_SSL",
        KAFKA_SASL_MECHANISM: "OAUTHBEARER",
        KAFKA_OAUTH_TOKEN_URL: "https://login.example.com/token",
        KAFKA_OAUTH_CLIENT_ID: "bronze",
        KAFKA_OAUTH_CLIENT_SECRET: "k-s3cret"
      })
      const described = Settings.describe(settings)
      assert.notInclude(JSON.stringify(settings) + JSON.stringify(described), "k-s3cret")
      assert.strictEqual(described["kafka"], "localhost:19092 over TLS as client bronze (oauthbearer)")
      const problems = yield* problemsOf({ ...login, KAFKA_OAUTH_TOKEN_URL: "https://me:k-s3cret@login.example.com/" })
      assert.lengthOf(problems, 1)
      assert.notInclude(problems.join(), "k-s3cret")
    })
  )
  it.effect("stand in no text made of the settings", () =>
    Effect.gen(function* () {
      const settings = yield* load({
        ...login,
        KAFKA_SECURITY_PROTOCOL: "SASL_PLAINTEXT",
        KAFKA_SASL_MECHANISM: "PLAIN",
        KAFKA_SASL_USERNAME: "me",
        KAFKA_SASL_PASSWORD: "k-s3cret"
      })
      const shown = JSON.stringify(settings) + String(settings.sink) + JSON.stringify(Settings.describe(settings))
      assert.notInclude(shown, "s3cret")
      assert.include(JSON.stringify(Settings.describe(settings)), "LOADER")
    })
  )
  it.effect("nor in a problem", () =>
    Effect.gen(function* () {
      const error = yield* Effect.flip(
        load({
          ...login,
          KAFKA_SECURITY_PROTOCOL: "SSL",
          KAFKA_SSL_KEY: "s3cret-key-text",
          SNOWFLAKE_TOKEN: "   ",
          SNOWFLAKE_PASSWORD: "s3cret"
        })
      )
      assert.notInclude(`${error.message} ${JSON.stringify(error)}`, "s3cret")
      assert.isTrue(error.problems.some((problem) => problem.startsWith("SNOWFLAKE_TOKEN: expected a secret")))
    })
  )
})

describe("hints", () => {
  it.effect("name misspelt variables, and leave those of others alone", () =>
    Effect.gen(function* () {
      assert.deepStrictEqual(
        yield* hintsOf({
          ...login,
          SNOWFLAKE_USERNAME: "x",
          KAFKA_BOOTSTRAP_SERVER: "x:1",
          BATCH_SIZ: "1",
          LOG_LEVL: "x",
          SNOWFLAKE_HOME: "/root",
          KAFKA_HOME: "/opt/kafka",
          KAFKA_PORT_9092_TCP_ADDR: "10.0.0.1",
          KAFKA_SERVICE_HOST: "10.0.0.1",
          HTTP_PROXY: "http://x",
          LOG_DIR: "/var/log"
        }),
        [
          "KAFKA_BOOTSTRAP_SERVER is set, but there is no such setting (did you mean KAFKA_BOOTSTRAP_SERVERS?)",
          "SNOWFLAKE_USERNAME is set, but there is no such setting (did you mean SNOWFLAKE_USER?)",
          "BATCH_SIZ is set, but there is no such setting (did you mean BATCH_SIZE?)",
          "LOG_LEVL is set, but there is no such setting (did you mean LOG_LEVEL?)"
        ]
      )
    })
  )
  it.effect("name what has no effect, without its value", () =>
    Effect.gen(function* () {
      const said = yield* hintsOf({
        ...login,
        SNOWFLAKE_TOKEN: "t",
        KAFKA_SASL_PASSWORD: "s3cret",
        KAFKA_SSL_CA: "ca.pem"
      })
      assert.deepStrictEqual(said, [
        "KAFKA_SSL_CA has no effect while KAFKA_SECURITY_PROTOCOL is without SSL",
        "KAFKA_SASL_PASSWORD has no effect while KAFKA_SECURITY_PROTOCOL is without SASL",
        "SNOWFLAKE_PASSWORD has no effect with SNOWFLAKE_TOKEN"
      ])
    })
  )
  it.effect("name the variables of another login, and a client secret that others can read", () =>
    Effect.gen(function* () {
      const oauth = { KAFKA_OAUTH_CLIENT_ID: "c", KAFKA_OAUTH_CLIENT_SECRET_FILE: "/c" }
      const [plain, bearer] = ["PLAIN", "OAUTHBEARER"].map((mechanism) => ({
        ...login,
        KAFKA_SECURITY_PROTOCOL: "SASL_SSL",
        KAFKA_SASL_MECHANISM: mechanism
      }))
      assert.deepStrictEqual(yield* hintsOf({ ...plain, ...oauth, KAFKA_AWS_REGION: "eu-central-1" }), [
        "KAFKA_OAUTH_CLIENT_ID and KAFKA_OAUTH_CLIENT_SECRET have no effect without KAFKA_SASL_MECHANISM=OAUTHBEARER",
        "KAFKA_AWS_REGION has no effect without KAFKA_SASL_MECHANISM=AWS_MSK_IAM"
      ])
      assert.deepStrictEqual(yield* hintsOf({ ...bearer, ...oauth, KAFKA_SASL_USERNAME: "me" }), [
        "KAFKA_SASL_USERNAME has no effect without KAFKA_SASL_MECHANISM=PLAIN or SCRAM"
      ])
      assert.deepStrictEqual(yield* hintsOf({ ...login, ...oauth }), [
        "KAFKA_OAUTH_CLIENT_ID and KAFKA_OAUTH_CLIENT_SECRET have no effect while KAFKA_SECURITY_PROTOCOL is without SASL"
      ])
      const at = (url: string) => hintsOf({ ...bearer, ...oauth, KAFKA_OAUTH_TOKEN_URL: url })
      assert.deepStrictEqual(yield* at("http://keycloak:8080/token"), [
        "KAFKA_OAUTH_TOKEN_URL is not https: the client secret travels unencrypted"
      ])
      for (const url of ["https://keycloak/token", "http://127.0.0.1:8080/token"])
        assert.deepStrictEqual(yield* at(url), [])
    })
  )
  it.effect("name an address that is open to others, while no token protects it", () =>
    Effect.gen(function* () {
      const said = (env: Record<string, string>) => hintsOf({ ...login, ...env })
      assert.deepStrictEqual(yield* said({ HTTP_HOST: "0.0.0.0" }), [
        "HTTP_HOST 0.0.0.0: anyone who can reach this address can read live page, API and metrics; HTTP_TOKEN protects them"
      ])
      assert.deepStrictEqual(yield* said({ HTTP_HOST: "0.0.0.0", HTTP_TOKEN: "t" }), [])
      assert.deepStrictEqual(yield* said({ HTTP_HOST: "::", HTTP_TOKEN_FILE: "/t" }), [])
      assert.deepStrictEqual(yield* said({ HTTP_HOST: "0.0.0.0", HTTP_PORT: "0" }), [])
      for (const HTTP_HOST of ["localhost", "127.0.0.1", "127.1.2.3", "::1"])
        assert.deepStrictEqual(yield* said({ HTTP_HOST }), [])
    })
  )
  it.effect("there are none for a sound configuration", () =>
    Effect.gen(function* () {
      assert.deepStrictEqual(yield* hintsOf(login), [])
    })
  )
})

describe("the table", () => {
  it("has each variable once, with a meaning", () => {
    const names = table.map(({ name }) => name)
    assert.strictEqual(new Set(names).size, names.length)
    assert.isTrue(table.every(({ meaning }) => meaning !== ""))
  })
})
