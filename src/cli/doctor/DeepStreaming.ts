/**
 * What `doctor --deep` checks of the streaming API, on a table of its scratch schema: opening, appending, how long until
 * rows are durable, opening again, resuming, and that a token of an earlier opening is refused.
 */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as FetchHttpClient from "effect/http/FetchHttpClient"
import * as Schema from "effect/Schema"
import type { BronzeRow } from "../../domain/Outcome.ts"
import type { Table } from "../../domain/Route.ts"
import type { SnowflakeSettings } from "../../settings/Model.ts"
import type { Session } from "../../warehouse/snowflake/Driver.ts"
import * as Api from "../../warehouse/snowflake/streaming/Api.ts"
import * as Http from "../../warehouse/snowflake/streaming/Http.ts"
import * as Login from "../../warehouse/snowflake/streaming/Login.ts"
import * as Names from "../../warehouse/snowflake/streaming/Names.ts"
import * as Rows from "../../warehouse/snowflake/streaming/Rows.ts"
import { decodeRows, Integer } from "../../warehouse/sql/LedgerRows.ts"
import { createTable, type Dialect, rawShape } from "../../warehouse/sql/Tables.ts"
import { WarehouseError } from "../../warehouse/WarehouseError.ts"
import { bad, type Finding, good, skipped } from "./Finding.ts"

const table: Table = { name: "STREAMED", columns: [{ name: "ID", path: ["id"], type: "NUMBER" }] }
const pipe = Names.pipeOf(table.name)
const channel = "DOCTOR"
const topic = "doctor"

/** Rows are durable after a few seconds; the first ones of a new table may take longer. */
const patience = "2 minutes"

const decodeCount = decodeRows(Schema.Struct({ N: Integer, OFFSETS: Integer }))

const rowAt = (offset: number): BronzeRow => ({
  ...{ _tag: "BronzeRow", topic, partition: 0, offset, timestamp: 0, key: null, headers: null, bytes: 0 },
  event: Buffer.from(JSON.stringify({ id: offset })),
  columns: [String(offset)]
})

export const examine = Effect.fnUntraced(
  function* (sink: SnowflakeSettings, session: Session, names: Dialect, schema: string) {
    const account = { ...sink, schema }
    const send = yield* Http.make
    const login = Login.make(account, send)
    const api = Api.make(account, send, login)
    yield* session.execute(createTable(names, rawShape(table)))
    const findings: Array<Finding> = []

    const { origin } = yield* login.access
    findings.push(good("streaming", `logged in; rows go to ${new URL(origin).host}`))

    const bodyOf = Effect.fnUntraced(function* (...offsets: ReadonlyArray<number>) {
      const now = yield* Clock.currentTimeMillis
      const [body] = yield* Rows.ofRows(table, offsets.map(rowAt), now, Rows.maxSize, () => 0)
      return body ?? (yield* Effect.die("a body for each row"))
    })
    const append = Effect.fnUntraced(function* (continuation: string, ...offsets: ReadonlyArray<number>) {
      const request = { continuation, requestId: crypto.randomUUID(), retries: 0, session: undefined }
      return yield* api.append(pipe, channel, { ...request, body: yield* bodyOf(...offsets) })
    })
    /** Waits for the offset token; gives the seconds that took. */
    const durable = Effect.fnUntraced(function* (token: string) {
      const began = yield* Clock.currentTimeMillis
      yield* api.status(pipe, [channel]).pipe(
        Effect.map((statuses) => statuses.get(channel)?.token),
        Effect.delay("250 millis"),
        Effect.repeat({ until: (found) => found === token }),
        Effect.timeoutOrElse({
          duration: patience,
          orElse: () => new WarehouseError({ reason: "unavailable", message: `rows are not durable after ${patience}` })
        })
      )
      return ((yield* Clock.currentTimeMillis) - began) / 1000
    })

    const opened = yield* api.open(pipe, channel)
    const first = yield* append(opened.continuation, 0, 1, 2)
    const took = yield* durable("2")
    findings.push(good("S1", `three rows were durable ${took.toFixed(1)} s after their answer`))

    const again = yield* api.open(pipe, channel)
    findings.push(
      again.status.token === "2"
        ? good("S2", "a channel that is opened again has its offset token")
        : bad("S2", `a channel that is opened again has the offset token ${again.status.token} in place of 2`, report)
    )
    const late = yield* Effect.match(append(first.continuation, 3), {
      onFailure: ({ reason }) => reason,
      onSuccess: () => "taken"
    })
    findings.push(
      late === "fenced"
        ? good("S3", "rows that come with the token of an earlier opening are refused")
        : bad("S3", `rows that came with the token of an earlier opening were ${late}`, report)
    )
    yield* append(again.continuation, 3, 4)
    yield* durable("4")
    findings.push(good("S4", "the new opening resumes where the offset token is"))
    findings.push(yield* counted(session, names))
    yield* api.drop(pipe, channel)
    return findings
  },
  Effect.catch(({ message }: WarehouseError) =>
    Effect.succeed([bad("streaming", message, "bronze-consumer doctor, which checks host, login and rights")])
  ),
  Effect.provide(FetchHttpClient.layer)
)

const report = "SNOWFLAKE_WRITER=sql, and an issue with all of this"

/** Five rows, each once: which has to be asked in SQL. */
const counted = (session: Session, names: Dialect): Effect.Effect<Finding> =>
  session
    .query(`SELECT COUNT(*) AS N, COUNT(DISTINCT KAFKA_OFFSET) AS OFFSETS FROM ${names.qualified(table.name)}`)
    .pipe(
      Effect.flatMap(decodeCount),
      Effect.map(([row]) =>
        row?.N === 5 && row.OFFSETS === 5
          ? good("S5", "five rows were sent, and are in the table once each")
          : bad("S5", `five rows were sent; ${row?.N} are in the table, with ${row?.OFFSETS} offsets`, report)
      ),
      Effect.catch(({ message }) => Effect.succeed(skipped("S5", `the rows could not be counted: ${message}`)))
    )
