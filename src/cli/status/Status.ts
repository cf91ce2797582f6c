/** `status`: lag per partition, rows per table, last write. */
import * as Console from "effect/Console"
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Queue from "effect/Queue"
import * as Schema from "effect/Schema"
import type * as Terminal from "effect/Terminal"
import * as Layers from "../../app/Layers.ts"
import type { Admin } from "../../kafka/Admin.ts"
import { isStreaming, Settings } from "../../settings/Settings.ts"
import * as SnowflakeCost from "../../warehouse/snowflake/Cost.ts"
import type { Warehouse } from "../../warehouse/Warehouse.ts"
import { quietly } from "../support/CommandLayer.ts"
import { negative } from "../support/Failure.ts"
import * as Layout from "../support/Layout.ts"
import * as Screen from "../support/Screen.ts"
import * as ServiceWarehouse from "../support/ServiceWarehouse.ts"
import { remember } from "./Rates.ts"
import { gather, type StatusReport } from "./Report.ts"
import { frame, render } from "./View.ts"

/** How long a side may keep the others of a look waiting, with --watch. */
const glance = Duration.seconds(10)

interface Flags {
  readonly json: boolean
  readonly watch: boolean
  readonly interval: number
}

export const status = Effect.fnUntraced(function* ({ interval, json, watch }: Flags) {
  const screen = yield* Screen.screen
  const show = (report: StatusReport) => Console.log(json ? Screen.report(report) : render(report, screen))
  if (!watch) {
    const report = yield* Effect.provide(gather(Duration.minutes(1)), ServiceWarehouse.layer)
    yield* show(report)
    const { batch, sink } = yield* Settings
    if (sink._tag === "Snowflake" && !isStreaming(sink) && !json)
      for (const line of Layout.wrap(SnowflakeCost.told(Duration.toSeconds(batch.timeout)), screen.columns))
        yield* Console.log(screen.dim(line))
    return report.problems.length > 0 ? yield* negative : undefined
  }
  const { sink } = yield* Settings
  const every = Duration.seconds(interval)
  const again = (look: Effect.Effect<StatusReport, never, Admin | Settings | Warehouse>) => {
    // DuckDB's file belongs to one process at a time: let go of it between two looks, so that the service can have it.
    const letGo = Effect.provide(look, Layer.fresh(ServiceWarehouse.layer))
    return sink._tag === "DuckDb"
      ? Effect.forever(Effect.andThen(letGo, Effect.sleep(every)))
      : Effect.provide(Effect.forever(Effect.andThen(look, Effect.sleep(every))), ServiceWarehouse.layer)
  }
  return json || !screen.isDrawable
    ? yield* again(Effect.tap(gather(glance), show))
    : yield* Effect.scoped(Effect.flatMap(live(screen), (look) => again(look)))
})

/** A look that draws itself over the one before. */
const live = Effect.fnUntraced(function* (screen: Screen.Screen) {
  let looks: ReadonlyArray<StatusReport> = []
  let size: Terminal.Size = { columns: 80, rows: 24 }
  const { draw, size: sizes } = yield* Screen.drawing(() => {
    const latest = looks.at(-1)
    return latest === undefined ? "" : `${render(latest, screen)}\n`
  })
  const redraw = Effect.suspend(() =>
    draw(looks.length === 0 ? ["Asking Kafka and the warehouse …"] : frame(looks, size, screen))
  )
  yield* Queue.take(sizes).pipe(
    Effect.tap((changed) =>
      Effect.suspend(() => {
        // Some consoles do not know how large they are.
        size = { columns: changed.columns || size.columns, rows: changed.rows || size.rows }
        return redraw
      })
    ),
    Effect.forever,
    Effect.ignore,
    Effect.forkScoped
  )
  return Effect.tap(gather(glance), (report) => {
    looks = remember(looks, report)
    return redraw
  })
})

export const command = Command.make(
  "status",
  {
    watch: Flag.Boolean("watch").pipe(
      Flag.withAlias("w"),
      Flag.withDescription("Refresh until Ctrl-C"),
      Flag.withDefault(false)
    ),
    interval: Flag.Finite("interval").pipe(
      Flag.withDescription("Seconds between refreshes with --watch (default 2)"),
      Flag.withSchema(Schema.Finite.check(Schema.isBetween({ minimum: 0.2, maximum: 3600 }))),
      Flag.withDefault(2)
    ),
    json: Flag.Boolean("json").pipe(
      Flag.withDescription("Print JSON (with --watch: one object per line)"),
      Flag.withDefault(false)
    )
  },
  (flags) => {
    const shown = Screen.whileRead(status(flags).pipe(Effect.provide(Layers.kafka)))
    return quietly(flags.watch ? Screen.untilStopped(shown) : shown)
  }
).pipe(
  Command.withShortDescription("Lag per partition, rows per table, last write, dead letters"),
  Command.withDescription(
    "Shows for each partition where its log ends and which offset is written next (by the ledger in the warehouse, or by the group's commit), and for each table its rows and its last write. --watch adds how fast that changes, over the last ten seconds, and when a backlog will be done; it continues while Kafka or the warehouse is unreachable, and Ctrl-C ends it with exit code 0. Without --watch the exit code is 1 if Kafka or the warehouse does not answer; the other side is still shown. With SINK=duckdb a running service holds the file: it is asked over HTTP (HTTP_PORT). On Snowflake each refresh is two queries: --watch keeps the warehouse running."
  ),
  Command.withExamples([
    { command: "bronze-consumer status", description: "Once" },
    { command: "bronze-consumer status --watch", description: "Watch the lag shrink" },
    { command: "bronze-consumer status --json | jq .lag", description: "The total lag, for a script" }
  ])
)
