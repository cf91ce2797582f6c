/** What an answer of the streaming API means for a write, in whichever of its forms it comes. */
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import { WarehouseError } from "../../WarehouseError.ts"

/** An answer as it came. */
export interface Answer {
  readonly status: number
  readonly text: string
  readonly isJson: boolean
}

/** `{"code","message"}`, `{"error_code"}`, `{"status_code"}`, or the code alone as a JSON string. */
const Body = Schema.fromJsonString(
  Schema.Union([
    Schema.String,
    Schema.Struct({
      code: Schema.optionalKey(Schema.Union([Schema.String, Schema.Number])),
      error_code: Schema.optionalKey(Schema.Union([Schema.String, Schema.Number])),
      status_code: Schema.optionalKey(Schema.Number),
      message: Schema.optionalKey(Schema.String)
    })
  ])
)
const decodeBody = Schema.decodeUnknownOption(Body)

export interface Said {
  readonly code: string
  readonly message: string
  readonly statusCode: number | undefined
}

export const said = ({ text }: Pick<Answer, "text">): Said => {
  const body = Option.getOrUndefined(decodeBody(text))
  if (body === undefined) return { code: "", message: "", statusCode: undefined }
  if (typeof body === "string") return { code: body, message: "", statusCode: undefined }
  const code = String(body.code ?? body.error_code ?? "")
  return { code, message: body.message ?? "", statusCode: body.status_code }
}

/** Codes whose reason does not follow from the status of the answer. */
const reasons: Readonly<Record<string, WarehouseError["reason"]>> = {
  STALE_CONTINUATION_TOKEN_SEQUENCER: "fenced",
  STALE_PIPE_CACHE: "fenced",
  ERR_CHANNEL_DOES_NOT_EXIST_OR_IS_NOT_AUTHORIZED: "fenced",
  ERR_PIPE_IN_INVALID_STATE: "denied",
  ERR_OPEN_CHANNEL_IN_PROGRESS: "unavailable",
  ERR_CHANNEL_HAS_UNCOMMITTED_DATA: "unavailable",
  ERR_GENERAL_EXCEPTION_RETRY_REQUEST: "unavailable"
}

/** The numbers in the body of a 400: the login has expired; the channel was opened elsewhere. */
const [loginExpired, staleChannel] = [3, 4]

const reasonOf = ({ isJson, status }: Answer, { code, statusCode }: Said): WarehouseError["reason"] => {
  const known = reasons[code]
  if (known !== undefined) return known
  if (status === 401 || statusCode === loginExpired) return "denied"
  if (statusCode === staleChannel) return "fenced"
  if (status === 413) return "too_large"
  if (status === 408 || status === 429 || status >= 500) return "unavailable"
  // The gateway has no route for a moment, and says so in plain text.
  if (status === 404 && !isJson) return "unavailable"
  if (status === 409 || status === 410) return "fenced"
  return "denied"
}

/** Whether a new login may get through. */
export const isLogin = (answer: Answer): boolean =>
  answer.status === 401 || answer.status === 403 || (answer.status === 400 && said(answer).statusCode === loginExpired)

export const fromAnswer = (doing: string, answer: Answer): WarehouseError => {
  const words = said(answer)
  const reason = reasonOf(answer, words)
  const code = words.code || String(answer.status)
  const text = [words.message, words.code, `HTTP ${answer.status}`].filter((part) => part !== "").join("; ")
  return new WarehouseError({
    reason,
    code,
    message: `could not ${doing}: ${text}${adviceOf(code, answer.status)}`,
    // A request that is wrong stays wrong: nothing tells that it will ever pass.
    ...(reason === "denied" && answer.status === 400 && { isUnknown: true })
  })
}

const adviceOf = (code: string, status: number): string => {
  if (code.startsWith("ERR_PIPE_DOES_NOT_EXIST") || code.startsWith("ERR_TABLE_DOES_NOT_EXIST"))
    return ". The table is missing, or the role may not INSERT into it: bronze-consumer init, or GRANT INSERT"
  if (code.startsWith("ERR_DATABASE_DOES_NOT_EXIST") || code.startsWith("ERR_SCHEMA_DOES_NOT_EXIST"))
    return ". It is missing, or the role has no USAGE on it: check SNOWFLAKE_DATABASE and SNOWFLAKE_SCHEMA, or run bronze-consumer init"
  if (status === 401) return ". Check the key pair or token of SNOWFLAKE_USER"
  if (status === 403) return ". Check the role's grants and the account's network policy"
  return ""
}

/** What was not even answered. */
export const unreachable = (doing: string, cause: unknown): WarehouseError =>
  new WarehouseError({ reason: "unavailable", message: `could not ${doing}: ${wordsOf(cause)}`, cause })

const wordsOf = (cause: unknown): string => {
  const inner = cause instanceof Error && cause.cause instanceof Error ? cause.cause : cause
  return inner instanceof Error ? inner.message : String(inner)
}
