/**
 * Sorts what the Snowflake driver throws into the reasons of WarehouseError, with a message that says what to do and
 * never shows a payload.
 */
import * as Predicate from "effect/Predicate"
import type { SnowflakeSettings } from "../../settings/Model.ts"
import { WarehouseError, type WarehouseErrorReason } from "../WarehouseError.ts"
import { loginVerdict } from "./LoginErrors.ts"

interface DriverError {
  readonly code: string
  readonly sqlState: string
  readonly message: string
  /** The HTTP status, when the answer was not Snowflake's own. */
  readonly status: number | undefined
}

type Verdict = readonly [reason: WarehouseErrorReason, advice: string]

/**
 * Codes that say more than their class: the driver's own (4xxxxx) and Snowflake's (the rest). Those of login and
 * session are in SnowflakeLoginErrors.
 */
const byCode: Readonly<Record<string, Verdict>> = {
  "000603": ["unavailable", "an internal error of Snowflake"],
  "000604": ["unavailable", "the statement was cancelled: by a person, or by STATEMENT_QUEUED_TIMEOUT_IN_SECONDS"],
  "000605": ["unavailable", "the statement is no longer running"],
  "000606": ["denied", "no warehouse is selected: set SNOWFLAKE_WAREHOUSE and GRANT USAGE ON WAREHOUSE … TO ROLE …"],
  "000625": ["unavailable", "too many statements wait for the table's lock"],
  "000627": ["unavailable", "another transaction holds the table's lock"],
  "000630": [
    "unavailable",
    "the statement reached the time limit of the session or of the warehouse, whichever is lower (STATEMENT_TIMEOUT_IN_SECONDS)"
  ],
  "000666": ["denied", "the account is suspended or locked: ask its administrator"],
  "000904": ["denied", "a column is missing: `bronze-consumer doctor` names it"],
  "001757": ["denied", "compare tables and grants with `bronze-consumer doctor`"],
  "002003": ["denied", "create it with `bronze-consumer init`, or grant this role access to it"],
  "002043": ["denied", "create it with `bronze-consumer init`, or grant this role access to it"],
  "003001": ["denied", "grant this role what it needs: sql/snowflake/03_role.sql"],
  "003041": ["denied", "it exists, but this role has no privilege on it: grant it, there is nothing to create"],
  "090073": [
    "unavailable",
    "a resource monitor has stopped the warehouse: raise its quota or wait for the next period"
  ],
  "090084": ["unavailable", "a limit of the account has been reached"],
  "090105": ["denied", "no database is selected: check SNOWFLAKE_DATABASE, and GRANT USAGE ON DATABASE … TO ROLE …"],
  "090106": ["denied", "no schema is selected: check SNOWFLAKE_SCHEMA, and GRANT USAGE ON SCHEMA … TO ROLE …"],
  "091003": ["unavailable", "a stage could not be used"],
  "100082": ["too_large", "larger than a VARIANT or a statement may be"],
  "100090": ["denied", "two rows where one should be: `bronze-consumer audit` shows the ledger"],
  "200001": ["unavailable", "another transaction inserted the same row first"],
  "391404": ["denied", "this account, region or edition has no hybrid tables"],
  "401001": ["unavailable", "Snowflake cannot be reached"],
  "401003": ["unavailable", "the answer was not Snowflake's: check SNOWFLAKE_HOST and any proxy in between"],
  "401004": ["unavailable", "the session has ended; reconnecting"],
  "407001": ["unavailable", "the session has ended; reconnecting"],
  "407002": ["unavailable", "the session has ended; reconnecting"]
}

const byStatus = (status: number): Verdict => {
  if (status === 413) return ["too_large", "more than Snowflake takes in one statement"]
  if (status === 404) return ["denied", "check SNOWFLAKE_ACCOUNT and SNOWFLAKE_HOST"]
  // Snowflake's own edge answers so in passing, too; whether it is the account that is wrong, the login tells.
  if (status === 403)
    return [
      "unavailable",
      "if it persists: check SNOWFLAKE_ACCOUNT and SNOWFLAKE_HOST, and the account's network policy"
    ]
  return ["unavailable", "Snowflake did not answer the request"]
}

/** SQLSTATE classes; what is not listed is retried, because that loses nothing, and said not to pass when it stays. */
const bySqlState: ReadonlyArray<readonly [RegExp, Verdict]> = [
  [/^54/, ["too_large", "more than Snowflake takes in one statement"]],
  [/^(42|02)/, ["denied", "compare tables and grants with `bronze-consumer doctor`"]],
  [/^(08004|28)/, ["denied", "check the credentials"]]
]

const judge = (error: DriverError): Verdict => {
  // 401002 stands for any answer but 200; only the status tells them apart.
  if (error.status !== undefined) return byStatus(error.status)
  const known = byCode[error.code]
  if (known !== undefined) return known
  // The only codes that are about data. SQLSTATE does not tell: 22000 stands for limits, stages and missing schemas as
  // well.
  if (/^100\d{3}$/.test(error.code) && /^2[23]/.test(error.sqlState))
    return /too large/i.test(error.message)
      ? ["too_large", "larger than a VARIANT may be"]
      : ["refused", "the data of a record does not fit"]
  if (/conflict/i.test(error.message)) return ["unavailable", "conflict with another transaction"]
  const login = loginVerdict(error.code)
  if (login !== undefined) return login
  // Settings that the driver itself refuses before it connects (404xxx, 405xxx).
  if (/^40[45]/.test(error.code)) return ["denied", "check the SNOWFLAKE_ variables"]
  return bySqlState.find(([pattern]) => pattern.test(error.sqlState))?.[1] ?? unknownFault
}

const unknownFault: Verdict = ["unavailable", "an unknown error"]

/**
 * `refused` texts quote the data ("Numeric value 'abc' …"), so only what is before the first quotation or colon is
 * kept; and the cause that PARSE_JSON names, where it is one of its own.
 */
const withoutData = (message: string): string => {
  const [before = ""] = message.split(/[:'"]/)
  const cause = /: (duplicate object attribute|document is too large|missing \w+)/.exec(message)?.[1]
  return `${before.trim()}${cause === undefined ? "" : `: ${cause}`}`
}

/** Turns whatever a driver call failed with into a WarehouseError. */
export const fromDriver = (cause: unknown): WarehouseError => {
  const error = read(cause)
  const verdict = judge(error)
  const [reason, advice] = verdict
  const text = reason === "refused" || reason === "too_large" ? withoutData(error.message) : firstLine(error.message)
  const code = [error.code, error.status].filter((part) => part !== undefined && part !== "").join("/")
  const message = `${text}${code === "" ? "" : ` (${code})`}; ${advice}`
  const tag = error.status === undefined ? error.code : String(error.status)
  return new WarehouseError({
    reason,
    message,
    ...(tag !== "" && { code: tag }),
    ...(verdict === unknownFault && { isUnknown: true })
  })
}

/** What fails before a session is open and is not the server's word: the key file, mostly. */
export const fromLogin = (cause: unknown, credentials: SnowflakeSettings["credentials"]["_tag"]): WarehouseError => {
  const error = read(cause)
  if (error.status === 403)
    return new WarehouseError({
      reason: "denied",
      message: `${firstLine(error.message)} (403); check SNOWFLAKE_ACCOUNT and SNOWFLAKE_HOST, and the account's network policy`,
      code: "403"
    })
  if (/^\d+$/.test(error.code)) return fromDriver(cause)
  const advice =
    credentials === "KeyPair"
      ? "check SNOWFLAKE_PRIVATE_KEY_PATH and SNOWFLAKE_PRIVATE_KEY_PASSPHRASE"
      : "check the SNOWFLAKE_ variables"
  return new WarehouseError({ reason: "denied", message: `${firstLine(error.message)}; ${advice}` })
}

const firstLine = (message: string): string => {
  const [first = "", second = ""] = message.split("\n")
  // "SQL access control error:" says nothing without what follows it.
  return `${first}${first.endsWith(":") ? ` ${second}` : ""}`.trim().replace(/\.$/, "")
}

const read = (cause: unknown): DriverError => ({
  code: textOf(cause, "code"),
  sqlState: textOf(cause, "sqlState"),
  message: textOf(cause, "message"),
  status: statusOf(cause)
})

const textOf = (cause: unknown, key: string): string => {
  const value = Predicate.hasProperty(cause, key) ? cause[key] : undefined
  return Predicate.isString(value) || Predicate.isNumber(value) ? String(value) : ""
}

const statusOf = (cause: unknown): number | undefined => {
  const response = Predicate.hasProperty(cause, "response") ? cause.response : undefined
  const status = Predicate.hasProperty(response, "statusCode") ? response.statusCode : undefined
  return Predicate.isNumber(status) && status !== 200 ? status : undefined
}
