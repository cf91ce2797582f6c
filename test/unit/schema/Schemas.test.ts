/** How the service gets its schemas: once each, however often it takes, and as whoever it has to be. */
import { mkdtempSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import * as Result from "effect/Result"
import { registry } from "../../../src/cli/doctor/Registry.ts"
import { Progress, layer as progressLayer } from "../../../src/observe/Progress.ts"
import * as Schemas from "../../../src/schema/Schemas.ts"
import * as Settings from "../../../src/settings/Settings.ts"
import { makeCertificate } from "../../support/certificates.ts"
import { type Answer, serve } from "../../support/schema/HttpRegistry.ts"

const settings = (env: Record<string, string>) =>
  Settings.layer.pipe(Layer.provide(Settings.environment({ SINK: "duckdb", ...env })), Layer.orDie)
const service = (env: Record<string, string>) =>
  Schemas.layer.pipe(
    Layer.provideMerge(progressLayer),
    Layer.provideMerge(settings(env)),
    Layer.provideMerge(Logger.layer([]))
  )

const missing: Answer = { status: 404, body: { error_code: 40403, message: "Schema not found" } }
const find = (id: number) => Effect.flatMap(Schemas.Schemas, (schemas) => schemas.find(id))
/** What a schema makes of a framed body. */
const decoded = (id: number, hex: string) =>
  Effect.map(find(id), (decoder) =>
    decoder
      .decode(Buffer.from(hex, "hex"), { id, at: 5, rest: undefined }, 1_000_000)
      .pipe(Result.map((value) => (typeof value === "string" ? value : Buffer.from(value).toString())))
  )

describe("a schema", () => {
  it.live("is asked for once, however many wait for it and however often it is needed", () =>
    Effect.gen(function* () {
      const { asked, url } = yield* serve(() => ({ body: { schema: '"long"' } }))
      yield* Effect.gen(function* () {
        yield* Effect.all(
          Array.from({ length: 50 }, () => find(7)),
          { concurrency: "unbounded" }
        )
        assert.deepStrictEqual(yield* decoded(7, "000000000706"), Result.succeed("3"))
      }).pipe(Effect.provide(service({ SCHEMA_REGISTRY_URL: `${url}/apis/` })))
      assert.deepStrictEqual(asked, ["/apis/schemas/ids/7"])
    })
  )

  it.live("brings what it refers to, each once, the innermost first", () =>
    Effect.gen(function* () {
      const color = { name: "Color", subject: "shop/color", version: 1 }
      const item = { name: "Item", subject: "item", version: 2 }
      const { asked, url } = yield* serve((path) => {
        if (path === "/schemas/ids/1")
          return {
            body: {
              schemaType: "PROTOBUF",
              schema: `syntax = "proto3"; message Order { Item item = 1; Color color = 2; }`,
              references: [item, color]
            }
          }
        return path === "/subjects/item/versions/2"
          ? { body: { schema: `syntax = "proto3"; message Item { Color color = 1; }`, references: [color] } }
          : { body: { schema: `syntax = "proto3"; enum Color { RED = 0; BLUE = 1; }`, references: [] } }
      })
      const json = yield* Effect.provide(
        decoded(1, "0000000001 00 0a020801 1001".replaceAll(" ", "")),
        service({ SCHEMA_REGISTRY_URL: url })
      )
      assert.deepStrictEqual(json, Result.succeed('{"item":{"color":"BLUE"},"color":"BLUE"}'))
      assert.deepStrictEqual(asked, [
        "/schemas/ids/1",
        "/subjects/item/versions/2",
        "/subjects/shop%2Fcolor/versions/1"
      ])
    })
  )

  it.live("of JSON Schema leaves the text as it was sent", () =>
    Effect.gen(function* () {
      const { url } = yield* serve(() => ({ body: { schemaType: "JSON", schema: "{}" } }))
      const text = Buffer.from('{"id": 12345678901234567890}').toString("hex")
      assert.deepStrictEqual(
        yield* Effect.provide(decoded(3, `0000000003${text}`), service({ SCHEMA_REGISTRY_URL: url })),
        Result.succeed('{"id": 12345678901234567890}')
      )
    })
  )

  it.live("that the registry does not have is said with its id, and not asked for again at once", () =>
    Effect.gen(function* () {
      const { asked, url } = yield* serve(() => missing)
      yield* Effect.gen(function* () {
        const error = yield* Effect.flip(find(99))
        assert.strictEqual(error.reason, "unknown")
        assert.include(error.message, "schema 99")
        yield* Effect.flip(find(99))
      }).pipe(Effect.provide(service({ SCHEMA_REGISTRY_URL: url })))
      assert.strictEqual(asked.length, 1)
    })
  )

  it.live("that cannot be used is said with its id", () =>
    Effect.gen(function* () {
      const bodies: Record<string, unknown> = {
        1: { schema: '{"type":"array","items":"Nowhere"}' },
        2: { schemaType: "PROTOBUF", schema: "message {" },
        3: { schemaType: "XML", schema: "<a/>" }
      }
      const { url } = yield* serve((path) => ({ body: bodies[path.slice(-1)] }))
      yield* Effect.gen(function* () {
        for (const id of [1, 2, 3]) {
          const error = yield* Effect.flip(find(id))
          assert.strictEqual(error.reason, "unreadable")
          assert.include(error.message, `schema ${id}`)
        }
      }).pipe(Effect.provide(service({ SCHEMA_REGISTRY_URL: url })))
    })
  )

  it.live("may be named by a GUID", () =>
    Effect.gen(function* () {
      const guid = "00112233-4455-6677-8899-aabbccddeeff"
      const { asked, url } = yield* serve(() => ({ body: { schema: '"int"', schemaType: null, references: null } }))
      const decoder = yield* Effect.provide(
        Effect.flatMap(Schemas.Schemas, (schemas) => schemas.find(guid)),
        service({ SCHEMA_REGISTRY_URL: url })
      )
      assert.deepStrictEqual([decoder.id, decoder.format], [guid, "avro"])
      assert.deepStrictEqual(asked, [`/schemas/guids/${guid}`])
    })
  )

  it.live("is none without a registry", () =>
    Effect.gen(function* () {
      const error = yield* Effect.flip(Effect.provide(find(1), service({})))
      assert.include(error.message, "SCHEMA_REGISTRY_URL")
    })
  )
})

describe("a registry that does not answer", () => {
  const failures: ReadonlyArray<readonly [string, Answer, RegExp]> = [
    ["is out of order", { status: 500, body: { error_code: 50001, message: "store timeout" } }, /500 store timeout/],
    ["is busy", { status: 429, body: "" }, /429/],
    ["rejects the login", { status: 401, body: "" }, /401.*SCHEMA_REGISTRY_USERNAME/],
    ["is some other server", { status: 404, body: "<html>" }, /check SCHEMA_REGISTRY_URL/],
    ["answers something else", { body: "<html>" }, /check SCHEMA_REGISTRY_URL/]
  ]
  for (const [what, failure, message] of failures)
    it.live(`because it ${what} is asked again, and health says so`, () =>
      Effect.gen(function* () {
        let isFailing = true
        const { asked, url } = yield* serve(() => (isFailing ? failure : { body: { schema: '"int"' } }))
        yield* Effect.gen(function* () {
          const progress = yield* Progress
          const waiting = yield* Effect.forkChild(find(5))
          while (progress.view().registry?.isUp !== false) yield* Effect.sleep("5 millis")
          assert.match(progress.view().registry?.message ?? "", message)
          isFailing = false
          assert.strictEqual((yield* Fiber.join(waiting)).format, "avro")
          assert.isTrue(progress.view().registry?.isUp)
        }).pipe(Effect.provide(service({ SCHEMA_REGISTRY_URL: url })))
        assert.isAtLeast(asked.length, 2)
      })
    )

  it.live("is let go by one who no longer waits, and goes on for the others", () =>
    Effect.gen(function* () {
      let isFailing = true
      const { url } = yield* serve(() => (isFailing ? { status: 503, body: "" } : { body: { schema: '"int"' } }))
      yield* Effect.gen(function* () {
        const progress = yield* Progress
        const first = yield* Effect.forkChild(find(5))
        const second = yield* Effect.forkChild(find(5))
        while (progress.view().registry?.isUp !== false) yield* Effect.sleep("5 millis")
        yield* Fiber.interrupt(first)
        isFailing = false
        assert.strictEqual((yield* Fiber.join(second)).id, 5)
      }).pipe(Effect.provide(service({ SCHEMA_REGISTRY_URL: url })))
    })
  )

  it.live("is nobody's problem once the assignment that needed it has ended", () =>
    Effect.gen(function* () {
      const { url } = yield* serve(() => ({ status: 503, body: "" }))
      yield* Effect.gen(function* () {
        const progress = yield* Progress
        const waiting = yield* Effect.forkChild(find(5))
        while (progress.view().registry?.isUp !== false) yield* Effect.sleep("5 millis")
        yield* Fiber.interrupt(waiting)
        progress.released()
        assert.isNull(progress.view().registry?.isUp)
      }).pipe(Effect.provide(service({ SCHEMA_REGISTRY_URL: url })))
    })
  )

  it.live("fails a command after a few tries", () =>
    Effect.gen(function* () {
      const { asked, url } = yield* serve(() => ({ status: 503, body: "" }))
      const brief = Schemas.layerBrief.pipe(Layer.provide(settings({ SCHEMA_REGISTRY_URL: url })))
      const error = yield* Effect.flip(Effect.provide(find(5), brief))
      assert.strictEqual(error.reason, "unavailable")
      assert.strictEqual(asked.length, 4)
    })
  )
})

describe("the login to a registry", () => {
  const headerOf = (env: Record<string, string>) =>
    Effect.gen(function* () {
      let header: string | undefined
      const { url } = yield* serve((_, request) => {
        header = request.headers.authorization
        return { body: { schema: '"int"' } }
      })
      yield* Effect.provide(find(1), service({ SCHEMA_REGISTRY_URL: url, ...env }))
      return header
    })

  it.live("is a user and a password, a token, or none", () =>
    Effect.gen(function* () {
      const user = { SCHEMA_REGISTRY_USERNAME: "key", SCHEMA_REGISTRY_PASSWORD: "sé:cret" }
      assert.strictEqual(yield* headerOf(user), `Basic ${Buffer.from("key:sé:cret").toString("base64")}`)
      assert.strictEqual(yield* headerOf({ SCHEMA_REGISTRY_TOKEN: "a.b-c" }), "Bearer a.b-c")
      assert.isUndefined(yield* headerOf({}))
    })
  )

  it.live("may be a certificate, by an authority of its own", () =>
    Effect.gen(function* () {
      const { cert, key } = makeCertificate(mkdtempSync(join(tmpdir(), "bronze-registry-")), "localhost")
      const { url } = yield* serve(() => ({ body: { schema: '"int"' } }), { cert, key, ca: cert, requestCert: true })
      const env = { SCHEMA_REGISTRY_URL: url, SCHEMA_REGISTRY_SSL_CA: cert }
      const own = { SCHEMA_REGISTRY_SSL_CERT: cert, SCHEMA_REGISTRY_SSL_KEY: key }
      assert.strictEqual((yield* Effect.provide(find(1), service({ ...env, ...own }))).id, 1)
      const brief = (given: Record<string, string>) =>
        Schemas.layerBrief.pipe(Layer.provide(settings({ SCHEMA_REGISTRY_URL: url, ...given })))
      const withoutAuthority = yield* Effect.flip(Effect.provide(find(1), brief(own)))
      assert.strictEqual(withoutAuthority.reason, "denied")
      const withoutCertificate = yield* Effect.flip(Effect.provide(find(1), brief({ SCHEMA_REGISTRY_SSL_CA: cert })))
      assert.isTrue(withoutCertificate.isRetryable)
    })
  )
})

describe("doctor", () => {
  const findings = (env: Record<string, string>) => Effect.provide(registry, settings(env))

  it.live("says that the registry is there, or why it is not; and nothing without one", () =>
    Effect.gen(function* () {
      let answer: Answer = { body: ["AVRO"] }
      const { asked, url } = yield* serve(() => answer)
      const states = Effect.map(findings({ SCHEMA_REGISTRY_URL: url }), ([finding]) => [
        finding?.state,
        finding?.detail
      ])
      assert.deepStrictEqual(yield* states, ["good", url])
      answer = { status: 401, body: "" }
      assert.strictEqual((yield* states)[0], "bad")
      answer = { status: 404, body: "<html>" }
      assert.match(String((yield* states)[1]), /check SCHEMA_REGISTRY_URL/)
      assert.strictEqual(asked[0], "/schemas/types")
      assert.deepStrictEqual(yield* findings({}), [])
    })
  )
})
