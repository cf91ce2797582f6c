/** The settings of the registry and of formats: what they become, and each mistake by name. */
import { mkdtempSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import { hints } from "../../../src/settings/Hints.ts"
import * as Settings from "../../../src/settings/Settings.ts"

const load = (env: Record<string, string>) =>
  Settings.load.pipe(
    Effect.provide(Settings.environment({ SINK: "duckdb", BRONZE_ROUTES: "a=A_RAW, b=B_RAW", ...env }))
  )
const problemsOf = (env: Record<string, string>) =>
  Effect.map(Effect.flip(load(env)), ({ problems }) => problems.join())
const registry = { SCHEMA_REGISTRY_URL: "https://registry.example.com/" }

describe("a registry", () => {
  it.effect("is none by default, and topics are JSON with keys of text", () =>
    Effect.gen(function* () {
      const settings = yield* load({})
      assert.isUndefined(settings.registry)
      assert.deepStrictEqual(settings.formats.get("a"), { value: "json", key: "text" })
    })
  )

  it.effect("makes every topic auto; a secret of it may be in a file", () =>
    Effect.gen(function* () {
      const file = join(mkdtempSync(join(tmpdir(), "bronze-registry-")), "secret")
      writeFileSync(file, "s3cret\n")
      const settings = yield* load({
        ...registry,
        SCHEMA_REGISTRY_USERNAME: "key",
        SCHEMA_REGISTRY_PASSWORD_FILE: file
      })
      assert.strictEqual(settings.registry?.url, "https://registry.example.com")
      assert.strictEqual(
        Redacted.value(settings.registry?.authorization ?? Redacted.make("")),
        `Basic ${Buffer.from("key:s3cret").toString("base64")}`
      )
      assert.deepStrictEqual(settings.formats.get("b"), { value: "auto", key: "auto" })
      assert.notInclude(JSON.stringify(Settings.describe(settings)), "s3cret")
    })
  )

  it.effect("needs an address without a login in it, and a whole login", () =>
    Effect.gen(function* () {
      for (const [env, problem] of [
        [{ SCHEMA_REGISTRY_URL: "registry:8081" }, /SCHEMA_REGISTRY_URL: expected an address/],
        [{ SCHEMA_REGISTRY_URL: "https://me:s3cret@host" }, /SCHEMA_REGISTRY_USERNAME and SCHEMA_REGISTRY_PASSWORD/],
        [{ ...registry, SCHEMA_REGISTRY_USERNAME: "me" }, /SCHEMA_REGISTRY_PASSWORD: is required/],
        [{ ...registry, SCHEMA_REGISTRY_PASSWORD: "s3cret" }, /SCHEMA_REGISTRY_USERNAME: is required/],
        [{ ...registry, SCHEMA_REGISTRY_TOKEN: "a b" }, /SCHEMA_REGISTRY_TOKEN: expected a token/],
        [
          {
            ...registry,
            SCHEMA_REGISTRY_TOKEN: "t",
            SCHEMA_REGISTRY_USERNAME: "me",
            SCHEMA_REGISTRY_PASSWORD: "s3cret"
          },
          /SCHEMA_REGISTRY_TOKEN: expected either/
        ],
        [{ ...registry, SCHEMA_REGISTRY_SSL_CA: "/nowhere.pem" }, /SCHEMA_REGISTRY_SSL_CA: expected a file/],
        [{ ...registry, SCHEMA_REGISTRY_SSL_CA: "-----BEGIN" }, /SCHEMA_REGISTRY_SSL_CA: expected a certificate/]
      ] as const) {
        const problems = yield* problemsOf(env)
        assert.match(problems, problem)
        assert.notInclude(problems, "s3cret")
      }
    })
  )
})

describe("a login without a registry", () => {
  it.effect("has no effect, which is said", () =>
    Effect.gen(function* () {
      const hintsOf = (env: Record<string, string>) => Effect.provide(hints, Settings.environment(env))
      assert.deepStrictEqual(yield* hintsOf({ SCHEMA_REGISTRY_TOKEN: "t" }), [
        "SCHEMA_REGISTRY_TOKEN has no effect without SCHEMA_REGISTRY_URL"
      ])
      assert.deepStrictEqual(yield* hintsOf({ ...registry, SCHEMA_REGISTRY_TOKEN: "t" }), [])
      assert.deepStrictEqual(yield* hintsOf({ SCHEMA_REGISTRY_URI: "http://registry" }), [
        "SCHEMA_REGISTRY_URI is set, but there is no such setting (did you mean SCHEMA_REGISTRY_URL?)"
      ])
    })
  )
})

describe("formats", () => {
  it.effect("say for each topic what differs", () =>
    Effect.gen(function* () {
      const { formats } = yield* load({ ...registry, BRONZE_FORMATS: "a=avro , b = JSON / number" })
      assert.deepStrictEqual(
        [...formats],
        [
          ["a", { value: "avro", key: "auto" }],
          ["b", { value: "json", key: "number" }]
        ]
      )
      const { formats: keys } = yield* load({ BRONZE_FORMATS: "a=/bytes" })
      assert.deepStrictEqual(keys.get("a"), { value: "json", key: "bytes" })
    })
  )

  it.effect("are known words of routed topics, and need a registry where only that can tell", () =>
    Effect.gen(function* () {
      for (const [formats, problem] of [
        ["a=xml", /"xml" is no format of values; known are auto, json/],
        ["a=json/hex", /"hex" is no format of keys; known are auto, text/],
        ["a", /"a" is not of the form/],
        ["a=", /not of the form/],
        ["a=json, a=json", /topic a has two formats/],
        ["c=json", /BRONZE_FORMATS: expected topics of BRONZE_ROUTES, got "c"/],
        ["a=avro", /SCHEMA_REGISTRY_URL: is required because of the format of a/],
        ["a=json/registry", /SCHEMA_REGISTRY_URL: is required/]
      ] as const)
        assert.match(yield* problemsOf({ BRONZE_FORMATS: formats }), problem)
    })
  )
})
