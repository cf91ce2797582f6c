/**
 * `produce`: sends sample orders and clicks to the routed topics, to try things out; each event is acknowledged before
 * it is counted.
 */
import * as Clock from "effect/Clock"
import * as Console from "effect/Console"
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import * as Terminal from "effect/Terminal"
import * as Layers from "../app/Layers.ts"
import { requireTopics } from "../kafka/Admin.ts"
import { Producer } from "../kafka/Producer.ts"
import { Settings } from "../settings/Settings.ts"
import { quietly } from "./support/CommandLayer.ts"
import * as Samples from "./support/Samples.ts"
import * as Screen from "./support/Screen.ts"

interface Flags {
  readonly count: Option.Option<number>
  readonly orders: Option.Option<number>
  readonly clicks: Option.Option<number>
  readonly rate: Option.Option<number>
  readonly newFields: boolean
  readonly bad: number
  readonly topic: ReadonlyArray<string>
  readonly json: boolean
}

/** Records of one kind for one topic; `total` counts the broken ones too. */
export interface Share {
  readonly topic: string
  readonly kind: Samples.Kind
  readonly total: number
  readonly bad: number
}

/**
 * Two orders for a click, unless the numbers are given; broken records come on top, half with the orders, half with the
 * clicks.
 */
export const plan = (
  topics: ReadonlyArray<string>,
  flags: Pick<Flags, "orders" | "clicks" | "bad"> & { readonly count: number }
) => {
  const ofKind = (kind: Samples.Kind) => topics.filter((topic) => Samples.kindOf(topic) === kind)
  const [orderTopics, clickTopics] = [ofKind("order"), ofKind("click")]
  const given = Option.isSome(flags.orders) || Option.isSome(flags.clicks)
  const ordersOfCount =
    clickTopics.length === 0 ? flags.count : orderTopics.length === 0 ? 0 : Math.ceil((flags.count * 2) / 3)
  const orders = given ? Option.getOrElse(flags.orders, () => 0) : ordersOfCount
  const clicks = given ? Option.getOrElse(flags.clicks, () => 0) : flags.count - ordersOfCount
  const split = (names: ReadonlyArray<string>, kind: Samples.Kind, good: number, bad: number): ReadonlyArray<Share> =>
    names.map((topic, index) => {
      const part = (whole: number) => Math.floor(whole / names.length) + (index < whole % names.length ? 1 : 0)
      return { topic, kind, total: part(good) + part(bad), bad: part(bad) }
    })
  const noOrders = orderTopics.length === 0 || (orders === 0 && clicks > 0)
  const noClicks = clickTopics.length === 0 || (clicks === 0 && orders > 0)
  const badOrders = noOrders ? 0 : noClicks ? flags.bad : Math.ceil(flags.bad / 2)
  return [
    ...split(orderTopics, "order", orders, badOrders),
    ...split(clickTopics, "click", clicks, flags.bad - badOrders)
  ].filter(({ total }) => total > 0)
}

/** How many of the first ones went out, and were broken. */
const sentOf = ({ bad, total }: Share, sent: number): Pick<Share, "bad" | "total"> => ({
  total: sent,
  bad: total === 0 ? 0 : Math.floor((sent * bad) / total)
})

/** The broken ones stand spread among the good. */
const isBad = ({ bad, total }: Share, index: number): boolean =>
  Math.floor(((index + 1) * bad) / total) > Math.floor((index * bad) / total)

const samplesOf = (share: Share, from: number, size: number, newFields: boolean, at: Date) =>
  Array.from({ length: size }, (_, offset) => {
    const sequence = from + offset
    return isBad(share, sequence)
      ? Samples.broken(sequence)
      : Samples.sample(share.kind, sequence, newFields && sequence % 2 === 1, at)
  })

const batchSize = 2000

export const produce = Effect.fnUntraced(function* (flags: Flags) {
  const { routes } = yield* Settings
  const producer = yield* Producer
  const screen = yield* Screen.screen
  const terminal = yield* Terminal.Terminal
  const topics = flags.topic.length > 0 ? flags.topic : [...new Set(routes.map(({ topic }) => topic))]
  const isEndless = hasNoEnd(flags)
  const shares = plan(topics, { ...flags, count: Option.getOrElse(flags.count, () => 100) })
  yield* requireTopics(shares.map(({ topic }) => topic))

  const total = shares.reduce((sum, share) => sum + share.total, 0)
  const started = yield* Clock.currentTimeMillis
  let sent = 0
  const progress = (): Effect.Effect<void> => {
    const shown = isEndless ? `${Screen.plural(sent, "event")} sent; Ctrl-C ends it` : Screen.bar(sent, total)
    return screen.isTerminal ? Effect.ignore(terminal.display(`\r${shown}`)) : Effect.void
  }
  /** With a rate: as many at a time as are due ten times a second, and no sooner than they are due. */
  const step = Option.match(flags.rate, {
    onNone: () => batchSize,
    onSome: (rate) => Math.max(1, Math.min(batchSize, Math.floor(rate / 10)))
  })
  const due = Effect.suspend(() =>
    Option.match(flags.rate, {
      onNone: () => Effect.void,
      onSome: (rate) =>
        Effect.flatMap(Clock.currentTimeMillis, (now) =>
          Effect.sleep(Duration.millis(Math.max(0, started + (sent / rate) * 1000 - now)))
        )
    })
  )
  const next = new Map(shares.map((share) => [share, 0]))
  const sendDue = Effect.gen(function* () {
    yield* due
    const at = new Date(yield* Clock.currentTimeMillis)
    yield* Effect.forEach(
      shares,
      Effect.fnUntraced(function* (share) {
        const from = next.get(share) ?? 0
        const left = isEndless ? Number.POSITIVE_INFINITY : share.total - from
        const size = Math.min(left, Math.max(1, Math.round((step * share.total) / total)))
        if (size === 0) return
        next.set(share, from + size)
        yield* producer.send(share.topic, samplesOf(share, from, size, flags.newFields, at))
        sent += size
        yield* progress()
      }),
      { concurrency: "unbounded", discard: true }
    )
  })
  const summarise = Effect.gen(function* () {
    if (screen.isTerminal) yield* Effect.ignore(terminal.display("\n"))
    const seconds = ((yield* Clock.currentTimeMillis) - started) / 1000
    const topics = shares.map((share) => ({ ...share, ...sentOf(share, next.get(share) ?? 0) }))
    const summary = { sent, bad: topics.reduce((sum, { bad }) => sum + bad, 0), seconds, topics }
    yield* Console.log(flags.json ? Screen.report(summary) : say(summary))
  })
  if (isEndless) return yield* Effect.onInterrupt(Effect.forever(sendDue), () => summarise)
  while (sent < total) yield* sendDue
  yield* summarise
})

/** A steady stream of which nobody has said how long it is. */
const hasNoEnd = ({ clicks, count, orders, rate }: Flags): boolean =>
  Option.isSome(rate) && [clicks, count, orders].every(Option.isNone)

const say = ({
  bad,
  seconds,
  sent,
  topics
}: {
  bad: number
  seconds: number
  sent: number
  topics: ReadonlyArray<Share>
}) => {
  const parts = topics.map(({ kind, topic, total }) => `${Screen.plural(total, kind)} to ${topic}`)
  const broken = bad === 0 ? "" : `; ${Screen.count(bad)} of them broken on purpose`
  const pace = seconds > 0 ? ` in ${seconds.toFixed(1)} s (${Screen.count(Math.round(sent / seconds))}/s)` : ""
  return `Sent ${Screen.plural(sent, "event")}${pace}: ${parts.join(", ")}${broken}`
}

const amount = (name: string, description: string) =>
  Flag.Int(name).pipe(
    Flag.withDescription(description),
    Flag.withSchema(Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 100_000_000 })))
  )

export const command = Command.make(
  "produce",
  {
    count: amount(
      "count",
      "Total number of events (default 100; with --rate: until Ctrl-C): two orders for each click"
    ).pipe(Flag.withAlias("n"), Flag.optional),
    orders: amount("orders", "Number of orders, instead of --count").pipe(Flag.optional),
    clicks: amount("clicks", "Number of clicks, instead of --count").pipe(Flag.optional),
    rate: Flag.Finite("rate").pipe(
      Flag.withDescription("Events per second (default: as fast as Kafka accepts them)"),
      Flag.withSchema(Schema.Finite.check(Schema.isGreaterThan(0))),
      Flag.optional
    ),
    newFields: Flag.Boolean("new-fields").pipe(
      Flag.withDescription("Add new fields, which no table has, to every second event"),
      Flag.withDefault(false)
    ),
    bad: amount("bad", "Additional broken records, spread among the others (default 0)").pipe(Flag.withDefault(0)),
    topic: Flag.String("topic").pipe(
      Flag.withDescription("Send only to this topic (repeatable; default: all of BRONZE_ROUTES)"),
      Flag.atLeast(0)
    ),
    json: Flag.Boolean("json").pipe(Flag.withDescription("Print the summary as JSON"), Flag.withDefault(false))
  },
  (flags) => {
    const produced = produce(flags).pipe(Effect.provide(Layers.kafka))
    return quietly(hasNoEnd(flags) ? Screen.untilStopped(produced) : produced, Layers.kafkaSettings)
  }
).pipe(
  Command.withShortDescription("Send sample orders and clicks"),
  Command.withDescription(
    "Sends sample events of about 230 bytes to the topics of BRONZE_ROUTES: clicks to those whose name has `click` in it, orders to all others."
  ),
  Command.withExamples([
    {
      command: "bronze-consumer produce --orders 250 --clicks 30",
      description: "Two full batches and a partial one"
    },
    { command: "bronze-consumer produce --rate 500", description: "A steady stream until Ctrl-C" },
    { command: "bronze-consumer produce --count 10000 --rate 500", description: "The same for 20 seconds" },
    {
      command: "bronze-consumer produce --new-fields --bad 3",
      description: "New fields, and broken records"
    }
  ])
)
