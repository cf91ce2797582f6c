/**
 * The calls of the streaming API (REST, version 2), each one attempt; a login that was refused is renewed once, and the
 * same request sent again.
 */
import { randomUUID } from "node:crypto"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import type { SnowflakeSettings } from "../../../settings/Model.ts"
import { quoted } from "../../sql/Tables.ts"
import { WarehouseError } from "../../WarehouseError.ts"
import { type Answer, fromAnswer, isLogin, said } from "./Errors.ts"
import type { Answered, Request, Send } from "./Http.ts"
import type { Login } from "./Login.ts"
import type { Body } from "./Rows.ts"

/** What the server says of a channel; counters never go back, not even when it is opened again. */
export interface ChannelStatus {
  readonly code: string
  /** The offset token of the last rows that are durable; null while there are none. */
  readonly token: string | null
  /** Rows that the server rejected. */
  readonly rejected: number
  readonly message: string | null
}

/** Channels that one request asks for. */
const atOnce = 500

/** A request to append that may have to be sent again: the same bytes under the same names. */
export interface Append {
  readonly body: Body
  readonly continuation: string
  readonly requestId: string
  readonly retries: number
  /** What the server gave with the last answer, so that the next request finds the same node. */
  readonly session: string | undefined
}

const Count = Schema.optionalKey(Schema.NullOr(Schema.Number))
const Status = Schema.Struct({
  channel_status_code: Schema.String,
  last_committed_offset_token: Schema.optionalKey(Schema.NullOr(Schema.String)),
  // The documents and the server disagree on the name.
  rows_error_count: Count,
  rows_errors: Count,
  last_error_message: Schema.optionalKey(Schema.NullOr(Schema.String))
})

const Opened = Schema.Struct({ next_continuation_token: Schema.String, channel_status: Status })
const Appended = Schema.Struct({
  next_continuation_token: Schema.String,
  status_code: Schema.optionalKey(Schema.Number)
})
const Statuses = Schema.Struct({ channel_statuses: Schema.Record(Schema.String, Status) })

const statusOf = (status: typeof Status.Type): ChannelStatus => ({
  code: status.channel_status_code,
  token: status.last_committed_offset_token ?? null,
  rejected: status.rows_error_count ?? status.rows_errors ?? 0,
  message: status.last_error_message ?? null
})

const decodes = <A>(schema: Schema.Codec<A, unknown>) => {
  const decode = Schema.decodeUnknownEffect(Schema.fromJsonString(schema))
  return (doing: string, { text }: Answer): Effect.Effect<A, WarehouseError> =>
    Effect.mapError(
      decode(text),
      () => new WarehouseError({ reason: "unavailable", message: `could not ${doing}: unexpected answer` })
    )
}
const decodeOpened = decodes(Opened)
const decodeAppended = decodes(Appended)
const decodeStatuses = decodes(Statuses)

const bytesOf = (value: unknown): Buffer => Buffer.from(JSON.stringify(value))

export const make = (
  { database, schema }: Pick<SnowflakeSettings, "database" | "schema">,
  send: Send,
  login: Login
) => {
  const base = `/v2/streaming`
  const pipePath = (pipe: string): string =>
    ["databases", database.toUpperCase(), "schemas", schema.toUpperCase(), "pipes", pipe]
      .map(encodeURIComponent)
      .join("/")
  const channelPath = (pipe: string, channel: string): string =>
    `${pipePath(pipe)}/channels/${encodeURIComponent(channel)}`

  /** One attempt; what is answered with anything but success is a failure. */
  const call = Effect.fnUntraced(function* (
    doing: string,
    request: Omit<Request, "url" | "headers"> & { readonly path: string; readonly headers?: Request["headers"] },
    isAgain = false
  ): Effect.fn.Return<Answered, WarehouseError> {
    const access = yield* login.access
    const answer = yield* send(doing, {
      method: request.method,
      url: access.origin + request.path,
      headers: {
        ...request.headers,
        authorization: `Bearer ${Redacted.value(access.token)}`,
        "x-snowflake-authorization-token-type": "OAUTH"
      },
      ...(request.body !== undefined && { body: request.body })
    })
    if (isLogin(answer)) login.refused(access)
    if (isLogin(answer) && !isAgain) return yield* call(doing, request, true)
    if (answer.status === 410) login.moved()
    if (answer.status < 200 || answer.status > 299) return yield* fromAnswer(doing, answer)
    return answer
  })

  const named = (channel: string, pipe: string): string => `channel ${channel} of pipe ${quoted(pipe)}`

  return {
    /** Whether rows may be put into the table of the pipe; makes the pipe where it is the table's own. */
    check: (pipe: string) =>
      Effect.asVoid(
        call(`look up pipe ${quoted(pipe)}`, {
          method: "POST",
          path: `${base}/${pipePath(pipe)}:pipe-info?requestId=${randomUUID()}`,
          body: bytesOf({})
        })
      ),

    /** Opens a channel and fences whoever has it; what it had not made durable is discarded. */
    open: Effect.fnUntraced(function* (pipe: string, channel: string) {
      const doing = `open ${named(channel, pipe)}`
      const answer = yield* call(doing, {
        method: "PUT",
        path: `${base}/${channelPath(pipe, channel)}?requestId=${randomUUID()}`,
        body: bytesOf({ fail_on_uncommitted_rows: false })
      })
      const { channel_status, next_continuation_token } = yield* decodeOpened(doing, answer)
      return {
        continuation: next_continuation_token,
        status: statusOf(channel_status),
        session: answer.headers[sessionHeader]
      }
    }),

    /** Sends rows; success means that they have been received, and not yet that they are durable. */
    append: Effect.fnUntraced(function* (pipe: string, channel: string, request: Append) {
      const doing = `append rows to ${named(channel, pipe)}`
      const { body, continuation, requestId, retries, session } = request
      const query = new URLSearchParams({
        startOffsetToken: String(body.start),
        endOffsetToken: String(body.end),
        continuationToken: continuation,
        requestId,
        retryCount: String(retries)
      })
      const answer = yield* call(doing, {
        method: "POST",
        path: `${base}/data/${channelPath(pipe, channel)}/rows?${query}`,
        headers: {
          "content-type": "application/x-ndjson",
          "content-encoding": "gzip",
          "x-snowflake-uncompressed-content-length": String(body.size),
          ...(session !== undefined && retries === 0 && { [sessionHeader]: session })
        },
        body: body.bytes
      })
      const { next_continuation_token, status_code = 0 } = yield* decodeAppended(doing, answer)
      if (status_code !== 0)
        return yield* new WarehouseError({
          reason: "fenced",
          code: String(status_code),
          message: `could not ${doing}: ${said(answer).message || "the rows were not taken"} (${status_code})`
        })
      return { continuation: next_continuation_token, session: answer.headers[sessionHeader] }
    }),

    /** What the server says of these channels; one that it does not know is left out. */
    status: Effect.fnUntraced(function* (pipe: string, channels: ReadonlyArray<string>) {
      const doing = `ask for the channels of pipe ${quoted(pipe)}`
      const found = new Map<string, ChannelStatus>()
      for (let from = 0; from < channels.length; from += atOnce) {
        const answer = yield* call(doing, {
          method: "POST",
          path: `${base}/${pipePath(pipe)}:bulk-channel-status?requestId=${randomUUID()}`,
          body: bytesOf({ channel_names: channels.slice(from, from + atOnce) })
        })
        const { channel_statuses } = yield* decodeStatuses(doing, answer)
        for (const [name, status] of Object.entries(channel_statuses)) found.set(name, statusOf(status))
      }
      return found
    }),

    /** Drops a channel, and with it its offset token; one that is not there is dropped already. */
    drop: (pipe: string, channel: string) =>
      call(`drop ${named(channel, pipe)}`, {
        method: "DELETE",
        path: `${base}/${channelPath(pipe, channel)}?requestId=${randomUUID()}`
      }).pipe(
        Effect.asVoid,
        Effect.catchIf(
          ({ code }) => code === "ERR_CHANNEL_DOES_NOT_EXIST_OR_IS_NOT_AUTHORIZED",
          () => Effect.void
        )
      )
  }
}

export type Api = ReturnType<typeof make>

const sessionHeader = "x-snowflake-session"
