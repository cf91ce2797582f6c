/** `dlq`: what became no row, and the way back: `list` and `show` read, `replay` makes rows of dead letters. */

import * as Console from "effect/Console"
import * as Argument from "effect/cli/Argument"
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Option from "effect/Option"
import * as Layers from "../../app/Layers.ts"
import { quietly } from "../support/CommandLayer.ts"
import { usage } from "../support/Failure.ts"
import * as Dlq from "./Dlq.ts"
import * as Filter from "./Filter.ts"

const misused = (message: string) => Effect.andThen(Console.error(message), Effect.fail(usage))

/** The file as the event: without the line break that editors put at its end. */
const read = (path: string) =>
  Effect.flatMap(FileSystem.FileSystem, (files) => files.readFile(path)).pipe(
    Effect.map((bytes) => {
      const text = Buffer.from(bytes)
      const end = text.at(-1) === 10 ? (text.at(-2) === 13 ? 2 : 1) : 0
      return text.subarray(0, text.length - end)
    })
  )

const listCommand = Command.make(
  "list",
  {
    ...Filter.flags,
    limit: Filter.limit(100),
    replayed: Flag.Boolean("replayed").pipe(
      Flag.withDescription("Those that were replayed, too"),
      Flag.withDefault(false)
    )
  },
  (flags) => quietly(Effect.provide(Dlq.list(flags), Layers.warehouse))
).pipe(
  Command.withShortDescription("List dead letters, the newest first"),
  Command.withDescription("Lists dead letters that wait, the newest first, without their payloads."),
  Command.withExamples([
    { command: "bronze-consumer dlq list --since 2h --cause not_json", description: "What broke in the last two hours" }
  ])
)

const showCommand = Command.make(
  "show",
  {
    ...Filter.place,
    json: Filter.flags.json,
    raw: Flag.Boolean("raw").pipe(
      Flag.withDescription("Nothing but the bytes of the payload, to be redirected into a file"),
      Flag.withDefault(false)
    )
  },
  ({ json, offset, ofTopic, partition, raw }) =>
    quietly(Effect.provide(Dlq.show({ topic: ofTopic, partition, offset }, { json, raw }), Layers.warehouse))
).pipe(
  Command.withShortDescription("Show one dead letter with all it carries"),
  Command.withDescription(
    "Shows where a dead letter is from, why it is one, and its payload: as text when it is text, else in hex. The payload may hold personal data."
  ),
  Command.withExamples([
    { command: "bronze-consumer dlq show raw.orders.v1 0 57", description: "On the screen" },
    { command: "bronze-consumer dlq show raw.orders.v1 0 57 --raw > event.json", description: "To be repaired" }
  ])
)

const replayCommand = Command.make(
  "replay",
  {
    ...Filter.flags,
    ofTopic: Argument.optional(Filter.place.ofTopic),
    partition: Argument.optional(Filter.place.partition),
    offset: Argument.optional(Filter.place.offset),
    limit: Filter.limit(10_000),
    all: Flag.Boolean("all").pipe(Flag.withDescription("All that wait"), Flag.withDefault(false)),
    payload: Flag.File("payload", { mustExist: true }).pipe(
      Flag.withDescription("The repaired event, in place of the original one; for one record"),
      Flag.optional
    ),
    dryRun: Flag.Boolean("dry-run").pipe(
      Flag.withDescription("Say what would become of them and change nothing"),
      Flag.withDefault(false)
    )
  },
  ({ ofTopic, offset, partition, payload, ...flags }) => {
    const at = Option.getOrUndefined(Option.all({ topic: ofTopic, partition, offset }))
    if (at === undefined && Option.isSome(ofTopic)) return misused("A record's place is TOPIC PARTITION OFFSET.")
    if (at !== undefined && (flags.all || Filter.isNarrow(flags)))
      return misused("Give the place of one record or a choice of many, not both.")
    if (at === undefined && Option.isSome(payload))
      return misused("--payload is for one record: TOPIC PARTITION OFFSET.")
    if (at === undefined && !flags.all && !Filter.isNarrow(flags))
      return misused("Say which: TOPIC PARTITION OFFSET, or --topic, --cause, --since, --until, or --all.")
    return quietly(
      Effect.gen(function* () {
        const repaired = Option.isSome(payload) ? yield* read(payload.value) : undefined
        return yield* Dlq.replay({ ...flags, at, payload: repaired })
      }).pipe(Effect.provide(Layers.warehouse))
    )
  }
).pipe(
  Command.withShortDescription("Make rows of dead letters, once"),
  Command.withDescription(
    "Puts dead letters back through decoding into the tables that BRONZE_ROUTES names, at their original topic, partition, offset, time, key and headers. Each becomes a row once, however often and by however many this is run; it stays in DEAD_LETTERS with REPLAYED_AT set. What still does not decode, or is refused, stays as it is, and the reason is printed. Exit code 1 if some could not be replayed. On Snowflake the role needs UPDATE on DEAD_LETTERS (sql/snowflake/03_role.sql)."
  ),
  Command.withExamples([
    { command: "bronze-consumer dlq replay --cause refused --dry-run", description: "What would happen" },
    { command: "bronze-consumer dlq replay --topic raw.orders.v1 --since 1d", description: "All of a day" },
    {
      command: "bronze-consumer dlq replay raw.orders.v1 0 57 --payload event.json",
      description: "One, with a repaired event"
    }
  ])
)

export const command = Command.make("dlq").pipe(
  Command.withShortDescription("List, show and replay dead letters"),
  Command.withDescription("What could become no row stands in DEAD_LETTERS, with its original bytes and the reason."),
  Command.withExamples([{ command: "bronze-consumer dlq list", description: "What waits" }]),
  Command.withSubcommands([listCommand, showCommand, replayCommand])
)
