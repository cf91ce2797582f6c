/** Snowflake's official streaming client for Python works against the emulator, and takes its faults as it takes Snowflake's. */
import { generateKeyPairSync } from "node:crypto"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { runOrThrow } from "../../../scripts/support/command.ts"
import { installPython } from "../../../scripts/support/python.ts"
import { emulator, session } from "../../support/emulator/EmulatorSession.ts"
import { seen } from "../../support/emulator/StreamingClient.ts"

const here = fileURLToPath(new URL(".", import.meta.url))
const json = (status: number, code: string) => ({ status, body: { code, message: "as asked for" } })
const retried = {
  unauthorized: json(401, "390318"),
  busy: { ...json(429, "TOO_MANY_REQUESTS"), headers: { "retry-after": "1" } },
  unavailable: { status: 503, body: '"ERR_GENERAL_EXCEPTION_RETRY_REQUEST"' },
  lost: { apply: true, drop: true },
  unrouted: { status: 404, body: "No Route", contentType: "text/plain" }
}
const final = {
  missing: json(404, "ERR_PIPE_DOES_NOT_EXIST_OR_NOT_AUTHORIZED"),
  reopen: json(409, "ERR_CHANNEL_MUST_BE_REOPENED"),
  gone: json(410, "GONE")
}

const Status = Schema.Struct({
  token: Schema.NullOr(Schema.String),
  inserted: Schema.Number,
  errors: Schema.Number,
  code: Schema.String
})
const Met = Schema.Struct({
  usual: Schema.Struct({
    before: Schema.NullOr(Schema.String),
    resumed: Schema.NullOr(Schema.String),
    fenced: Schema.NullOr(Schema.String),
    last: Status
  }),
  faults: Schema.Record(
    Schema.String,
    Schema.Struct({ outcome: Schema.String, status: Schema.Union([Status, Schema.String]) })
  )
})
const decode = Schema.decodeUnknownSync(Schema.fromJsonString(Met))

/** What the client has met, on a table T. */
const runClient = (control: string, streamingUrl: string, caFile: string) =>
  Effect.promise(async () => {
    const requirements = join(here, "requirements.txt")
    const bin = await installPython("streaming-sdk", "Snowflake's streaming client", requirements)
    const { privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 })
    const config = {
      control,
      port: Number(new URL(streamingUrl).port),
      key: privateKey.export({ type: "pkcs8", format: "pem" }),
      pat: "pat",
      faults: { ...retried, ...final }
    }
    const environment = [`SSL_CERT_FILE=${caFile}`, "SS_LOG_LEVEL=error"]
    const program = [join(bin, "python"), join(here, "sdk.py"), JSON.stringify(config)]
    const output = await runOrThrow("/usr/bin/env", [...environment, ...program], { timeoutMs: 60_000 })
    // Before it, the client logs the faults.
    return decode(output.split("\n").findLast((line) => line.startsWith('{"usual"')) ?? output)
  })

describe("Snowflake's streaming client on the emulator", () => {
  it.live("appends, resumes after a reopen, is fenced by a second opener, and repeats what may be repeated", () =>
    Effect.gen(function* () {
      const { url, streamingUrl, caFile = "" } = yield* emulator({ tls: true })
      const sql = yield* session(url)
      yield* sql.execute("CREATE DATABASE IF NOT EXISTS DB")
      yield* sql.execute("CREATE SCHEMA IF NOT EXISTS DB.BRONZE")
      yield* sql.execute(
        "CREATE TABLE DB.BRONZE.T (ID NUMBER(38,0) NOT NULL, V VARIANT, TS TIMESTAMP_NTZ, D NUMBER(38,9), B BINARY)"
      )
      const { usual, faults } = yield* runClient(url, streamingUrl, caFile)

      assert.deepStrictEqual(usual, {
        before: null,
        resumed: "2",
        fenced: "InvalidChannelError",
        last: { token: "3", inserted: 4, errors: 0, code: "SUCCESS" }
      })
      const rows = yield* sql.query(
        "SELECT TO_JSON(V) AS V, TS::VARCHAR AS TS, D::VARCHAR AS D, HEX_ENCODE(B) AS B FROM DB.BRONZE.T WHERE V IS NOT NULL"
      )
      assert.deepStrictEqual(rows, [
        {
          V: '{"a":12345678901234567890,"f":1.5,"n":null,"s":"é\\n\\""}',
          TS: "2026-01-02 03:04:05.678901",
          D: "12345678901234567890.123456789",
          B: "00FF"
        }
      ])

      const appends = (yield* seen(url)).filter(({ path }) => path.endsWith("/rows"))
      for (const name of Object.keys(retried)) {
        assert.deepStrictEqual(
          faults[name],
          { outcome: "committed", status: { token: "2", inserted: 2, errors: 0, code: "SUCCESS" } },
          name
        )
        const [, second, again, ...more] = appends.filter(({ path }) => path.endsWith(`/${name}/rows`))
        assert.lengthOf(more, 0, name)
        // The rows were taken: their offset token may come back before it is time to try again.
        if (name === "lost" && again === undefined) continue
        assert.deepStrictEqual([second?.retryCount, again?.retryCount], ["0", "1"], name)
        const { retryCount: _, status: __, ...sent } = again ?? assert.fail(name)
        assert.deepInclude(second, sent, name)
      }
      for (const name of Object.keys(final)) assert.strictEqual(faults[name]?.outcome, "InvalidChannelError", name)
    }).pipe(Effect.scoped)
  )
})
