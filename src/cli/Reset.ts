/**
 * `reset`: moves where a topic is read next, after a loss in Kafka or to read records again: the ledger, or without one
 * the group's commits and the channels; prints the change before making it.
 */

import * as Console from "effect/Console"
import * as Argument from "effect/cli/Argument"
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Result from "effect/Result"
import * as Layers from "../app/Layers.ts"
import * as Coordinates from "../domain/Coordinates.ts"
import { shown } from "../domain/Secrets.ts"
import { Admin } from "../kafka/Admin.ts"
import { keepsLedger, Settings } from "../settings/Settings.ts"
import { Warehouse } from "../warehouse/Warehouse.ts"
import { quietly } from "./support/CommandLayer.ts"
import { misused, negative, usage } from "./support/Failure.ts"
import * as ServiceWarehouse from "./support/ServiceWarehouse.ts"

export const reset = Effect.fnUntraced(function* (options: {
  readonly topic: string
  readonly to: string
  readonly partition: Option.Option<number>
  readonly dryRun: boolean
}) {
  const settings = yield* Settings
  const { delivery, kafka } = settings
  const admin = yield* Admin
  const warehouse = yield* Warehouse
  const { dryRun, to, topic } = options
  if (!/^(earliest|latest|committed|\d{1,15})$/.test(to)) {
    yield* Console.error(`--to: expected earliest, latest, committed or an offset, got "${to}"`)
    return yield* usage
  }
  if (delivery === "at-least-once") {
    yield* Console.error(
      `In at-least-once delivery there is no ledger to move. Stop the service, then kafka-consumer-groups.sh --bootstrap-server ${kafka.brokers[0]} --group ${kafka.group} --topic ${topic} --reset-offsets --to-… --execute`
    )
    return yield* usage
  }
  const hasLedger = keepsLedger(settings)
  const partition = Option.getOrUndefined(options.partition)
  const logs = (yield* admin.ranges([topic])).filter((log) => partition === undefined || log.partition === partition)
  const ledger = yield* warehouse.ledger
  const committed = yield* admin.committed(kafka.group, [topic])
  const positions = logs.map(({ high, low, partition, stable, topicId }) => {
    const commit = committed.find((entry) => entry.partition === partition)
    const wanted = { earliest: low, latest: stable, committed: commit?.offset ?? low }[to] ?? Number(to)
    const row = ledger.find((entry) => entry.topic === topic && entry.partition === partition)?.next
    const offset = Math.min(Math.max(wanted, low), high)
    return { topic, partition, offset, from: hasLedger ? row : commit?.offset, topicId, commit }
  })
  for (const { from, offset, partition } of positions)
    yield* Console.log(
      `${topic}/${partition}: ${from ?? "nothing"} -> ${offset}${to === String(offset) || /^[elc]/.test(to) ? "" : " (limited to what Kafka has)"}`
    )
  // What was committed without a ledger would stop a service whose ledger is behind it.
  const overtaken = positions.some(({ commit, offset }) => commit?.note?.kind === "rows" && commit.offset > offset)
  const mustBeEmpty = !hasLedger || overtaken
  const { state } = mustBeEmpty ? yield* admin.group(kafka.group) : { state: "Empty" }
  const isEmpty = state === "Empty" || state === "Dead"
  if (!isEmpty)
    yield* Console.error(
      `Group ${shown(kafka.group)} has members (${state}): stop every service of the group first, then repeat this`
    )
  if (dryRun) return
  if (!isEmpty) return yield* negative

  const commit = admin.commit(
    kafka.group,
    positions.map(({ offset, partition, topicId }) => {
      const note = { kind: hasLedger ? ("ledger" as const) : ("rows" as const), topicId }
      return { topic, partition, offset, note }
    })
  )
  const again = "Offsets that were already written are stored twice when they are read again."
  if (hasLedger) {
    // The ledger first: until Kafka has the commit too, the topic stays stopped.
    yield* warehouse.reset(positions, "reset")
    if (overtaken) yield* commit
    yield* Console.log(
      `The ledger of group ${shown(kafka.group)} was moved. ${overtaken ? "Start the service again." : "A running service picks it up by itself."} ${again}`
    )
  } else {
    // Kafka first: if this ends in between, the channels' tokens still drop what is there. The other way round, a
    // commit that is behind what was written would write it again.
    yield* commit
    yield* warehouse.reset(positions, "reset")
    yield* Console.log(
      `The committed offsets of group ${shown(kafka.group)} were moved, and its channels dropped. Start the service again. ${again}`
    )
  }
})

interface Words {
  readonly record: ReadonlyArray<string>
  readonly to: Option.Option<string>
  readonly partition: Option.Option<number>
}

/** `TOPIC --to …`, or the place where it is to be read next. */
const choose = ({ partition, record, to }: Words) => {
  const [topic, ...others] = record
  const isTopic = topic !== undefined && others.length === 0 && !topic.includes("@")
  if (isTopic)
    return Option.isNone(to) ? Result.fail("Specify --to.") : Result.succeed({ topic, to: to.value, partition })
  if (Option.isSome(to) || Option.isSome(partition))
    return Result.fail("Specify either TOPIC with --to and --partition, or topic/partition@offset, not both.")
  return Result.flatMap(Coordinates.parseAll(record), ([at, ...more]) =>
    at === undefined || more.length > 0
      ? Result.fail("Specify one place as topic/partition@offset.")
      : Result.succeed({ topic: at.topic, to: String(at.offset), partition: Option.some(at.partition) })
  )
}

export const command = Command.make(
  "reset",
  {
    record: Argument.String("topic").pipe(
      Argument.withDescription("Topic to move; or topic/partition@offset, in place of both flags"),
      Argument.atLeast(1)
    ),
    to: Flag.String("to").pipe(
      Flag.withDescription("earliest, latest, committed (what the group has committed in Kafka), or an offset"),
      Flag.optional
    ),
    partition: Flag.Int("partition").pipe(Flag.withDescription("Only this partition"), Flag.optional),
    dryRun: Flag.Boolean("dry-run").pipe(
      Flag.withDescription("Show the changes without making them"),
      Flag.withDefault(false)
    )
  },
  ({ dryRun, ...words }) => {
    const chosen = choose(words)
    if (Result.isFailure(chosen)) return misused(chosen.failure)
    const moved = reset({ ...chosen.success, dryRun })
    return quietly(moved.pipe(Effect.provide(Layers.kafka), Effect.provide(ServiceWarehouse.layer)))
  }
).pipe(
  Command.withShortDescription("Move where a topic is read next, after a loss in Kafka or to read again"),
  Command.withDescription(
    "Sets the offset from which the consumer group continues, and counts from there. Going back writes the same offsets a second time: existing rows stay, and `audit` reports them as stored more than once. After a topic was recreated, rows of the old one have the same coordinates: move them to another table first. With SNOWFLAKE_WRITER=streaming the group's commits in Kafka are moved and the channels dropped; every service of the group has to be stopped. Exactly-once delivery only; in at-least-once delivery use kafka-consumer-groups.sh --reset-offsets."
  ),
  Command.withExamples([
    { command: "bronze-consumer reset raw.orders.v1 --to earliest --dry-run", description: "Preview" },
    { command: "bronze-consumer reset raw.orders.v1/0@4711", description: "One partition, one offset" }
  ])
)
