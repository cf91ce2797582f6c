/** What the drivers throw, sorted by what has to follow; and that no message carries a payload. */
import { assert, describe, it } from "@effect/vitest"
import { fromDuckDb } from "../../../src/warehouse/duckdb/Errors.ts"
import { fromDriver, fromLogin } from "../../../src/warehouse/snowflake/Errors.ts"
import type { WarehouseErrorReason } from "../../../src/warehouse/WarehouseError.ts"

const thrown = (code: string | number, sqlState?: string, message = "words", status?: number) =>
  Object.assign(new Error(message), {
    code,
    sqlState,
    ...(status === undefined ? {} : { response: { statusCode: status } })
  })

describe("SnowflakeErrors", () => {
  const byStatus: ReadonlyArray<readonly [status: number, reason: WarehouseErrorReason]> = [
    [400, "unavailable"],
    [403, "unavailable"],
    [404, "denied"],
    [413, "too_large"],
    [429, "unavailable"],
    [503, "unavailable"]
  ]
  for (const [status, reason] of byStatus)
    it(`HTTP ${status} is ${reason}`, () => {
      const error = fromDriver(thrown(401002, undefined, "failed", status))
      assert.deepInclude(error, { reason, code: String(status) })
    })

  it("HTTP 403 at the login is denied, for a wrong account gets it", () => {
    assert.strictEqual(fromLogin(thrown(401002, undefined, "failed", 403), "KeyPair").reason, "denied")
  })

  const cases: ReadonlyArray<
    readonly [code: string | number, sqlState: string, reason: WarehouseErrorReason, advice?: RegExp]
  > = [
    [401001, "", "unavailable"],
    [407002, "08003", "unavailable"],
    ["000603", "XX000", "unavailable"],
    ["000604", "57014", "unavailable", /cancelled/],
    ["000605", "57014", "unavailable"],
    ["000606", "57P03", "denied", /SNOWFLAKE_WAREHOUSE/],
    ["000607", "57014", "unavailable"],
    ["000625", "57014", "unavailable", /wait for the table's lock/],
    ["000627", "57014", "unavailable", /holds the table's lock/],
    ["000630", "57014", "unavailable", /of the session or of the warehouse/],
    ["000666", "57014", "denied", /suspended/],
    ["000709", "02000", "denied"],
    ["000904", "42000", "denied", /doctor/],
    ["001757", "42601", "denied"],
    ["002003", "42S02", "denied", /init/],
    ["002043", "02000", "denied", /init/],
    ["002140", "42601", "denied"],
    ["003001", "42501", "denied", /03_role/],
    ["003041", "42710", "denied", /grant it, there is nothing to create/],
    ["090073", "22000", "unavailable", /resource monitor/],
    ["090084", "22000", "unavailable"],
    ["090105", "22000", "denied", /SNOWFLAKE_DATABASE/],
    ["090106", "22000", "denied", /SNOWFLAKE_SCHEMA/],
    ["091003", "22000", "unavailable"],
    ["100035", "22007", "refused"],
    ["100038", "22018", "refused"],
    ["100040", "22007", "refused"],
    ["100046", "22003", "refused"],
    ["100069", "22P02", "refused"],
    ["100071", "22000", "refused"],
    ["100072", "22000", "refused"],
    ["100078", "22000", "refused"],
    ["100080", "22000", "refused"],
    ["100082", "22000", "too_large"],
    ["100090", "42P18", "denied", /audit/],
    ["100132", "22000", "refused"],
    ["200001", "22000", "unavailable", /inserted the same row first/],
    ["390100", "08001", "denied", /SNOWFLAKE_PASSWORD/],
    ["390102", "08004", "denied", /15 minutes/],
    ["390104", "08001", "unavailable"],
    ["390111", "08001", "unavailable"],
    ["390112", "08001", "unavailable"],
    ["390113", "08001", "unavailable"],
    ["390114", "08001", "unavailable"],
    ["390115", "08001", "unavailable"],
    ["390144", "08001", "denied", /clock/],
    ["390186", "08001", "denied", /SNOWFLAKE_ROLE/],
    ["390189", "08001", "denied", /SNOWFLAKE_ROLE/],
    ["390195", "08001", "denied", /SNOWFLAKE_TOKEN/],
    ["390201", "08004", "denied", /SNOWFLAKE_WAREHOUSE/],
    ["390303", "08001", "denied", /SNOWFLAKE_TOKEN/],
    ["390318", "08001", "denied", /SNOWFLAKE_TOKEN/],
    ["390422", "08001", "denied", /network policy/],
    ["390432", "08001", "denied", /needs a network policy/],
    ["390913", "08004", "denied", /trial/],
    ["391404", "0A000", "denied", /no hybrid tables/],
    ["394300", "08001", "denied", /RSA_PUBLIC_KEY/],
    ["394306", "08001", "denied", /RSA_PUBLIC_KEY/],
    ["394400", "08001", "denied", /SNOWFLAKE_TOKEN/],
    ["394508", "08001", "denied", /key pair/],
    ["099999", "54000", "too_large"],
    ["099998", "22000", "unavailable"],
    ["777777", "", "unavailable"]
  ]
  for (const [code, sqlState, reason, advice = /; \w/] of cases)
    it(`${code} is ${reason}`, () => {
      const error = fromDriver(thrown(code, sqlState))
      assert.deepInclude(error, { reason, code: String(code) })
      assert.match(error.message, advice)
    })

  it("a column called CONFLICT makes no transient error of bad data", () => {
    const text = "DML operation to table T failed on column CONFLICT with error: Numeric value 'x' is not recognized"
    assert.strictEqual(fromDriver(thrown("100038", "22018", text)).reason, "refused")
  })

  it("keeps data out of the message", () => {
    for (const message of [
      'Error parsing JSON: unknown keyword "secret"',
      "Numeric value 'secret' is not recognized"
    ]) {
      const error = fromDriver(thrown("100069", "22P02", message))
      assert.notInclude(JSON.stringify(error), "secret")
      assert.include(error.message, message.slice(0, 13))
    }
  })

  it("takes a key that cannot be read for a mistake in the settings", () => {
    const error = fromLogin(Object.assign(new Error("ENOENT: no such file"), { code: "ENOENT" }), "KeyPair")
    assert.strictEqual(error.reason, "denied")
    assert.include(error.message, "SNOWFLAKE_PRIVATE_KEY_PASSPHRASE")
  })
})

describe("DuckDbErrors", () => {
  const cases: ReadonlyArray<readonly [message: string, reason: string]> = [
    [
      'IO Error: Could not set lock on file "x": Conflicting lock is held in /usr/bin/node (PID 42). See also',
      "denied"
    ],
    ['IO Error: Cannot open file "/nope/x": No such file or directory', "denied"],
    ["IO Error: Could not write: No space left on device", "unavailable"],
    ['Catalog Error: Table with name "T" does not exist', "denied"],
    ['Table ".BRONZE.T" could not be found', "denied"],
    ["TransactionContext Error: Conflict on update!", "unavailable"],
    ['Conversion Error: Could not convert string "secret" to INT32', "refused"],
    ["Out of Memory Error: failed to allocate", "unavailable"]
  ]
  for (const [message, reason] of cases)
    it(`${message.slice(0, 45)}… is ${reason}`, () => {
      const error = fromDuckDb("x.duckdb")(new Error(message))
      assert.strictEqual(error.reason, reason)
      assert.notInclude(error.message, "secret")
    })
})
