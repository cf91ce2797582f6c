/**
 * `reset`: moves the ledger of a topic, after a loss in Kafka or to read records again; prints the change before making
 * it.
 */

import * as Console from "effect/Console"
import * as Argument from "effect/cli/Argument"
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Layers from "../app/Layers.ts"
import { shown } from "../domain/Secrets.ts"
import { Admin } from "../kafka/Admin.ts"
import { Settings } from "../settings/Settings.ts"
import { Warehouse } from "../warehouse/Warehouse.ts"
import { quietly } from "./support/CommandLayer.ts"
import { usage } from "./support/Failure.ts"

export const reset = Effect.fnUntraced(function* (options: {
  readonly topic: string
  readonly to: string
  readonly partition: Option.Option<number>
  readonly dryRun: boolean
}) {
  const { kafka } = yield* Settings
  const admin = yield* Admin
  const warehouse = yield* Warehouse
  const { dryRun, to, topic } = options
  if (!/^(earliest|latest|committed|\d{1,15})$/.test(to)) {
    yield* Console.error(`--to: expected earliest, latest, committed or an offset, got "${to}"`)
    return yield* usage
  }
  const partition = Option.getOrUndefined(options.partition)
  const logs = (yield* admin.ranges([topic])).filter((log) => partition === undefined || log.partition === partition)
  const ledger = yield* warehouse.ledger
  const committed = to === "committed" ? yield* admin.committed(kafka.group, [topic]) : []
  const positions = logs.map(({ high, low, partition, stable, topicId }) => {
    const commit = committed.find((entry) => entry.partition === partition)?.offset ?? low
    const wanted = { earliest: low, latest: stable, committed: commit }[to] ?? Number(to)
    const from = ledger.find((entry) => entry.topic === topic && entry.partition === partition)?.next
    return { topic, partition, offset: Math.min(Math.max(wanted, low), high), from, topicId }
  })
  for (const { from, offset, partition } of positions)
    yield* Console.log(
      `${topic}/${partition}: ${from ?? "nothing"} -> ${offset}${to === String(offset) || /^[elc]/.test(to) ? "" : " (limited to what Kafka has)"}`
    )
  if (dryRun) return
  yield* warehouse.reset(positions, "reset")
  yield* Console.log(
    `The ledger of group ${shown(kafka.group)} was moved. A running service picks it up by itself. Offsets that were already written are stored twice when they are read again.`
  )
})

export const command = Command.make(
  "reset",
  {
    topic: Argument.String("topic").pipe(Argument.withDescription("Topic to move in the ledger")),
    to: Flag.String("to").pipe(
      Flag.withDescription("earliest, latest, committed (what the group has committed in Kafka), or an offset")
    ),
    partition: Flag.Int("partition").pipe(Flag.withDescription("Only this partition"), Flag.optional),
    dryRun: Flag.Boolean("dry-run").pipe(
      Flag.withDescription("Show the changes without making them"),
      Flag.withDefault(false)
    )
  },
  (options) => quietly(reset(options).pipe(Effect.provide(Layers.kafka), Effect.provide(Layers.warehouse)))
).pipe(
  Command.withShortDescription("Move the ledger of a topic, after a loss in Kafka or to read again"),
  Command.withDescription(
    "Sets the offset from which the consumer group continues, and counts from there. Going back writes the same offsets a second time: existing rows stay, and `audit` reports them as stored more than once. After a topic was recreated, rows of the old one have the same coordinates: move them to another table first. Exactly-once delivery only; in at-least-once delivery use kafka-consumer-groups.sh --reset-offsets."
  ),
  Command.withExamples([
    { command: "bronze-consumer reset raw.orders.v1 --to earliest --dry-run", description: "Preview" },
    { command: "bronze-consumer reset raw.orders.v1 --to 4711 --partition 0", description: "One partition, one offset" }
  ])
)
