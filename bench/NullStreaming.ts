/**
 * The streaming API of the null Snowflake: takes rows without looking into them, and is strict in what makes them exactly
 * once: each request has to carry the continuation token that was given last, and offsets beyond those that came before.
 */
import { setTimeout as sleep } from "node:timers/promises"

interface Channel {
  /** Counts the openings; a writer of an earlier one is refused. */
  client: number
  row: number
  accepted: number
  committed: number
}

export interface Options {
  /** Milliseconds that an answer takes. */
  readonly latency: number
  /** Milliseconds from an answer until the rows are durable. */
  readonly durable: number
}

export interface Answer {
  readonly status: number
  readonly body: string | object
}

/** A token whose only content is that it ends in an hour. */
const token = (): string =>
  ["{}", JSON.stringify({ exp: Math.floor(Date.now() / 1000) + 3600 }), ""]
    .map((part) => Buffer.from(part).toString("base64url"))
    .join(".")

/** `onDurable` hears how many rows became durable, and when they came in. */
export const make = (onDurable: (rows: number, began: number) => void) => {
  const channels = new Map<string, Channel>()

  const statusOf = ({ committed }: Channel) => ({
    channel_status_code: "SUCCESS",
    last_committed_offset_token: committed < 0 ? null : String(committed),
    rows_error_count: 0
  })

  const open = (name: string): Answer => {
    const before = channels.get(name)
    const channel: Channel = {
      client: (before?.client ?? 0) + 1,
      row: 1,
      accepted: before?.committed ?? -1,
      committed: before?.committed ?? -1
    }
    channels.set(name, channel)
    const next_continuation_token = `${channel.client}_1`
    return { status: 200, body: { next_continuation_token, channel_status: statusOf(channel) } }
  }

  const append = async (name: string, query: URLSearchParams, options: Options): Promise<Answer> => {
    const began = Date.now()
    if (options.latency > 0) await sleep(options.latency)
    const channel = channels.get(name)
    const [start, end] = [Number(query.get("startOffsetToken")), Number(query.get("endOffsetToken"))]
    if (channel === undefined || query.get("continuationToken") !== `${channel.client}_${channel.row}`)
      return { status: 400, body: { code: "STALE_CONTINUATION_TOKEN_SEQUENCER", message: "stale" } }
    if (!(start > channel.accepted && end >= start))
      return { status: 400, body: { code: "BENCH", message: `rows ${start} to ${end} after ${channel.accepted}` } }
    channel.row += 1
    channel.accepted = end
    const commit = (): void => {
      if (channels.get(name) !== channel) return
      channel.committed = end
      // The topics of the bench have no holes.
      onDurable(end - start + 1, began)
    }
    if (options.durable > 0) setTimeout(commit, options.durable)
    else commit()
    return { status: 200, body: { next_continuation_token: `${channel.client}_${channel.row}` } }
  }

  /** Undefined for what is none of its calls. */
  return async (
    request: { readonly method: string; readonly url: string; readonly host: string; readonly body: () => string },
    options: Options
  ): Promise<Answer | undefined> => {
    const [path = "", query = ""] = request.url.split("?", 2)
    if (path === "/oauth/token") return { status: 200, body: token() }
    if (!path.startsWith("/v2/streaming/")) return undefined
    if (path.endsWith("/hostname")) return { status: 200, body: request.host }
    if (path.endsWith(":pipe-info")) return { status: 200, body: {} }
    if (path.endsWith(":bulk-channel-status")) {
      const { channel_names }: { readonly channel_names: ReadonlyArray<string> } = JSON.parse(request.body())
      const pipe = path.slice(0, -":bulk-channel-status".length)
      const found = channel_names.flatMap((name) => {
        const channel = channels.get(`${pipe}/channels/${name}`)
        return channel === undefined ? [] : [[name, statusOf(channel)]]
      })
      return { status: 200, body: { channel_statuses: Object.fromEntries(found) } }
    }
    if (request.method === "PUT") return open(path)
    if (path.endsWith("/rows"))
      return append(path.replace("/data/", "/").slice(0, -"/rows".length), new URLSearchParams(query), options)
    return { status: 404, body: "No Route" }
  }
}
