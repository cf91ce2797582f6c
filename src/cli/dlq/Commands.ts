/** `dlq`: `list` and `show` read dead letters, `replay` turns them into rows. */

import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Option from "effect/Option"
import * as Result from "effect/Result"
import * as Coordinates from "../../domain/Coordinates.ts"
import * as Schemas from "../../schema/Schemas.ts"
import { alone, quietly } from "../support/CommandLayer.ts"
import { misused } from "../support/Failure.ts"
import * as ServiceWarehouse from "../support/ServiceWarehouse.ts"
import * as Dlq from "./Dlq.ts"
import * as Filter from "./Filter.ts"

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
    replayed: Flag.Boolean("replayed").pipe(Flag.withDescription("Include replayed ones"), Flag.withDefault(false))
  },
  (flags) => alone(Effect.provide(Dlq.list(flags), ServiceWarehouse.layer))
).pipe(
  Command.withShortDescription("List dead letters, newest first"),
  Command.withDescription("Lists pending dead letters, newest first, without their payloads."),
  Command.withExamples([
    { command: "bronze-consumer dlq list --since 2h --cause not_json", description: "What broke in the last two hours" }
  ])
)

const showCommand = Command.make(
  "show",
  {
    records: Filter.records,
    json: Filter.flags.json,
    raw: Flag.Boolean("raw").pipe(
      Flag.withDescription("Print only the bytes of the payload, to redirect into a file"),
      Flag.withDefault(false)
    )
  },
  ({ json, raw, records }) => {
    const places = Coordinates.parseAll(records)
    if (Result.isFailure(places)) return misused(places.failure)
    const [at, ...others] = places.success
    if (at === undefined || others.length > 0) return misused("Specify one record as topic/partition@offset.")
    return alone(Effect.provide(Dlq.show(at, { json, raw }), ServiceWarehouse.layer))
  }
).pipe(
  Command.withShortDescription("Show one dead letter in full"),
  Command.withDescription(
    "Shows the origin, cause and payload of a dead letter; the payload as text, or in hex if it is not text. The payload may hold personal data."
  ),
  Command.withExamples([
    { command: "bronze-consumer dlq show raw.orders.v1/0@57", description: "Print it" },
    { command: "bronze-consumer dlq show raw.orders.v1/0@57 --raw > event.json", description: "Save it for repair" }
  ])
)

const replayCommand = Command.make(
  "replay",
  {
    ...Filter.flags,
    records: Filter.records,
    limit: Filter.limit(10_000),
    all: Flag.Boolean("all").pipe(Flag.withDescription("All pending ones"), Flag.withDefault(false)),
    payload: Flag.File("payload", { mustExist: true }).pipe(
      Flag.withDescription("File with the repaired event (for one record)"),
      Flag.optional
    ),
    dryRun: Flag.Boolean("dry-run").pipe(
      Flag.withDescription("Show the outcome without changing anything"),
      Flag.withDefault(false)
    )
  },
  ({ payload, records, ...flags }) => {
    const places = Coordinates.parseAll(records)
    if (Result.isFailure(places)) return misused(places.failure)
    const at = places.success.length > 0 ? places.success : undefined
    if (at !== undefined && (flags.all || Filter.isNarrow(flags)))
      return misused("Specify either records or filters, not both.")
    if (Option.isSome(payload) && at?.length !== 1)
      return misused("--payload needs one record: topic/partition@offset.")
    if (at === undefined && !flags.all && !Filter.isNarrow(flags))
      return misused("Specify records as topic/partition@offset, or --topic, --cause, --since, --until, or --all.")
    return quietly(
      Effect.gen(function* () {
        const repaired = Option.isSome(payload) ? yield* read(payload.value) : undefined
        return yield* Dlq.replay({ ...flags, at, payload: repaired })
      }).pipe(Effect.provide(Schemas.layerBrief), Effect.provide(ServiceWarehouse.layer))
    )
  }
).pipe(
  Command.withShortDescription("Replay dead letters into their tables (idempotent)"),
  Command.withDescription(
    "Decodes dead letters again and writes them into the tables of BRONZE_ROUTES, with their original topic, partition, offset, time, key and headers. Each becomes a row once, however often this is run, and stays in DEAD_LETTERS with REPLAYED_AT set. What still cannot be decoded or written stays as it is, and the reason is printed. Exit code 1 if some could not be replayed. On Snowflake the role needs UPDATE on DEAD_LETTERS (sql/snowflake/03_role.sql)."
  ),
  Command.withExamples([
    { command: "bronze-consumer dlq replay --cause refused --dry-run", description: "What would happen" },
    {
      command: "bronze-consumer dlq replay raw.orders.v1/0@57 raw.orders.v1/2@9",
      description: "Two records"
    },
    { command: "bronze-consumer dlq replay --topic raw.orders.v1 --since 1d", description: "All of the last day" },
    {
      command: "bronze-consumer dlq replay raw.orders.v1/0@57 --payload event.json",
      description: "One, with a repaired event"
    }
  ])
)

export const command = Command.make("dlq").pipe(
  Command.withShortDescription("List, show and replay dead letters"),
  Command.withDescription(
    "Records that could not be written are in DEAD_LETTERS, with their original bytes and the reason."
  ),
  Command.withExamples([{ command: "bronze-consumer dlq list", description: "List pending ones" }]),
  Command.withSubcommands([listCommand, showCommand, replayCommand])
)
