/** No secret in any text: by its form, wherever it is; and what only looks a little like one stays readable. */
import { generateKeyPairSync } from "node:crypto"
import { mkdtempSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { assert, describe, it } from "@effect/vitest"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import * as Redacted from "effect/Redacted"
import * as TestConsole from "effect/testing/TestConsole"
import { examine } from "../../../src/cli/doctor/Doctor.ts"
import { explain } from "../../../src/cli/support/Failure.ts"
import * as Secrets from "../../../src/domain/Secrets.ts"
import * as Logging from "../../../src/observe/Logging.ts"
import { hints } from "../../../src/settings/Hints.ts"
import * as Settings from "../../../src/settings/Settings.ts"
import * as SettingsShown from "../../../src/settings/Shown.ts"
import { fileVariable, secrets, table } from "../../../src/settings/Variables.ts"
import { makeCertificate } from "../../support/certificates.ts"

const folder = mkdtempSync(join(tmpdir(), "bronze-secrets-"))
const file = (name: string, content: string): string => {
  const path = join(folder, name)
  writeFileSync(path, content)
  return path
}
const rsa = generateKeyPairSync("rsa", { modulusLength: 2048 }).privateKey
const pkcs8 = String(rsa.export({ type: "pkcs8", format: "pem" }))
const pkcs1 = String(rsa.export({ type: "pkcs1", format: "pem" }))
const ed25519 = String(generateKeyPairSync("ed25519").privateKey.export({ type: "pkcs8", format: "pem" }))
const body = (pem: string): string => pem.replace(/-----.*-----\n?/g, "").trim()
/** A piece of the key that must be found nowhere. */
const pieceOf = (pem: string): string => body(pem).split("\n").at(-1)?.slice(0, 20) ?? ""
const jwt = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJtZSJ9.sflKxwRJSMeKKF2QT4fwpMeJf36POk6y"

const base = { SINK: "duckdb", LOG_FILE: "" }
const snowflake = { SNOWFLAKE_ACCOUNT: "a", SNOWFLAKE_USER: "u", SNOWFLAKE_DATABASE: "d" }
const within = (env: Record<string, string>) => Settings.environment(env)
const load = (env: Record<string, string>) => Settings.load.pipe(Effect.provide(within(env)))
const problemsOf = (env: Record<string, string>) => Effect.map(Effect.flip(load(env)), ({ problems }) => [...problems])

describe("hide", () => {
  for (const [name, text, gone] of [
    ["a PEM key", `got ${pkcs8} there`, pieceOf(pkcs8)],
    ["a PEM key of the old form", pkcs1, pieceOf(pkcs1)],
    ["a short key", ed25519, body(ed25519).slice(20)],
    ["a key with written-out line breaks", pkcs8.replaceAll("\n", "\\n"), pieceOf(pkcs8)],
    ["a key in one line", pkcs8.replaceAll("\n", " "), pieceOf(pkcs8)],
    ["a key without its end", pkcs8.slice(0, 600), pkcs8.slice(500, 540).replaceAll("\n", "")],
    ["a key without its first line", body(pkcs8), pieceOf(pkcs8)],
    ["a key without its first line, in one line", body(pkcs8).replaceAll("\n", ""), pieceOf(pkcs8)],
    ["the user of an address", "connect https://me:hunter2@host/x", "hunter2"],
    ["a password with an at sign and a slash", "https://me:hun/t@er2@host/x", "er2"],
    ["a token as the user of an address", "https://ghx-hunter2@host/x", "hunter2"],
    ["a list of hosts", "a:9092,me:hunter2@b:9092", "hunter2"],
    ["a query", "md:x?motherduck_token=hunter2&a=b", "hunter2"],
    ["a connection string", "host=h;Password=hunter2;x=y", "hunter2"],
    ["a list of pairs", "user=x,password=hunter2,z=1", "hunter2"],
    ["a header of telemetry", "api-key=hunter2", "hunter2"],
    ["a list of such headers", "a=b,api-key=hunter2", "hunter2"],
    ["a header with a key", "x-api-key: hunter2", "hunter2"],
    ["a short name", "user=u;pass=hunter2", "hunter2"],
    ["the signature of an address", "https://h/x?sv=1&sig=hunter2%3D", "hunter2"],
    ["a key in JSON", '{"apiKey": "hunter2"}', "hunter2"],
    ["a token of a vault", "hvs.CAESIJlongvaulttoken0123456789", "CAESIJ"],
    ["a login module", 'PlainLoginModule required username="u" password="hunter2";', "hunter2"],
    ["JSON", '{"access_token": "hunter2"}', "hunter2"],
    ["a header", "Authorization: Bearer hunter2hunter2", "hunter2"],
    ["a JSON web token", `with ${jwt}`, "sflKx"],
    ["a session token", "ver:1-hint:1234-ETMsDgAAAhunter2", "hunter2"]
  ] as const)
    it(name, () => {
      const shown = Secrets.hide(text)
      assert.isAbove(gone.length, 2)
      assert.notInclude(shown, gone)
      assert.match(shown, /<redacted>|<private key>/)
    })

  it("leaves alone what people need to read", () => {
    for (const text of [
      "SNOWFLAKE_PASSWORD: is required to log in (or SNOWFLAKE_PRIVATE_KEY_PATH, or SNOWFLAKE_TOKEN)",
      "Reading from localhost:19092, broker-2:9092 as svc@corp.example, group bronze-consumer-group",
      "raw.orders.v1/0@42: committed 43",
      "https://myorg-me.snowflakecomputing.com:443/session/v1",
      "raw.orders.v1=ORDERS_RAW(ORDER_ID=order_id,TOKEN=token,USER_ID=user_id:NUMBER)",
      "/tmp/MIGRATION/Data_1/with/a/long/path/to/bronze.duckdb",
      "sha256 9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
      "CN=Bronze test authority"
    ])
      assert.strictEqual(Secrets.hide(text), text)
  })

  it("takes no longer for a long text than its length asks for", () => {
    const startedAt = performance.now()
    for (const part of ["a:", "://", "-----BEGIN ", "token", "pass=", "api-key:", "MIIa ", "x@", '"secret":', "eyJ"])
      Secrets.hide(part.repeat(100_000))
    assert.isBelow(performance.now() - startedAt, 5000)
  })
})

describe("a secret in a variable that is not secret", () => {
  const cases: ReadonlyArray<readonly [name: string, env: Record<string, string>, gone: string]> = [
    ["a key as a path", { ...snowflake, SINK: "snowflake", SNOWFLAKE_PRIVATE_KEY_PATH: pkcs8 }, pieceOf(pkcs8)],
    ["its body", { ...snowflake, SINK: "snowflake", SNOWFLAKE_PRIVATE_KEY_PATH: body(pkcs8) }, pieceOf(pkcs8)],
    [
      "its body in one line",
      { ...snowflake, SINK: "snowflake", SNOWFLAKE_PRIVATE_KEY_PATH: body(pkcs8).replaceAll("\n", "") },
      pieceOf(pkcs8)
    ],
    ["a key in KAFKA_SSL_CA", { KAFKA_SECURITY_PROTOCOL: "SSL", KAFKA_SSL_CA: pkcs8 }, pieceOf(pkcs8)],
    ["its body in KAFKA_SSL_CA", { KAFKA_SECURITY_PROTOCOL: "SSL", KAFKA_SSL_CA: body(ed25519) }, body(ed25519)],
    ["a key in KAFKA_SSL_CERT", { KAFKA_SECURITY_PROTOCOL: "SSL", KAFKA_SSL_CERT: pkcs8 }, pieceOf(pkcs8)],
    ["a key in DUCKDB_PATH", { DUCKDB_PATH: pkcs8 }, pieceOf(pkcs8)],
    ["a key in LOG_FILE", { LOG_FILE: pkcs8 }, pieceOf(pkcs8)],
    ["a key in LOG_LEVEL", { LOG_LEVEL: pkcs8 }, pieceOf(pkcs8)],
    ["a user in SNOWFLAKE_HOST", { SNOWFLAKE_HOST: "https://u:hunter2@h.example" }, "hunter2"],
    ["a user in the brokers", { KAFKA_BOOTSTRAP_SERVERS: "SASL_SSL://u:hun,ter2@h:9092" }, "ter2"],
    ["a token as a word", { SNOWFLAKE_AUTHENTICATOR: "abcDEF123456ghiJKL7890" }, "JKL7890"],
    ["a token as a mechanism", { KAFKA_SASL_MECHANISM: jwt }, "sflKx"],
    ["a path with a token", { DUCKDB_PATH: "/nowhere/x?motherduck_token=hunter2" }, "hunter2"],
    ["a path with a user", { DUCKDB_PATH: "/nowhere/u:hunter2@x" }, "hunter2"],
    ["a secret in place of its file", { KAFKA_SASL_PASSWORD_FILE: "hunter2" }, "hunter2"]
  ]
  for (const [name, env, gone] of cases)
    it.effect(`${name} is refused, and shown nowhere`, () =>
      Effect.gen(function* () {
        const all = { ...base, ...env }
        const error = yield* Effect.flip(load(all))
        const findings = yield* examine(within(all))
        const shown = [error.message, JSON.stringify([error, findings]), ...explain(error)].join("\n")
        assert.isAbove(gone.length, 3)
        assert.notInclude(shown, gone)
        const [variable = ""] = Object.keys(env).slice(-1)
        assert.isTrue(
          error.problems.some((problem) => problem.startsWith(variable.replace(/_FILE$/, ""))),
          error.message
        )
      })
    )

  it.effect("and nothing else is asked for in its place", () =>
    Effect.gen(function* () {
      assert.deepStrictEqual(yield* problemsOf({ ...snowflake, SNOWFLAKE_PRIVATE_KEY_PATH: pkcs8 }), [
        "SNOWFLAKE_PRIVATE_KEY_PATH: expected the path of a file, got PEM text"
      ])
    })
  )
  it.effect("would not be shown on the page either", () =>
    Effect.gen(function* () {
      for (const [name, env, gone] of cases.filter(([name]) => !name.startsWith("a token"))) {
        const page = yield* SettingsShown.list.pipe(Effect.provide(within({ ...base, ...env })))
        assert.notInclude(JSON.stringify(page), gone, name)
      }
    })
  )

  it.effect("is hidden where the value is taken: DUCKDB_PATH, on the page and in the words of doctor", () =>
    Effect.gen(function* () {
      const env = { ...base, DUCKDB_PATH: "/tmp?motherduck_token=hunter2", SNOWFLAKE_USER: jwt }
      const settings = yield* load(env)
      const page = yield* SettingsShown.list.pipe(Effect.provide(within(env)))
      assert.notMatch(JSON.stringify([Settings.describe(settings), page]), /hunter2|sflKx/)
    })
  )

  for (const LOG_FORMAT of ["text", "json"])
    it.effect(`is hidden in the log, whoever wrote the message: ${LOG_FORMAT}`, () =>
      Effect.gen(function* () {
        const cause = Cause.fail(new Error(`connect https://u:hunter2@h.example: refused\n${pkcs8}`))
        yield* Effect.logError("lost", { at: "u:hunter2@h:9092", nested: { url: "x?token=hunter2" } }, cause).pipe(
          Effect.provide(
            Logging.layer.pipe(
              Layer.provide(Settings.layer),
              Layer.provide(within({ ...base, LOG_FORMAT, LOG_LEVEL: "DEBUG" }))
            )
          )
        )
        const log = (yield* TestConsole.logLines).join("\n")
        assert.include(log, "h.example: refused")
        assert.notInclude(log, "hunter2")
        assert.notInclude(log, pieceOf(pkcs8))
        if (LOG_FORMAT === "json") assert.containsAllKeys(JSON.parse(log), ["timestamp", "level", "message"])
      })
    )
})

describe("a logger of somebody else", () => {
  it.effect("gets no secret", () =>
    Effect.gen(function* () {
      const got: Array<string> = []
      const other = Logger.make(({ cause, message }) => {
        got.push(JSON.stringify(message), Cause.pretty(cause))
      })
      const url = "https://u:hunter2@h.example"
      yield* Effect.logError(`to ${url}`, { url, list: [url] }, new Error(url), Cause.fail(new Error(url))).pipe(
        Effect.provide(Logger.layer([Logging.withoutSecrets(other)]))
      )
      assert.include(got.join("\n"), "h.example")
      assert.notInclude(got.join("\n"), "hunter2")
    })
  )
})

describe("keys and certificates are looked at before the start", () => {
  const one = makeCertificate(folder, "one")
  const other = makeCertificate(folder, "other")
  const tls = (env: Record<string, string>) => ({ ...base, KAFKA_SECURITY_PROTOCOL: "SSL", ...env })
  it.effect("a pair that belongs together", () =>
    Effect.gen(function* () {
      const { kafka } = yield* load(
        tls({ KAFKA_SSL_CA: other.cert + one.cert, KAFKA_SSL_CERT: one.cert, KAFKA_SSL_KEY: one.key })
      )
      assert.include(kafka.ssl?.cert, "BEGIN CERTIFICATE")
    })
  )
  for (const [name, env, problem] of [
    [
      "another key",
      { KAFKA_SSL_KEY: other.key },
      "KAFKA_SSL_KEY: expected the key of the certificate in KAFKA_SSL_CERT, got another"
    ],
    [
      "a broken key",
      { KAFKA_SSL_KEY: one.key.replace(/\n.{20}/, "\nxxxx") },
      "KAFKA_SSL_KEY: expected a private key in PEM form, got one that cannot be read"
    ],
    [
      "a broken certificate",
      { KAFKA_SSL_CERT: one.cert.replace(/\n.{20}/, "\nxxxx") },
      "KAFKA_SSL_CERT: expected a certificate in PEM form, got one that cannot be read"
    ],
    [
      "a certificate without its end",
      { KAFKA_SSL_CA: one.cert.slice(0, 200) },
      "KAFKA_SSL_CA: expected a certificate in PEM form, got one that cannot be read"
    ],
    [
      "key and certificate in one",
      { KAFKA_SSL_CERT: one.key + one.cert },
      "KAFKA_SSL_CERT: expected certificates only, got a private key; KAFKA_SSL_KEY takes it"
    ],
    [
      "the same in a file",
      { KAFKA_SSL_CERT: file("both.pem", one.key + one.cert) },
      "KAFKA_SSL_CERT: expected certificates only, got a private key; KAFKA_SSL_KEY takes it"
    ]
  ] as const)
    it.effect(name, () =>
      Effect.gen(function* () {
        const sound = { KAFKA_SSL_CA: one.cert, KAFKA_SSL_CERT: one.cert, KAFKA_SSL_KEY: one.key }
        assert.deepStrictEqual(yield* problemsOf(tls({ ...sound, ...env })), [problem])
      })
    )
})

describe("a secret in a file", () => {
  it.effect("every secret variable has one; a line break at its end is dropped", () =>
    Effect.gen(function* () {
      const password = file("password", "hunter2 \n")
      const { sink } = yield* load({ ...snowflake, SNOWFLAKE_PASSWORD_FILE: password })
      assert.isTrue(
        sink._tag === "Snowflake" &&
          sink.credentials._tag === "Password" &&
          Redacted.value(sink.credentials.password) === "hunter2 "
      )
      for (const name of secrets) {
        const path = `/nowhere/${name}`
        const problems = yield* problemsOf({ ...base, KAFKA_SECURITY_PROTOCOL: "SASL_SSL", [fileVariable(name)]: path })
        assert.include(
          problems.join("\n"),
          `${name}: expected ${fileVariable(name)} to be a file that can be read, got "${path}" (NotFound)`
        )
      }
      assert.deepStrictEqual(
        secrets,
        table.filter(({ secret }) => secret).map(({ name }) => name)
      )
    })
  )
  it.effect("both ways at once, or an empty file, is an error by name", () =>
    Effect.gen(function* () {
      const path = file("both", "hunter2")
      assert.deepStrictEqual(yield* problemsOf({ ...base, SNOWFLAKE_TOKEN: "hunter2", SNOWFLAKE_TOKEN_FILE: path }), [
        "SNOWFLAKE_TOKEN: expected either SNOWFLAKE_TOKEN or SNOWFLAKE_TOKEN_FILE, got both"
      ])
      assert.deepStrictEqual(yield* problemsOf({ ...base, SNOWFLAKE_TOKEN_FILE: file("empty", "\n") }), [
        "SNOWFLAKE_TOKEN: expected a secret in the file of SNOWFLAKE_TOKEN_FILE, got an empty file"
      ])
    })
  )
  it.effect("counts as set: on the page, and for the hints", () =>
    Effect.gen(function* () {
      const env = { ...base, SNOWFLAKE_PASSWORD_FILE: file("p", "hunter2"), SNOWFLAKE_TOKEN_FILE: file("t", "hunter2") }
      const page = yield* SettingsShown.list.pipe(Effect.provide(within(env)))
      const shown = { name: "SNOWFLAKE_PASSWORD", value: "<redacted>", isDefault: false, source: "environment" }
      assert.deepInclude(page, shown)
      assert.deepStrictEqual(yield* hints.pipe(Effect.provide(within(env))), [
        "SNOWFLAKE_PASSWORD has no effect with SNOWFLAKE_TOKEN"
      ])
    })
  )
  it.effect("a variable that ends in a line break gets a hint", () =>
    Effect.gen(function* () {
      const said = yield* hints.pipe(Effect.provide(within({ ...snowflake, SNOWFLAKE_PASSWORD: "hunter2\n" })))
      assert.deepStrictEqual(said, [
        "SNOWFLAKE_PASSWORD ends in a line break, which is part of the value; SNOWFLAKE_PASSWORD_FILE reads a file and removes it"
      ])
    })
  )
})
