/** What the drivers throw, sorted by what has to follow; and that no message carries a payload. */
import { assert, describe, it } from "@effect/vitest"
import { fromDuckDb } from "../../src/warehouse/DuckDbErrors.ts"
import { fromDriver, fromLogin } from "../../src/warehouse/SnowflakeErrors.ts"

const thrown = (code: string | number, sqlState?: string, message = "words", status?: number) =>
  Object.assign(new Error(message), {
    code,
    sqlState,
    ...(status === undefined ? {} : { response: { statusCode: status } })
  })

describe("SnowflakeErrors", () => {
  const cases: ReadonlyArray<readonly [what: string, error: Error, reason: string]> = [
    ["network", thrown(401001, undefined, "connect ECONNREFUSED"), "unavailable"],
    ["503", thrown(401002, undefined, "failed", 503), "unavailable"],
    ["429", thrown(401002, undefined, "failed", 429), "unavailable"],
    ["413", thrown(401002, undefined, "failed", 413), "too_large"],
    ["403", thrown(401002, undefined, "failed", 403), "denied"],
    ["terminated session", thrown(407002, "08003"), "unavailable"],
    ["session gone", thrown("390111", "08001"), "unavailable"],
    ["master token expired", thrown("390114", "08001"), "unavailable"],
    ["wrong password", thrown("390100", "08001"), "denied"],
    ["MFA", thrown("394508", "08001"), "denied"],
    ["role", thrown("390189", "08001"), "denied"],
    ["no table", thrown("002003", "42S02"), "denied"],
    ["no right", thrown("003001", "42501"), "denied"],
    ["no column", thrown("000904", "42000"), "denied"],
    ["no warehouse", thrown("000606", "57P03"), "denied"],
    ["waiters", thrown("000625", "57014"), "unavailable"],
    ["statement timeout", thrown("000630", "57014"), "unavailable"],
    ["resource monitor", thrown("090073", "22000"), "unavailable"],
    ["internal error", thrown("000603", "XX000"), "unavailable"],
    ["bad JSON", thrown("100069", "22P02"), "refused"],
    ["NOT NULL", thrown("100072", "22000"), "refused"],
    ["LOB size", thrown("100082", "22000"), "too_large"],
    ["statement too large", thrown("099999", "54000"), "too_large"],
    ["unknown", thrown("777777"), "unavailable"]
  ]
  for (const [what, error, reason] of cases)
    it(`${what} is ${reason}`, () => {
      assert.strictEqual(fromDriver(error).reason, reason)
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
