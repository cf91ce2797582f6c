/**
 * One open channel: sends one request after the other, the same one again while its fate is unknown, and knows up to
 * which offset it is durable. Once the server has disowned it, it takes nothing more.
 */
import { randomUUID } from "node:crypto"
import * as Clock from "effect/Clock"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import { WarehouseError } from "../../WarehouseError.ts"
import type { Api, Append, ChannelStatus } from "./Api.ts"
import type { Body } from "./Rows.ts"

/** A channel may send ten requests and 20 MB, before compression, a second. */
const pace = { requestMillis: 100, bytesPerMilli: 20_000 }

/** What Snowflake says of a channel that is in order. */
const inOrder = "SUCCESS"

/** An offset token as the offset that it is, -1 where there is none yet; tokens of others are no offsets. */
export const offsetOf = (token: string | null): number | undefined => {
  if (token === null) return -1
  return /^\d{1,16}$/.test(token) ? Number(token) : undefined
}

export interface Channel {
  readonly pipe: string
  readonly name: string
  /** The last offset that was durable when it was opened; -1 where there was none. */
  readonly opened: number
  /** Rows that the server had rejected before. */
  readonly rejected: number
  /** The last offset that the server has received. */
  readonly accepted: () => number
  /** Sends what was not answered yet, if there is such. */
  readonly again: Effect.Effect<void, WarehouseError>
  readonly append: (body: Body) => Effect.Effect<void, WarehouseError>
  /** Ends when all that was accepted up to this offset is durable. */
  readonly durable: (offset: number) => Effect.Effect<void, WarehouseError>
  /** Offsets that were accepted and are not durable. */
  readonly behind: () => number
  /** Bytes that were accepted and are not durable, before compression. */
  readonly pending: () => number
  /** Takes note of what the server says; first of all, of the number of rows it has rejected since. */
  readonly note: (status: ChannelStatus | undefined, now: number, onRejected: (rows: number) => void) => void
  /** Gives it up: whoever waits for it fails. */
  readonly close: (error: WarehouseError) => void
  /** Since when nothing that was accepted has become durable, in milliseconds; undefined while nothing is pending. */
  readonly waitingSince: () => number | undefined
}

export const fenced = (message: string): WarehouseError => new WarehouseError({ reason: "fenced", message })

/** Opens it; fails where it is not in order, or has been written to by somebody else. */
export const open = Effect.fnUntraced(function* (
  api: Api,
  pipe: string,
  name: string,
  /** Hears each time that something was accepted, which somebody has to watch. */
  onAccepted: Effect.Effect<void>
) {
  const { continuation, session, status } = yield* api.open(pipe, name)
  if (status.code !== inOrder)
    return yield* new WarehouseError({ reason: "denied", code: status.code, message: brokenText(name, status) })
  const opened = offsetOf(status.token)
  if (opened === undefined)
    return yield* new WarehouseError({
      reason: "denied",
      message: `channel ${name} has the offset token ${JSON.stringify(status.token)}, which is no offset: another program writes to it`
    })
  return make(api, onAccepted, { pipe, name, opened, continuation, session, rejected: status.rejected })
})

const brokenText = (name: string, { code, message }: ChannelStatus): string =>
  `channel ${name} is not in order: ${code}${message === null ? "" : `; ${message}`}`

const make = (
  api: Api,
  onAccepted: Effect.Effect<void>,
  given: Pick<Channel, "name" | "opened" | "pipe" | "rejected"> & {
    readonly continuation: string
    readonly session: string | undefined
  }
): Channel => {
  const { name, opened, pipe } = given
  let { continuation, rejected, session } = given
  let accepted = opened
  let durable = opened
  let inFlight: Append | undefined
  let nextAt = 0
  let closedBy: WarehouseError | undefined
  let since: number | undefined
  /** What was accepted and is not durable: the end of each request, and its bytes. */
  const requests: Array<{ readonly end: number; readonly size: number }> = []
  let waiting: ReadonlyArray<{ readonly offset: number; readonly done: Deferred.Deferred<void, WarehouseError> }> = []

  const close = (error: WarehouseError): void => {
    if (closedBy !== undefined) return
    closedBy = error
    requests.length = 0
    since = undefined
    for (const { done } of waiting) Deferred.doneUnsafe(done, Effect.fail(error))
    waiting = []
  }

  const paced = Effect.flatMap(Clock.currentTimeMillis, (now) =>
    nextAt > now ? Effect.sleep(nextAt - now) : Effect.void
  )

  const again: Effect.Effect<void, WarehouseError> = Effect.suspend(() => {
    if (closedBy !== undefined) return Effect.fail(closedBy)
    if (inFlight === undefined) return Effect.void
    return Effect.andThen(paced, send)
  })

  /** Sends what is in flight. Whatever ends it, the same request is sent again, unless the server has refused it. */
  const send: Effect.Effect<void, WarehouseError> = Effect.gen(function* () {
    const request = inFlight
    if (request === undefined) return
    const { body } = request
    const now = yield* Clock.currentTimeMillis
    nextAt = now + Math.max(pace.requestMillis, body.size / pace.bytesPerMilli)
    inFlight = { ...request, retries: request.retries + 1 }
    const answer = yield* api.append(pipe, name, request).pipe(
      Effect.tapError((error) =>
        Effect.sync(() => {
          if (error.reason === "fenced") close(error)
          // Only a first try that was refused has surely left no trace.
          if (error.reason === "too_large" && request.retries === 0) inFlight = undefined
        })
      )
    )
    if (closedBy !== undefined) return yield* closedBy
    inFlight = undefined
    continuation = answer.continuation
    session = answer.session
    accepted = body.end
    if (accepted <= durable) return
    since ??= yield* Clock.currentTimeMillis
    requests.push({ end: body.end, size: body.size })
    yield* onAccepted
  })

  return {
    ...{ pipe, name, opened, close, again, rejected },
    accepted: () => accepted,
    behind: () => (requests.length === 0 ? 0 : accepted - durable),
    pending: () => requests.reduce((sum, { size }) => sum + size, 0),
    waitingSince: () => since,
    append: (body) =>
      Effect.andThen(
        again,
        Effect.suspend(() => {
          inFlight = { body, continuation, session, requestId: randomUUID(), retries: 0 }
          return Effect.andThen(paced, send)
        })
      ),
    durable: (offset) =>
      Effect.suspend(() => {
        if (closedBy !== undefined) return Effect.fail(closedBy)
        const last = requests.findLast(({ end }) => end <= offset)?.end ?? durable
        if (last <= durable) return Effect.void
        const done = Deferred.makeUnsafe<void, WarehouseError>()
        waiting = [...waiting, { offset: last, done }]
        return Deferred.await(done)
      }),
    note: (status, now, onRejected) => {
      if (closedBy !== undefined) return
      if (status === undefined) {
        close(fenced(`channel ${name} is gone: it was dropped, or its table was`))
        return
      }
      if (status.rejected > rejected) onRejected(status.rejected - rejected)
      rejected = status.rejected
      const token = offsetOf(status.token)
      // Rows may be durable before their answer is here.
      const sent = inFlight?.body.end ?? accepted
      if (status.code !== inOrder) close(fenced(brokenText(name, status)))
      else if (token === undefined || token < durable || token > sent)
        close(
          fenced(`channel ${name} has the offset token ${status.token}, and not one between ${durable} and ${sent}`)
        )
      else if (token > durable) {
        durable = token
        while (requests[0] !== undefined && requests[0].end <= durable) requests.shift()
        since = requests.length === 0 ? undefined : now
        for (const { done, offset } of waiting) if (offset <= durable) Deferred.doneUnsafe(done, Effect.void)
        waiting = waiting.filter(({ offset }) => offset > durable)
      }
    }
  }
}
