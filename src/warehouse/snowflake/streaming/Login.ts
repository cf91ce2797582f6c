/**
 * Logs in to the streaming API: finds the host that takes the rows, and keeps a token for it that is renewed before it
 * ends, and once when it is refused.
 */
import { createHash, createPrivateKey, createPublicKey, randomUUID, sign } from "node:crypto"
import { readFile } from "node:fs/promises"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import * as Semaphore from "effect/Semaphore"
import * as TokenClaims from "../../../domain/TokenClaims.ts"
import type { SnowflakeSettings } from "../../../settings/Model.ts"
import { WarehouseError } from "../../WarehouseError.ts"
import { patiently } from "../Login.ts"
import { fromAnswer } from "./Errors.ts"
import type { Send } from "./Http.ts"

/** What the data calls need. */
export interface Access {
  /** `https://…`, without a path. */
  readonly origin: string
  readonly token: Redacted.Redacted
}

/** Milliseconds that a key pair's own token may be used; Snowflake takes up to an hour. */
const proofLife = 55 * 60_000

/** A token that does not say when it ends is renewed after this; some were seen to last ten minutes. */
const defaultLife = 8 * 60_000

/** How long before its end a token is renewed. */
const early = 60_000

/** The token alone, or in JSON, as the documents have it. */
const Wrapped = Schema.fromJsonString(
  Schema.Union([
    Schema.Struct({ token: Schema.String }),
    Schema.Struct({ access_token: Schema.String }),
    Schema.Struct({ hostname: Schema.String }),
    Schema.String
  ])
)
const decodeWrapped = Schema.decodeUnknownOption(Wrapped)

/** The one word of an answer that is plain text, or JSON around it. */
const wordOf = (text: string): string => {
  const wrapped = Option.getOrUndefined(decodeWrapped(text))
  if (wrapped === undefined) return text.trim()
  if (typeof wrapped === "string") return wrapped
  return "token" in wrapped ? wrapped.token : "hostname" in wrapped ? wrapped.hostname : wrapped.access_token
}

export const make = (settings: SnowflakeSettings, send: Send) => {
  const account = accountOrigin(settings)
  const one = Semaphore.makeUnsafe(1)
  let origin: string | undefined
  let current: { readonly access: Access; readonly renewAt: number } | undefined

  const discover = Effect.gen(function* () {
    const { kind, token } = yield* proof(settings)
    const doing = "find the host of the streaming API"
    const answer = yield* send(doing, {
      method: "GET",
      url: `${account}/v2/streaming/hostname?requestId=${randomUUID()}`,
      headers: { authorization: `Bearer ${Redacted.value(token)}`, "x-snowflake-authorization-token-type": kind }
    })
    if (answer.status !== 200) return yield* fromAnswer(doing, answer)
    return originOf(account, wordOf(answer.text))
  })

  const exchange = Effect.fnUntraced(function* (host: string) {
    const { kind, token } = yield* proof(settings)
    const role = settings.role === undefined ? "" : ` session:role:${settings.role.toUpperCase()}`
    const grant =
      kind === "KEYPAIR_JWT"
        ? { grant_type: "urn:ietf:params:oauth:grant-type:jwt-bearer" }
        : {
            grant_type: "urn:ietf:params:oauth:grant-type:token-exchange",
            subject_token_type: "programmatic_access_token",
            subject_token: Redacted.value(token)
          }
    const doing = "log in to the streaming API"
    const answer = yield* send(doing, {
      method: "POST",
      url: `${account}/oauth/token?requestId=${randomUUID()}`,
      headers: {
        authorization: `Bearer ${Redacted.value(token)}`,
        "x-snowflake-authorization-token-type": kind,
        "content-type": "application/x-www-form-urlencoded"
      },
      body: Buffer.from(new URLSearchParams({ ...grant, scope: `${new URL(host).host}${role}` }).toString())
    })
    if (answer.status !== 200) return yield* fromAnswer(doing, answer)
    return wordOf(answer.text)
  })

  const login = patiently(
    Effect.gen(function* () {
      origin ??= yield* discover
      const token = yield* exchange(origin)
      const now = yield* Clock.currentTimeMillis
      const left = (TokenClaims.read(token)?.expiresAt ?? now + defaultLife) - now
      const access: Access = { origin, token: Redacted.make(token) }
      current = { access, renewAt: now + left - Math.min(early, left / 2) }
      return access
    })
  )

  return {
    /** The access in force; one login at a time. */
    access: one.withPermit(
      Effect.flatMap(Clock.currentTimeMillis, (now) =>
        current !== undefined && now < current.renewAt ? Effect.succeed(current.access) : login
      )
    ),
    /** Forgets an access that was refused; a later one stays. */
    refused: (access: Access): void => {
      if (current?.access === access) current = undefined
    },
    /** Forgets the host as well: the pipe has moved to another. */
    moved: (): void => {
      origin = undefined
      current = undefined
    }
  }
}

export type Login = ReturnType<typeof make>

/** Where the account itself answers. */
const accountOrigin = ({ account, host }: Pick<SnowflakeSettings, "account" | "host">): string => {
  if (host === undefined) return `https://${account.replaceAll("_", "-")}.snowflakecomputing.com`
  return host.includes("://") ? host.replace(/\/+$/, "") : `https://${host}`
}

/** With the scheme of the account's address; no certificate is valid for a name with an underscore. */
const originOf = (account: string, host: string): string =>
  host.includes("://") ? host : `${new URL(account).protocol}//${host.replaceAll("_", "-")}`

/** What proves who we are: a token that the key pair has signed, or the access token. */
const proof = (settings: SnowflakeSettings) => {
  const { credentials } = settings
  if (credentials._tag === "AccessToken")
    return Effect.succeed({ kind: "PROGRAMMATIC_ACCESS_TOKEN" as const, token: credentials.token })
  if (credentials._tag !== "KeyPair") return Effect.die("the settings allow a key pair or an access token only")
  return Effect.tryPromise({
    try: async () => {
      const passphrase = credentials.passphrase === undefined ? undefined : Redacted.value(credentials.passphrase)
      const pem = await readFile(credentials.path)
      return { kind: "KEYPAIR_JWT" as const, token: Redacted.make(signed(settings, pem, passphrase, Date.now())) }
    },
    catch: () =>
      new WarehouseError({
        reason: "denied",
        message: "the private key cannot be used; check SNOWFLAKE_PRIVATE_KEY_PATH and SNOWFLAKE_PRIVATE_KEY_PASSPHRASE"
      })
  })
}

/** The token of a key pair (docs.snowflake.com, "Using key-pair authentication"). */
const signed = (
  { account, role, user }: SnowflakeSettings,
  pem: Buffer,
  passphrase: string | undefined,
  now: number
): string => {
  const key = createPrivateKey({ key: pem, ...(passphrase !== undefined && { passphrase }) })
  const publicKey = createPublicKey(key).export({ type: "spki", format: "der" })
  const fingerprint = createHash("sha256").update(publicKey).digest("base64")
  // A locator may have its region behind it, which is no part of the name.
  const [name = ""] = account.toUpperCase().split(".")
  const subject = `${name}.${user.toUpperCase()}`
  const seconds = Math.floor(now / 1000)
  const claims = {
    iss: `${subject}.SHA256:${fingerprint}`,
    sub: subject,
    iat: seconds,
    exp: seconds + proofLife / 1000,
    ...(role !== undefined && { scp: `session:role:${role.toUpperCase()}` })
  }
  const body = [{ alg: "RS256", typ: "JWT" }, claims]
    .map((part) => Buffer.from(JSON.stringify(part)).toString("base64url"))
    .join(".")
  return `${body}.${sign("RSA-SHA256", Buffer.from(body), key).toString("base64url")}`
}
