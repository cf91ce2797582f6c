/** The streaming API over plain fetch, each answer as it came: for tests that look at the wire. */
import { gzipSync } from "node:zlib"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"

const Status = Schema.Struct({
  channel_name: Schema.String,
  channel_status_code: Schema.String,
  last_committed_offset_token: Schema.NullOr(Schema.String),
  rows_inserted: Schema.Number,
  rows_parsed: Schema.Number,
  rows_error_count: Schema.Number,
  last_error_message: Schema.NullOr(Schema.String),
  last_error_offset_upper_bound: Schema.NullOr(Schema.String)
})
const Answer = Schema.Struct({
  code: Schema.optionalKey(Schema.String),
  status_code: Schema.optionalKey(Schema.Number),
  next_continuation_token: Schema.optionalKey(Schema.String),
  channel_status: Schema.optionalKey(Status),
  channel_statuses: Schema.optionalKey(Schema.Record(Schema.String, Status))
})
const decode = Schema.decodeUnknownSync(Schema.fromJsonString(Answer))
const Seen = Schema.Struct({
  channels: Schema.Array(
    Schema.Struct({ database_name: Schema.String, pipe_name: Schema.String, channel_name: Schema.String })
  ),
  requests: Schema.Array(
    Schema.Struct({
      method: Schema.String,
      path: Schema.String,
      requestId: Schema.NullOr(Schema.String),
      retryCount: Schema.NullOr(Schema.String),
      continuationToken: Schema.NullOr(Schema.String),
      startOffsetToken: Schema.NullOr(Schema.String),
      endOffsetToken: Schema.NullOr(Schema.String),
      sha256: Schema.String,
      status: Schema.NullOr(Schema.Number)
    })
  )
})
const decodeSeen = Schema.decodeUnknownSync(Seen)

export interface Asked {
  readonly body?: string | Uint8Array<ArrayBuffer>
  readonly headers?: Readonly<Record<string, string>>
}

export type Status = typeof Status.Type

/** A scoped token of a programmatic access token. */
export const scopedToken = (url: string, role = "ROLE") =>
  Effect.promise(async () => {
    const form = new URLSearchParams({
      grant_type: "urn:ietf:params:oauth:grant-type:token-exchange",
      subject_token_type: "programmatic_access_token",
      scope: `${new URL(url).host} session:role:${role}`
    })
    const headers = { authorization: "Bearer pat", accept: "application/json" }
    return (await fetch(`${url}/oauth/token`, { method: "POST", body: form, headers })).text()
  })

/** What the emulator offers to tests: faults, options, channels. */
export const control = (url: string, what: "faults" | "options" | "streaming", asked: unknown) =>
  Effect.promise(async () => {
    const answer = await fetch(`${url}/emulator/${what}`, { method: "POST", body: JSON.stringify(asked) })
    if (!answer.ok) throw new Error(`the emulator answered ${answer.status}: ${await answer.text()}`)
  })

/** The channels that there are, and the requests that have come in. */
export const seenAll = (url: string) =>
  Effect.promise(async () => decodeSeen(await (await fetch(`${url}/emulator/streaming`)).json()))

export const seen = (url: string) => Effect.map(seenAll(url), ({ requests }) => requests)

export const streaming = Effect.fnUntraced(function* (url: string, table = "T", role = "ROLE") {
  const token = yield* scopedToken(url, role)
  const pipe = `databases/DB/schemas/BRONZE/pipes/${table}-STREAMING`
  const ask = (method: string, path: string, { body, headers }: Asked = {}) =>
    Effect.promise(async () => {
      const answer = await fetch(`${url}/v2/streaming/${path}`, {
        method,
        headers: { authorization: `Bearer ${token}`, accept: "application/json", ...headers },
        ...(body === undefined ? {} : { body })
      })
      const text = await answer.text()
      const isJson = answer.headers.get("content-type") === "application/json"
      return { status: answer.status, text, json: isJson && text.startsWith("{") ? decode(text) : {} }
    })
  const open = (channel: string, body: unknown = {}) =>
    ask("PUT", `${pipe}/channels/${encodeURIComponent(channel)}`, { body: JSON.stringify(body) })
  const status = (channel: string) =>
    Effect.map(
      ask("POST", `${pipe}:bulk-channel-status`, { body: JSON.stringify({ channel_names: [channel] }) }),
      ({ json }) => json.channel_statuses?.[channel]
    )
  return {
    ask,
    open,
    status,
    drop: (channel: string) => ask("DELETE", `${pipe}/channels/${encodeURIComponent(channel)}`),
    /** The continuation token of the channel, opened. */
    opened: (channel: string) => Effect.map(open(channel), ({ json }) => json.next_continuation_token ?? "none"),
    append: (channel: string, continuation: string, end: string, rows: ReadonlyArray<unknown> | string) => {
      const query = new URLSearchParams({ continuationToken: continuation, startOffsetToken: end, endOffsetToken: end })
      const lines = typeof rows === "string" ? rows : rows.map((row) => `${JSON.stringify(row)}\n`).join("")
      return ask("POST", `data/${pipe}/channels/${encodeURIComponent(channel)}/rows?${query}`, {
        body: Uint8Array.from(gzipSync(lines)),
        headers: { "content-encoding": "gzip", "content-type": "application/x-ndjson" }
      })
    },
    /** Waits until the channel's token is this one. */
    committed: Effect.fnUntraced(function* (channel: string, token: string) {
      let found = yield* status(channel)
      while (found?.last_committed_offset_token !== token) {
        yield* Effect.sleep("10 millis")
        found = yield* status(channel)
      }
      return found
    })
  }
})
