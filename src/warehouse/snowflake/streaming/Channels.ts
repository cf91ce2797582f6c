/**
 * The open channels of this process: two for each partition, one for its rows and one for its dead letters. Watches
 * until what was accepted is durable, and bounds how much that is.
 */
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Latch from "effect/Latch"
import { partitionKey, type TopicPartition } from "../../../domain/KafkaRecord.ts"
import type { ChannelsView } from "../../Warehouse.ts"
import type { WarehouseError } from "../../WarehouseError.ts"
import type { Api } from "./Api.ts"
import * as Channel from "./Channel.ts"
import * as Names from "./Names.ts"

/** The channels of a partition, since it was claimed. */
export interface Claimed extends TopicPartition {
  /** Counts the claims of this process. */
  readonly epoch: number
  readonly rows: Channel.Channel
  readonly letters: Channel.Channel
}

/** How much may be accepted and not durable, in bytes before compression; it is not held here. */
const maxPending = 256 * 1024 * 1024

/** Milliseconds between two looks at the offset tokens: the shorter one while they move. */
const [soon, seldom] = [250, 2_000]

export const make = Effect.fnUntraced(function* (options: {
  readonly api: Api
  readonly group: string
  /** How long accepted rows may take to become durable. */
  readonly patience: Duration.Duration
  readonly onRejected: (channel: Channel.Channel, rows: number, reason: string) => Effect.Effect<void>
}) {
  const { group, onRejected } = options
  const sent = { requests: 0, retries: 0, rejectedRows: 0 }
  const api: Api = {
    ...options.api,
    append: (pipe, channel, request) =>
      Effect.suspend(() => {
        sent.requests += 1
        if (request.retries > 0) sent.retries += 1
        return options.api.append(pipe, channel, request)
      })
  }
  const patience = Duration.toMillis(options.patience)
  const partitions = new Map<string, Claimed>()
  const changed = yield* Latch.make()
  const busy = yield* Latch.make()
  let epochs = 0

  const all = (): ReadonlyArray<Channel.Channel> =>
    [...partitions.values()].flatMap(({ letters, rows }) => [rows, letters])
  const pending = (): number => all().reduce((sum, channel) => sum + channel.pending(), 0)

  /** One look at the offset tokens; gives whether one of them has moved. */
  const look = Effect.fnUntraced(function* () {
    const before = pending()
    const waiting = all().filter((channel) => channel.pending() > 0)
    yield* Effect.forEach(
      new Set(waiting.map(({ pipe }) => pipe)),
      (pipe) =>
        lookAt(
          pipe,
          waiting.filter((channel) => channel.pipe === pipe)
        ),
      { concurrency: 4, discard: true }
    )
    yield* giveUp
    const moved = pending() < before
    if (moved) yield* changed.open
    return moved
  })

  const lookAt = Effect.fnUntraced(
    function* (pipe: string, channels: ReadonlyArray<Channel.Channel>) {
      const statuses = yield* api.status(
        pipe,
        channels.map(({ name }) => name)
      )
      const now = yield* Clock.currentTimeMillis
      const rejections: Array<Effect.Effect<void>> = []
      for (const channel of channels) {
        const status = statuses.get(channel.name)
        channel.note(status, now, (rows) => {
          sent.rejectedRows += rows
          rejections.push(onRejected(channel, rows, status?.message ?? "no reason given"))
        })
      }
      yield* Effect.all(rejections, { discard: true })
    },
    // Whoever writes hears of it too, and what is not durable for too long is given up.
    Effect.catch((error: WarehouseError) => Effect.logDebug(error.message))
  )

  /** What has been accepted and is not durable for too long never will be: it is opened and read again. */
  const giveUp = Effect.map(Clock.currentTimeMillis, (now) => {
    for (const channel of all()) {
      const since = channel.waitingSince()
      if (since !== undefined && now - since > patience)
        channel.close(
          Channel.fenced(
            `channel ${channel.name}: what Snowflake accepted is not durable after ${Duration.format(options.patience)}`
          )
        )
    }
  })

  const watch = (pause: number): Effect.Effect<never> =>
    Effect.suspend(() => {
      if (pending() === 0) {
        busy.closeUnsafe()
        return Effect.andThen(busy.await, watch(soon))
      }
      return Effect.sleep(pause).pipe(
        Effect.andThen(look()),
        Effect.flatMap((moved) => watch(moved ? soon : Math.min(2 * pause, seldom)))
      )
    })
  yield* Effect.forkScoped(watch(soon))

  return {
    view: (): ChannelsView => {
      const here = all()
      return {
        open: here.length,
        offsetsBehind: here.reduce((sum, channel) => sum + channel.behind(), 0),
        uncommittedBytes: pending(),
        ...sent
      }
    },
    /** Opens the channels of a partition and fences whoever had them. */
    claim: Effect.fnUntraced(function* (
      place: TopicPartition & { readonly topicId?: string | undefined },
      table: string
    ) {
      const named = Names.channelsOf({ ...place, group }, table)
      const open = ({ name, pipe }: typeof named.rows) => Channel.open(api, pipe, name, busy.open)
      const opened = yield* Effect.all({ rows: open(named.rows), letters: open(named.letters) }, { concurrency: 2 })
      const { partition, topic } = place
      const before = partitions.get(partitionKey(place))
      for (const channel of [before?.rows, before?.letters])
        channel?.close(Channel.fenced(`channel ${channel.name} was opened again`))
      const claimed: Claimed = { topic, partition, epoch: ++epochs, ...opened }
      partitions.set(partitionKey(place), claimed)
      return claimed
    }),
    /** The channels of a partition as of this claim; undefined once it was claimed again. */
    find: (place: TopicPartition, epoch: number): Claimed | undefined => {
      const found = partitions.get(partitionKey(place))
      return found?.epoch === epoch ? found : undefined
    },
    /** Waits while too much of what was accepted is not durable. */
    room: Effect.suspend(function wait(): Effect.Effect<void> {
      if (pending() < maxPending) return Effect.void
      changed.closeUnsafe()
      return Effect.andThen(changed.await, Effect.suspend(wait))
    })
  }
})

export type Channels = Effect.Success<ReturnType<typeof make>>
