/**
 * The warehouse on Snowflake through Snowpipe Streaming: rows go to channels without a virtual warehouse and without a
 * lock, each once, by offset tokens. What people ask for (tables, dead letters, counts) is asked in SQL.
 *
 * A partition has two channels, so two tokens, and rows and dead letters must not be mistaken for each other when a
 * range is read again. The rule: the dead letters of a batch are durable before one of its rows is sent. So whatever is
 * not beyond the rows' token is durable, be it row or letter; and a letter not beyond the letters' token is.
 */
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as FetchHttpClient from "effect/http/FetchHttpClient"
import * as Layer from "effect/Layer"
import { type Batch, deadLettersOf, type OffsetRange, rowsOf } from "../../../domain/Batch.ts"
import { isSamePartition } from "../../../domain/KafkaRecord.ts"
import { tablesOf } from "../../../domain/Route.ts"
import { Settings } from "../../../settings/Settings.ts"
import { deadLetters } from "../../sql/Tables.ts"
import { type LedgerEntry, type Problem, Warehouse } from "../../Warehouse.ts"
import { WarehouseError } from "../../WarehouseError.ts"
import * as Snowflake from "../Snowflake.ts"
import * as Api from "./Api.ts"
import * as Channels from "./Channels.ts"
import * as Http from "./Http.ts"
import * as Login from "./Login.ts"
import * as Names from "./Names.ts"
import * as Rows from "./Rows.ts"

/** Rows take seconds to become durable; after so long they never will. */
const longest = Duration.minutes(2)

/** Partitions that are opened at once. */
const openings = 8

/** No gateway is known to refuse so little. */
const smallestRequest = 64_000

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
      onRejected: ({ name, pipe }, rows, { message }) =>
        Effect.logError(
          `Snowflake rejected ${rows} rows of channel ${name} (pipe ${pipe}): ${message ?? "no reason given"}. They are not in the table; where its ERROR_LOGGING is on: SELECT * FROM ERROR_TABLE(…)`
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
      const ahead = Math.max(rows.opened, letters.opened) + 1
      return { topic, partition, topicId, owner, epoch, next: offset, ahead } satisfies LedgerEntry
    })

    let largest = Number.POSITIVE_INFINITY

    /** Sends what of one partition is not there yet; letters first, and rows once these are durable. */
    const sendRange = Effect.fnUntraced(function* (batch: Batch, range: OffsetRange) {
      const claimed = channels.find(range, range.epoch)
      if (claimed === undefined)
        return yield* new WarehouseError({ reason: "fenced", message: "the partition was claimed again" })
      const { letters, rows } = claimed
      // First, for it moves what is accepted.
      yield* letters.again
      yield* rows.again
      const now = yield* Clock.currentTimeMillis
      const durable = Math.max(letters.opened, rows.opened)
      const newLetters = deadLettersOf(batch).filter(
        (letter) => isSamePartition(letter, range) && letter.offset > Math.max(durable, letters.accepted())
      )
      const newRows = rowsOf(batch).filter((row) => isSamePartition(row, range) && row.offset > rows.accepted())
      // All are made before one is sent: what is too large is found while nothing has left.
      const letterBodies = yield* Rows.ofLetters(batch.table, newLetters, now, largest)
      const rowBodies = yield* Rows.ofRows(batch.table, newRows, now, largest, (row) => batch.outcomes.indexOf(row))
      return { claimed, letterBodies, rowBodies }
    })

    type Prepared = Effect.Success<ReturnType<typeof sendRange>>

    const sendAll = Effect.fnUntraced(function* ({ claimed: { letters, rows }, letterBodies, rowBodies }: Prepared) {
      for (const body of letterBodies) yield* letters.append(body)
      if (rowBodies.length > 0) yield* letters.durable(letters.accepted())
      for (const body of rowBodies) {
        yield* channels.room
        yield* rows.append(body)
      }
    })

    const write = (batch: Batch): Effect.Effect<void, WarehouseError> =>
      Effect.gen(function* () {
        const prepared = yield* Effect.forEach(batch.ranges, (range) => sendRange(batch, range), {
          concurrency: "unbounded"
        })
        yield* Effect.forEach(prepared, sendAll, { concurrency: "unbounded", discard: true })
      }).pipe(
        Effect.catchIf(
          ({ code, reason }) => reason === "too_large" && code !== undefined,
          () => smaller(batch)
        )
      )

    /** What was answered with 413 is not sent by this process again, but in parts. */
    const smaller = (batch: Batch): Effect.Effect<void, WarehouseError> =>
      Effect.suspend(() => {
        if (largest <= smallestRequest)
          return Effect.fail(
            new WarehouseError({
              reason: "denied",
              isUnknown: true,
              message: `requests of ${largest} bytes are answered with 413: something between here and Snowflake has to let more pass`
            })
          )
        largest = Math.max(smallestRequest, Math.min(largest, Rows.maxSize) / 2)
        return write(batch)
      })

    const durable = (ranges: ReadonlyArray<OffsetRange>): Effect.Effect<void, WarehouseError> =>
      Effect.forEach(
        ranges,
        (range) => {
          const claimed = channels.find(range, range.epoch)
          return claimed === undefined
            ? Effect.fail(new WarehouseError({ reason: "fenced", message: "the partition was claimed again" }))
            : Effect.andThen(claimed.letters.durable(range.next - 1), claimed.rows.durable(range.next - 1))
        },
        { concurrency: "unbounded", discard: true }
      )

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
                    remedy: `node dist/main.js init, or if it is there: GRANT INSERT ON TABLE ${sink.database}.${sink.schema}.${table} TO ROLE ${sink.role ?? "…"};`
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
      target: `${sql.target}, through Snowpipe Streaming`,
      credits: undefined,
      preflight,
      claim: (starts, owner) => Effect.forEach(starts, (start) => claimOne(start, owner), { concurrency: openings }),
      reset: (positions) =>
        Effect.forEach(
          positions,
          (place) => {
            const table = tables.get(place.topic) ?? ""
            const channel = Names.channelOf({ ...place, group: kafka.group }, table)
            return Effect.forEach([table, deadLetters.name], (name) => api.drop(Names.pipeOf(name), channel), {
              discard: true
            })
          },
          { concurrency: openings, discard: true }
        ),
      ledger: Effect.succeed([]),
      write,
      durable
    })
  })
).pipe(Layer.provide(FetchHttpClient.layer))
