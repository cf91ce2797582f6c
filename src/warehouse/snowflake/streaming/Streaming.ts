/**
 * The warehouse on Snowflake through Snowpipe Streaming: rows go to channels without a virtual warehouse and without a
 * lock, each once, by offset tokens. What people ask for (tables, dead letters, counts) is asked in SQL.
 */
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as FetchHttpClient from "effect/http/FetchHttpClient"
import * as Layer from "effect/Layer"
import { tablesOf } from "../../../domain/Route.ts"
import { Settings } from "../../../settings/Settings.ts"
import { deadLetters } from "../../sql/Tables.ts"
import { type LedgerEntry, type Problem, Warehouse } from "../../Warehouse.ts"
import type { WarehouseError } from "../../WarehouseError.ts"
import { withoutLedger } from "../../WithoutLedger.ts"
import * as Snowflake from "../Snowflake.ts"
import * as Api from "./Api.ts"
import * as Append from "./Append.ts"
import * as Channels from "./Channels.ts"
import * as Http from "./Http.ts"
import * as Login from "./Login.ts"
import * as Names from "./Names.ts"
import * as Positions from "./Positions.ts"

/** Rows take seconds to become durable; after so long they never will. */
const longest = Duration.minutes(2)

/** Partitions that are opened at once. */
const openings = 8

export const layer: Layer.Layer<Warehouse, never, Settings> = Layer.effect(
  Warehouse,
  Effect.gen(function* () {
    const settings = yield* Settings
    const { kafka, progressTimeout, routes, sink } = settings
    if (sink._tag !== "Snowflake") return yield* Effect.die("SINK is not snowflake")
    const sql = yield* Snowflake.make(sink)
    const send = yield* Http.make
    const login = Login.make(sink, send)
    const api = Api.make(sink, send, login)
    const tables = new Map(routes.map(({ table, topic }) => [topic, table.name]))
    const channels = yield* Channels.make({
      api,
      group: kafka.group,
      patience: Duration.min(progressTimeout, longest),
      onRejected: ({ name, pipe }, rows, reason) =>
        Effect.logError(
          `Snowflake rejected ${rows} rows of channel ${name} (pipe ${pipe}): ${reason}. They are not in the table; where its ERROR_LOGGING is on: SELECT * FROM ERROR_TABLE(…)`
        )
    })

    const claimOne = Effect.fnUntraced(function* (
      start: Parameters<Warehouse["Service"]["claim"]>[0][number],
      owner: string
    ) {
      const { offset, partition, topic, topicId } = start
      const table = tables.get(topic)
      if (table === undefined) return yield* Effect.die(`no route for topic ${topic}`)
      const { epoch, letters, rows } = yield* channels.claim(start, table)
      for (const { name, pipe, rejected } of [rows, letters])
        if (rejected > 0)
          yield* Effect.logWarning(
            `Snowflake has rejected ${rejected} rows of channel ${name} (pipe ${pipe}) before it was opened: they are not in the table`
          )
      const ahead = Math.max(rows.opened, letters.opened) + 1
      return { topic, partition, topicId, owner, epoch, next: offset, ahead } satisfies LedgerEntry
    })

    const { durable, write } = Append.make(channels)

    const names = [...tablesOf(routes).map(({ name }) => name), deadLetters.name]
    const preflight: Effect.Effect<ReadonlyArray<Problem>, WarehouseError> = Effect.map(
      Effect.forEach(
        names,
        (table) =>
          api.check(Names.pipeOf(table)).pipe(
            Effect.as<ReadonlyArray<Problem>>([]),
            Effect.catchIf(
              ({ reason }) => reason === "denied",
              ({ message }) =>
                Effect.succeed<ReadonlyArray<Problem>>([
                  {
                    what: message,
                    table,
                    remedy: `bronze-consumer init, or if it is there: GRANT INSERT ON TABLE ${sink.database}.${sink.schema}.${table} TO ROLE ${sink.role ?? "…"};`
                  }
                ])
            )
          ),
        { concurrency: openings }
      ),
      (problems) => problems.flat()
    )

    return Warehouse.of({
      ...sql,
      // A partition has one request under way, and a channel takes ten a second: the writes wait more than they work.
      writers: 64,
      target: `${sql.target}, through Snowpipe Streaming`,
      credits: undefined,
      preflight,
      claim: (starts, owner) => Effect.forEach(starts, (start) => claimOne(start, owner), { concurrency: openings }),
      reset: (positions) =>
        Effect.forEach(
          positions,
          (place) => {
            const table = tables.get(place.topic) ?? ""
            const { letters, rows } = Names.channelsOf({ ...place, group: kafka.group }, table)
            return Effect.forEach([rows, letters], ({ name, pipe }) => api.drop(pipe, name), { discard: true })
          },
          { concurrency: openings, discard: true }
        ),
      ledger: withoutLedger.ledger,
      write,
      durable,
      durablePositions: Positions.make(api, kafka.group, tables),
      channels: channels.view
    })
  })
).pipe(Layer.provide(FetchHttpClient.layer))
