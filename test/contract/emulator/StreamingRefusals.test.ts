/** What the emulator's streaming API refuses: credentials, roles, sizes, and whatever a test asks it to. */
import { generateKeyPairSync, sign } from "node:crypto"
import { request } from "node:http"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { emulator, session } from "../../support/emulator/EmulatorSession.ts"
import { given } from "../../support/emulator/StreamingAccount.ts"
import { control, seen, streaming } from "../../support/emulator/StreamingClient.ts"

const { privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 })
const encoded = (value: unknown) => Buffer.from(JSON.stringify(value)).toString("base64url")
/** The status of the answer to a JWT with these claims. */
const keyPairExchange = (url: string, claims: Record<string, unknown>, scope: string) =>
  Effect.promise(async () => {
    const whole = { iss: "ACCT.USER.SHA256:abc", sub: "ACCT.USER", exp: Math.floor(Date.now() / 1000) + 60, ...claims }
    const signed = `${encoded({ alg: "RS256", typ: "JWT" })}.${encoded(whole)}`
    const jwt = `${signed}.${sign("sha256", Buffer.from(signed), privateKey).toString("base64url")}`
    const form = new URLSearchParams({ grant_type: "urn:ietf:params:oauth:grant-type:jwt-bearer", scope })
    const headers = { authorization: `Bearer ${jwt}`, accept: "application/json" }
    return (await fetch(`${url}/oauth/token`, { method: "POST", body: form, headers })).status
  })

describe("what the emulator's streaming API refuses", () => {
  it.live("a key pair's JWT has to be whole and in time; the role is in it or in the scope", () =>
    Effect.gen(function* () {
      const { url } = yield* emulator({ options: { grants: true } })
      const exchange = (claims: Record<string, unknown>, scope = "host") => keyPairExchange(url, claims, scope)
      assert.strictEqual(yield* exchange({}), 200)
      assert.strictEqual(yield* exchange({ exp: Date.now() + 60_000 }), 200)
      assert.strictEqual(yield* exchange({ scp: "session:role:SYSADMIN" }), 200)
      assert.strictEqual(yield* exchange({ scp: "session:role:NOBODY" }), 401)
      assert.strictEqual(yield* exchange({}, "host session:role:NOBODY"), 401)
      assert.strictEqual(yield* exchange({ exp: Math.floor(Date.now() / 1000) - 1 }), 401)
      assert.strictEqual(yield* exchange({ sub: "ACCT.OTHER" }), 401)
      assert.strictEqual(yield* exchange({ iss: "ACCT.USER" }), 401)
    }).pipe(Effect.scoped)
  )

  it.live("tokens expire, more than 4 MB are refused, and Accept has to be there", () =>
    Effect.gen(function* () {
      const { url, api } = yield* given({ options: { "streaming-token-s": 0.5 } })
      const first = yield* api.opened("C")
      yield* Effect.sleep("600 millis")
      assert.strictEqual((yield* api.open("C")).status, 401)
      yield* control(url, "options", { "streaming-token-s": 60 })
      const renewed = yield* streaming(url)
      const path = `data/databases/db/schemas/bronze/pipes/t-streaming/channels/C/rows?continuationToken=${first}`
      const large = yield* renewed.ask("POST", path, { body: "x".repeat(4_000_001) })
      assert.strictEqual(large.status, 413)
      assert.strictEqual((yield* renewed.ask("POST", path, { body: '{"ID":1}\n' })).status, 200)
      const bare = yield* Effect.promise(
        () =>
          new Promise<string>((resolve, reject) => {
            request(`${url}/v2/streaming/hostname`, { headers: { authorization: "Bearer pat" } }, (answer) => {
              answer.setEncoding("utf8").on("data", (chunk) => resolve(`${answer.statusCode} ${chunk}`))
            })
              .on("error", reject)
              .end()
          })
      )
      assert.include(bare, "391902")
      assert.strictEqual((yield* renewed.ask("GET", "hostname")).text, new URL(url).host)
    }).pipe(Effect.scoped)
  )

  it.live("faults, a lost answer, and a status on demand; what was sent is there to compare", () =>
    Effect.gen(function* () {
      const { url, api } = yield* given()
      const first = yield* api.opened("C")
      yield* control(url, "faults", {
        match: "POST .*/rows",
        status: 429,
        headers: { "retry-after": "1" },
        body: '"slow down"'
      })
      const busy = yield* api.append("C", first, "1", [{ ID: 1 }])
      assert.deepStrictEqual([busy.status, busy.text], [429, '"slow down"'])
      yield* control(url, "faults", { match: "POST .*/rows", apply: true, drop: true })
      assert.strictEqual((yield* Effect.exit(api.append("C", first, "1", [{ ID: 1 }])))._tag, "Failure")
      assert.strictEqual((yield* api.committed("C", "1")).rows_inserted, 1)
      assert.strictEqual((yield* api.append("C", first, "1", [{ ID: 1 }])).status, 200)
      const appends = (yield* seen(url)).filter(({ path }) => path.endsWith("/rows"))
      assert.deepStrictEqual(
        appends.map(({ status }) => status),
        [429, 200, 200]
      )
      assert.strictEqual(new Set(appends.map(({ sha256 }) => sha256)).size, 1)
      yield* control(url, "faults", {
        match: "PUT .*/channels/C",
        merge: { channel_status: { channel_status_code: "ERR_CHANNEL_MUST_BE_REOPENED" } }
      })
      assert.strictEqual(
        (yield* api.open("C")).json.channel_status?.channel_status_code,
        "ERR_CHANNEL_MUST_BE_REOPENED"
      )
      const open = yield* api.opened("C")
      yield* control(url, "streaming", { channel: "C", statusCode: "ERR_CHANNEL_HAS_INVALID_ROW_SEQUENCER" })
      assert.strictEqual(
        (yield* api.append("C", open, "2", [{ ID: 2 }])).json.code,
        "ERR_CHANNEL_HAS_INVALID_ROW_SEQUENCER"
      )
      const last = yield* api.opened("C")
      yield* control(url, "streaming", { channel: "C", reject: 1 })
      yield* api.append("C", last, "3", [{ ID: 3 }, { ID: 4 }])
      assert.strictEqual((yield* api.committed("C", "3")).rows_error_count, 1)
      yield* control(url, "streaming", { channel: "C", expire: true })
      assert.strictEqual((yield* api.open("C")).json.channel_status?.last_committed_offset_token, null)
    }).pipe(Effect.scoped)
  )

  it.live("with grants a role needs INSERT on the table and USAGE around it", () =>
    Effect.gen(function* () {
      const { url } = yield* emulator({ options: { grants: true } })
      const admin = yield* session(url, { role: "ACCOUNTADMIN" })
      for (const sql of [
        "CREATE DATABASE DB",
        "CREATE SCHEMA DB.BRONZE",
        "CREATE TABLE DB.BRONZE.T (ID NUMBER(38,0))",
        "CREATE ROLE WRITER"
      ])
        yield* admin.execute(sql)
      const api = yield* streaming(url, "T", "WRITER")
      const code = Effect.map(api.open("C"), ({ json }) => json.code)
      assert.strictEqual(yield* code, "ERR_DATABASE_DOES_NOT_EXIST_OR_NOT_AUTHORIZED")
      yield* admin.execute("GRANT USAGE ON DATABASE DB TO ROLE WRITER")
      assert.strictEqual(yield* code, "ERR_SCHEMA_DOES_NOT_EXIST_OR_NOT_AUTHORIZED")
      yield* admin.execute("GRANT USAGE ON SCHEMA DB.BRONZE TO ROLE WRITER")
      assert.strictEqual(yield* code, "ERR_PIPE_DOES_NOT_EXIST_OR_NOT_AUTHORIZED")
      yield* admin.execute("GRANT INSERT ON TABLE DB.BRONZE.T TO ROLE WRITER")
      assert.strictEqual((yield* api.open("C")).status, 200)
    }).pipe(Effect.scoped)
  )
})
