/** What a token says of itself, as far as it is a JSON web token; nothing is verified, that is for the server to do. */
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"

const Payload = Schema.fromJsonString(
  Schema.Struct({
    iss: Schema.optionalKey(Schema.String),
    sub: Schema.optionalKey(Schema.String),
    aud: Schema.optionalKey(Schema.Union([Schema.String, Schema.Array(Schema.String)])),
    exp: Schema.optionalKey(Schema.Finite)
  })
)

const decode = Schema.decodeUnknownOption(Payload)

export interface Claims {
  readonly issuer: string | undefined
  readonly subject: string | undefined
  readonly audience: string | undefined
  /** Milliseconds since 1970, by the clock of the issuer. */
  readonly expiresAt: number | undefined
}

export const read = (token: string): Claims | undefined => {
  const payload = decode(Buffer.from(token.split(".")[1] ?? "", "base64url").toString())
  if (Option.isNone(payload)) return undefined
  const { aud, exp, iss, sub } = payload.value
  return {
    issuer: iss,
    subject: sub,
    audience: typeof aud === "string" ? aud : aud?.join(" "),
    expiresAt: exp === undefined ? undefined : exp * 1000
  }
}

/** The same in words, for who has to find out why a broker rejects it. */
export const describe = (token: string, now: number): string => {
  const claims = read(token)
  if (claims === undefined) return "it is not a JSON web token"
  const { audience = "none", expiresAt, issuer = "none", subject = "none" } = claims
  const left = expiresAt === undefined ? undefined : Math.round((expiresAt - now) / 1000)
  const end = left === undefined ? "without an end" : left < 0 ? `expired ${-left} s ago` : `valid for ${left} s`
  return `issuer ${issuer}, audience ${audience}, subject ${subject}, ${end}`
}
