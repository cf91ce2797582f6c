/** Snowflake's login and session codes: which are transient, and the fix for those that are not. */
import type { WarehouseErrorReason } from "../WarehouseError.ts"

type Verdict = readonly [reason: WarehouseErrorReason, advice: string]

const ended: Verdict = ["unavailable", "the session has ended; reconnecting"]
const expired: Verdict = ["unavailable", "the session has expired; reconnecting"]
const role: Verdict = ["denied", "check SNOWFLAKE_ROLE, and GRANT ROLE … TO USER …"]
const keyPair: Verdict = [
  "denied",
  "the key pair was refused: ALTER USER … SET RSA_PUBLIC_KEY = '…' must hold this key's public half, SNOWFLAKE_USER its user, and this machine's clock be right to the minute"
]
const oauth: Verdict = ["denied", "the OAuth token is not valid or has expired: renew SNOWFLAKE_TOKEN"]

const byCode: Readonly<Record<string, Verdict>> = {
  "390100": ["denied", "check SNOWFLAKE_USER and SNOWFLAKE_PASSWORD"],
  "390102": [
    "denied",
    "the user is locked after too many wrong logins: correct the credentials, and wait 15 minutes or ALTER USER … SET MINS_TO_UNLOCK = 0"
  ],
  "390104": ended,
  "390111": ended,
  "390112": expired,
  "390113": ended,
  "390114": expired,
  "390115": ended,
  "390144": keyPair,
  "390186": role,
  "390189": role,
  "390195": oauth,
  "390201": [
    "denied",
    "SNOWFLAKE_DATABASE, SNOWFLAKE_SCHEMA, SNOWFLAKE_WAREHOUSE or SNOWFLAKE_ROLE names something that does not exist, or that this user may not use"
  ],
  "390303": oauth,
  "390318": oauth,
  "390400": ["denied", "invalid login request: check the SNOWFLAKE_ variables"],
  "390401": ["denied", "logging in with a browser is not for services: use a key pair"],
  "390422": ["denied", "a network policy refuses this address: ask the account's administrator to allow it"],
  "390432": [
    "denied",
    "an access token needs a network policy for its user: ALTER USER … SET NETWORK_POLICY = …; the token itself is good"
  ],
  "390913": ["denied", "the trial of this account has ended"],
  "394400": ["denied", "the access token is not valid or has expired: renew SNOWFLAKE_TOKEN"],
  "394508": [
    "denied",
    "this user needs a second factor, which a service does not have: use a key pair and a user of TYPE = SERVICE"
  ]
}

/** Login refusals are many (policies, expired passwords), and none of them passes by itself. */
export const loginVerdict = (code: string): Verdict | undefined => {
  if (/^39430[0-6]$/.test(code)) return keyPair
  return byCode[code] ?? (/^39[04]\d{3}$/.test(code) ? ["denied", "check the credentials"] : undefined)
}
