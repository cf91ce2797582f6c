/** The emulator's streaming API: sequencers, what is committed when and with what values, restarts. */
import { mkdtemp } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { session } from "../../support/emulator/EmulatorSession.ts"
import { given, ids } from "../../support/emulator/StreamingAccount.ts"
import { control, streaming } from "../../support/emulator/StreamingClient.ts"

const never = { options: { "streaming-commit-ms": "never" } }

describe("the emulator's streaming API", () => {
  it.live("rows are there once committed, by the names of columns, with the values that a VARIANT keeps", () =>
    Effect.gen(function* () {
      const { sql, api } = yield* given()
      const first = yield* api.opened("C")
      const lines = [
        '{"ID":1,"V":{"z":12345678901234567890,"a":1.10,"n":null,"s":"é\\n"},"TS":"2026-01-02T03:04:05.678901"}',
        "",
        '{"id":2,"V":"text","OTHER":1}',
        '{"ID":3,"V":null}',
        '{"ID":"12345678901234567890"}'
      ]
      assert.strictEqual((yield* api.append("C", first, "a b&c=1", `${lines.join("\r\n")}\n`)).status, 200)
      const { rows_inserted, rows_error_count } = yield* api.committed("C", "a b&c=1")
      assert.deepStrictEqual([rows_inserted, rows_error_count], [4, 0])
      const rows = yield* sql.query(
        "SELECT ID, TO_JSON(V) AS V, V IS NULL AS N, TS::VARCHAR AS TS FROM DB.BRONZE.T ORDER BY ID"
      )
      assert.deepStrictEqual(rows, [
        {
          ID: "1",
          V: '{"a":1.1,"n":null,"s":"é\\n","z":12345678901234567890}',
          N: false,
          TS: "2026-01-02 03:04:05.678901"
        },
        { ID: "2", V: '"text"', N: false, TS: null },
        { ID: "3", V: "null", N: false, TS: null },
        { ID: "12345678901234567890", V: null, N: true, TS: null }
      ])
    }).pipe(Effect.scoped)
  )

  it.live(
    "a rowset is taken once and in order; a second opener fences the first and discards what is uncommitted",
    () =>
      Effect.gen(function* () {
        const { url, sql, api } = yield* given(never)
        const first = yield* api.opened("C")
        const second = (yield* api.append("C", first, "1", [{ ID: 1 }])).json.next_continuation_token ?? ""
        // Other bytes under a token that was used: the same answer, and they are dropped.
        assert.strictEqual((yield* api.append("C", first, "9", [{ ID: 9 }])).json.next_continuation_token, second)
        assert.strictEqual((yield* api.status("C"))?.last_committed_offset_token, null)
        const refused = yield* api.open("C", { fail_on_uncommitted_rows: true })
        assert.deepStrictEqual([refused.status, refused.json.code], [409, "ERR_CHANNEL_HAS_UNCOMMITTED_DATA"])
        const again = yield* api.opened("C")
        const stale = yield* api.append("C", second, "2", [{ ID: 2 }])
        assert.deepStrictEqual([stale.status, stale.json.code], [400, "STALE_CONTINUATION_TOKEN_SEQUENCER"])
        yield* control(url, "options", { "streaming-commit-ms": 0 })
        assert.strictEqual((yield* api.append("C", again, "3", [{ ID: 3 }])).status, 200)
        yield* api.committed("C", "3")
        assert.deepStrictEqual(yield* ids(sql), { IDS: "3" })
        assert.strictEqual(
          (yield* api.open("C", { fail_on_uncommitted_rows: true })).json.channel_status?.last_committed_offset_token,
          "3"
        )
        const gap = yield* api.append("C", (yield* api.opened("C")).replace(/_1$/, "_2"), "5", [{ ID: 5 }])
        assert.strictEqual(gap.status, 409)
        assert.strictEqual(
          (yield* api.status("C"))?.channel_status_code,
          "ERR_CHANNEL_MUST_BE_REOPENED_DUE_TO_ROW_SEQ_GAP"
        )
        assert.strictEqual(yield* api.status("c"), undefined)
        assert.strictEqual((yield* api.drop("c")).status, 200)
        assert.strictEqual(yield* api.status("C"), undefined)
        assert.strictEqual(
          (yield* api.append("C", again, "6", [{ ID: 6 }])).json.code,
          "ERR_CHANNEL_DOES_NOT_EXIST_OR_IS_NOT_AUTHORIZED"
        )
      }).pipe(Effect.scoped)
  )

  it.live("of openers at the same time one has the channel; of two retries at the same time one is taken", () =>
    Effect.gen(function* () {
      const { sql, api } = yield* given()
      const openers = yield* Effect.all(
        Array.from({ length: 4 }, () => api.opened("C")),
        { concurrency: 4 }
      )
      assert.strictEqual(new Set(openers).size, 4)
      const statuses = yield* Effect.forEach(
        openers,
        (token, at) => Effect.map(api.append("C", token, "1", [{ ID: at }]), ({ status }) => status),
        { concurrency: 4 }
      )
      assert.deepStrictEqual(statuses.toSorted(), [200, 400, 400, 400])
      yield* api.committed("C", "1")
      const token = yield* api.opened("C")
      yield* Effect.all(
        Array.from({ length: 4 }, () => api.append("C", token, "2", [{ ID: 9 }])),
        { concurrency: 4 }
      )
      assert.strictEqual((yield* api.committed("C", "2")).rows_inserted, 2)
      assert.deepStrictEqual(yield* ids(sql), { IDS: `${statuses.indexOf(200)},9` })
    }).pipe(Effect.scoped)
  )

  it.live("a row that does not fit is counted and kept for ERROR_TABLE; the token moves on", () =>
    Effect.gen(function* () {
      const { sql, api } = yield* given()
      const errors =
        'SELECT ERROR_METADATA:details:offset_token_upper_bound::STRING AS AT, TO_JSON(ERROR_DATA:"$1") AS D FROM ERROR_TABLE(DB.BRONZE.T) ORDER BY D'
      assert.include((yield* Effect.flip(sql.query(errors))).message, "Error table")
      yield* sql.execute("ALTER TABLE DB.BRONZE.T SET ERROR_LOGGING = TRUE")
      const lines = [
        '{"ID":"x"}',
        "no JSON",
        '{"V":1}',
        '{"ID":4}',
        "[5]",
        '{"ID":6,"TS":"yesterday"}',
        '{"ID":7,"ID":7}',
        '{"ID":8,"V":"\\ud800"}'
      ]
      yield* api.append("C", yield* api.opened("C"), "8", lines.join("\n"))
      const status = yield* api.committed("C", "8")
      assert.deepStrictEqual([status.rows_parsed, status.rows_inserted, status.rows_error_count], [8, 1, 7])
      assert.strictEqual(status.last_error_offset_upper_bound, "8")
      assert.include(status.last_error_message, "Error parsing JSON")
      assert.deepStrictEqual(yield* ids(sql), { IDS: "4" })
      const kept = [
        '"no JSON"',
        '"{\\"ID\\":8,\\"V\\":\\"\\\\ud800\\"}"',
        "[5]",
        '{"ID":"x"}',
        '{"ID":6,"TS":"yesterday"}',
        '{"ID":7}',
        '{"V":1}'
      ]
      assert.deepStrictEqual(
        yield* sql.query(errors),
        kept.map((D) => ({ AT: "8", D }))
      )
    }).pipe(Effect.scoped)
  )

  it.live("a discarded append is answered with 200, and nothing is committed until the channel is opened again", () =>
    Effect.gen(function* () {
      const { url, sql, api } = yield* given({
        options: { "streaming-commit-ms": 0, "streaming-latency-ms": 300, "streaming-discard": true }
      })
      const opened = yield* api.opened("C")
      const started = Date.now()
      const next = (yield* api.append("C", opened, "1", [{ ID: 1 }])).json.next_continuation_token ?? ""
      assert.isAtLeast(Date.now() - started, 300)
      yield* control(url, "options", { "streaming-discard": false, "streaming-latency-ms": 0 })
      assert.strictEqual((yield* api.append("C", next, "2", [{ ID: 2 }])).status, 200)
      yield* api.append("C", yield* api.opened("C"), "3", [{ ID: 3 }])
      assert.strictEqual((yield* api.committed("C", "3")).rows_inserted, 1)
      assert.deepStrictEqual(yield* ids(sql), { IDS: "3" })
    }).pipe(Effect.scoped)
  )

  it.live("after a kill the committed rows, the token and the counters are there together; the buffer is lost", () =>
    Effect.gen(function* () {
      const dataDir = yield* Effect.promise(() => mkdtemp(join(tmpdir(), "bronze-streaming-")))
      const { started, url, api } = yield* given({ dataDir })
      const first = yield* api.opened("C")
      const second = (yield* api.append("C", first, "1", [{ ID: 1 }, { ID: "x" }])).json.next_continuation_token ?? ""
      yield* api.committed("C", "1")
      yield* control(url, "options", { "streaming-commit-ms": "never" })
      const third = (yield* api.append("C", second, "2", [{ ID: 2 }])).json.next_continuation_token ?? ""
      started.kill()
      yield* Effect.promise(() => started.restart())
      assert.strictEqual((yield* api.append("C", third, "3", [{ ID: 3 }])).status, 401)
      const after = yield* streaming(url)
      const status = yield* after.status("C")
      assert.deepStrictEqual(
        [status?.last_committed_offset_token, status?.rows_inserted, status?.rows_error_count],
        ["1", 1, 1]
      )
      assert.deepStrictEqual(yield* ids(yield* session(url)), { IDS: "1" })
      // What was consumed stays consumed; what was lost is a gap.
      assert.strictEqual((yield* after.append("C", first, "9", [{ ID: 9 }])).json.next_continuation_token, second)
      assert.strictEqual((yield* after.append("C", third, "3", [{ ID: 3 }])).status, 409)
      yield* after.append("C", yield* after.opened("C"), "2", [{ ID: 2 }])
      yield* after.committed("C", "2")
      assert.deepStrictEqual(yield* ids(yield* session(url)), { IDS: "1,2" })
    }).pipe(Effect.scoped)
  )

  it.live("a table that is replaced or dropped takes its channels with it", () =>
    Effect.gen(function* () {
      const { sql, api } = yield* given()
      const token = yield* api.opened("C")
      yield* api.append("C", token, "1", [{ ID: 1 }])
      yield* api.committed("C", "1")
      yield* sql.execute("CREATE OR REPLACE TABLE DB.BRONZE.T (ID NUMBER(38,0))")
      assert.strictEqual((yield* api.status("C"))?.channel_status_code, "ERR_TABLE_DOES_NOT_EXIST_NOT_AUTHORIZED")
      assert.strictEqual((yield* api.append("C", token.replace(/_1$/, "_2"), "2", [{ ID: 2 }])).status, 409)
      const reopened = (yield* api.open("C")).json.channel_status
      assert.deepStrictEqual([reopened?.last_committed_offset_token, reopened?.rows_inserted], [null, 0])
      yield* sql.execute("DROP TABLE DB.BRONZE.T")
      const gone = yield* api.open("C")
      assert.deepStrictEqual([gone.status, gone.json.code], [404, "ERR_PIPE_DOES_NOT_EXIST_OR_NOT_AUTHORIZED"])
      const elsewhere = yield* api.ask("PUT", "databases/NONE/schemas/S/pipes/T-STREAMING/channels/C")
      assert.strictEqual(elsewhere.json.code, "ERR_DATABASE_DOES_NOT_EXIST_OR_NOT_AUTHORIZED")
    }).pipe(Effect.scoped)
  )

  it.live("commits do not wait for an open SQL transaction on the table, nor does that fail by them", () =>
    Effect.gen(function* () {
      const { sql, url, api } = yield* given()
      yield* sql.execute("INSERT INTO DB.BRONZE.T (ID) VALUES (1)")
      yield* sql.execute("BEGIN")
      yield* sql.execute("UPDATE DB.BRONZE.T SET ID = 10")
      yield* sql.execute("INSERT INTO DB.BRONZE.T (ID) VALUES (2)")
      yield* api.append("C", yield* api.opened("C"), "1", [{ ID: 3 }])
      yield* api.committed("C", "1")
      assert.deepStrictEqual(yield* ids(yield* session(url)), { IDS: "1,3" })
      yield* sql.execute("COMMIT")
      assert.deepStrictEqual(yield* ids(sql), { IDS: "2,3,10" })
    }).pipe(Effect.scoped)
  )

  it.live("a full request of 10,000 rows is committed whole, beside another channel", () =>
    Effect.gen(function* () {
      const { sql, api } = yield* given({ options: { "streaming-commit-ms": 0 } })
      const [one, two] = [yield* api.opened("ONE"), yield* api.opened("TWO")]
      const rows = Array.from({ length: 10_000 }, (_, ID) => ({ ID, V: { amount: ID / 4, note: "x".repeat(200) } }))
      yield* Effect.all([api.append("ONE", one, "1", rows), api.append("TWO", two, "1", rows)], { concurrency: 2 })
      yield* api.committed("ONE", "1")
      yield* api.committed("TWO", "1")
      const found = yield* sql.query(
        "SELECT COUNT(*) AS N, COUNT(DISTINCT ID) AS D, MAX(V:amount::FLOAT) AS M FROM DB.BRONZE.T"
      )
      assert.deepStrictEqual(found, [{ N: "20000", D: "10000", M: "2499.75" }])
    }).pipe(Effect.scoped)
  )
})
