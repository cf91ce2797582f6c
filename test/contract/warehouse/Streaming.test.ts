/** The contract through Snowpipe Streaming, on the emulator of its API; and what only a writer with offset tokens keeps. */
import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { type Emulator, startEmulator } from "../../../scripts/emulator/emulator.ts"
import type { DeadLetter } from "../../../src/domain/Outcome.ts"
import { type LedgerEntry, Warehouse } from "../../../src/warehouse/Warehouse.ts"
import type { GivenRow } from "../../support/Outcomes.ts"
import { batchOf, claimAll, letter, type TableName } from "../../support/warehouse/batches.ts"
import * as SnowflakeInspector from "../../support/warehouse/SnowflakeInspector.ts"
import {
  type Account,
  account,
  control,
  patient,
  type StreamingGiven,
  warehouse
} from "../../support/warehouse/StreamingAccount.ts"
import { type Given, Inspector } from "../../support/warehouse/Subject.ts"
import { suite } from "../../support/warehouse/WarehouseSuite.ts"

let emulator: Emulator | undefined
beforeAll(async () => {
  emulator = await startEmulator({ options: { "streaming-commit-ms": 50 } })
})
afterAll(async () => {
  await emulator?.stop()
})

const url = (): string => emulator?.url ?? ""
const inspector = (sink: Account) => ({
  ...SnowflakeInspector.make(sink),
  holdCommit: Effect.die("a write here has no COMMIT")
})

suite({
  name: "Snowflake, streaming",
  keepsText: false,
  keepsLedger: false,
  widest: "9".repeat(38),
  hasTables: true,
  refusedEvent: undefined,
  open: (given?: Given) =>
    Layer.unwrap(
      Effect.sync(() => {
        const sink = account(url())
        return Layer.merge(patient(sink, given), Layer.succeed(Inspector, Inspector.of(inspector(sink))))
      })
    )
})

/** Two services on one account; each use is one process. */
const setUp = Effect.fnUntraced(function* (given: StreamingGiven = {}) {
  const sink = account(url())
  const start = Effect.gen(function* () {
    const { warehouse: service } = yield* Layer.build(warehouse(sink, given)).pipe(
      Effect.map((context) => ({ warehouse: Layer.succeedContext(context) }))
    )
    return yield* Effect.provide(Warehouse, service)
  })
  const first = yield* start
  yield* first.init
  const { channel, fault, options, seen } = control(url())
  return {
    ...{ sink, first, start, fault, options, channel, inspect: inspector(sink) },
    seen: seen(sink.database)
  }
})
type Service = Warehouse["Service"]

const claim = (service: Service, owner: string) => Effect.provideService(claimAll(owner), Warehouse, service)

const batch = (
  claimed: ReadonlyArray<LedgerEntry>,
  outcomes: ReadonlyArray<GivenRow | DeadLetter>,
  table: TableName = "ORDERS_RAW"
) => batchOf(table, claimed, outcomes)

const land = (service: Service, given: ReturnType<typeof batch>) =>
  Effect.andThen(service.write(given), service.durable?.(given.ranges) ?? Effect.die("no tokens"))

const offsets = (inspect: ReturnType<typeof inspector>) =>
  Effect.gen(function* () {
    const rows = yield* inspect.rows("ORDERS_RAW")
    const letters = yield* inspect.deadLetters
    return { rows: rows.map(({ offset }) => offset), letters: letters.map(({ offset }) => offset) }
  })

const rows = (...given: ReadonlyArray<number>) => given.map((offset) => ({ offset }))

describe("rows over the streaming API", () => {
  it.live("are durable once `durable` ends, and not before", () =>
    Effect.scoped(
      Effect.gen(function* () {
        const { first, inspect, options } = yield* setUp()
        const claimed = yield* claim(first, "a")
        yield* options({ "streaming-commit-ms": -1 })
        const given = batch(claimed, rows(0, 1))
        yield* first.write(given)
        assert.deepStrictEqual(yield* offsets(inspect), { rows: [], letters: [] })
        yield* options({ "streaming-commit-ms": 50 })
        yield* first.durable?.(given.ranges) ?? Effect.void
        assert.deepStrictEqual(yield* offsets(inspect), { rows: [0, 1], letters: [] })
      })
    )
  )

  it.live(
    "are counted: what is accepted and not durable, what was sent again, what Snowflake rejected afterwards",
    () =>
      Effect.scoped(
        Effect.gen(function* () {
          const { channel, fault, first, inspect, options, seen, sink } = yield* setUp()
          const claimed = yield* claim(first, "a")
          const counted = (service: Service) => service.channels?.()
          yield* options({ "streaming-commit-ms": -1 })
          yield* fault({ match: `POST .*/${sink.database}/.*/rows`, drop: true })
          const given = batch(claimed, rows(0, 1, 2))
          yield* Effect.flip(first.write(given))
          yield* first.write(given)
          const accepted = counted(first)
          assert.deepInclude(accepted, { open: 4, offsetsBehind: 3, requests: 2, retries: 1, rejectedRows: 0 })
          assert.isAbove(accepted?.uncommittedBytes ?? 0, 0)
          for (const { channel_name, pipe_name } of (yield* seen).channels)
            if (pipe_name.startsWith("ORDERS")) yield* channel({ channel: channel_name, reject: 1 })
          yield* options({ "streaming-commit-ms": 50 })
          yield* first.durable?.(given.ranges) ?? Effect.void
          assert.deepInclude(counted(first), { offsetsBehind: 0, uncommittedBytes: 0, rejectedRows: 1 })
          assert.strictEqual((yield* offsets(inspect)).rows.length, 2)
        })
      )
  )

  it.live("may be durable before their answer is here, while those before them are waited for", () =>
    Effect.scoped(
      Effect.gen(function* () {
        const { first, inspect, options } = yield* setUp()
        const claimed = yield* claim(first, "a")
        const [one, two] = [batch(claimed, rows(0)), batch(claimed, rows(1))]
        yield* options({ "streaming-commit-ms": 600 })
        yield* first.write(one)
        // The second answer comes long after both are durable.
        yield* options({ "streaming-commit-ms": 0, "streaming-latency-ms": 1500 })
        yield* first.write(two)
        yield* options({ "streaming-commit-ms": 50, "streaming-latency-ms": 0 })
        for (const { ranges } of [one, two]) yield* first.durable?.(ranges) ?? Effect.void
        yield* land(first, batch(claimed, rows(2)))
        assert.deepStrictEqual((yield* offsets(inspect)).rows, [0, 1, 2])
      })
    )
  )

  it.live("that are durable are passed over when they come again, letters as well; tokens count as numbers", () =>
    Effect.scoped(
      Effect.gen(function* () {
        const { first, inspect, start } = yield* setUp()
        yield* land(
          first,
          batch(yield* claim(first, "a"), [...rows(7, 8, 9), letter({ offset: 10 }), ...rows(11, 100)])
        )
        const second = yield* start
        const claimed = yield* claim(second, "b")
        assert.deepStrictEqual(
          claimed.map(({ ahead, next, partition }) => [partition, next, ahead]),
          [
            [0, 0, 101],
            [1, 0, 0]
          ]
        )
        yield* land(
          second,
          batch(claimed, [...rows(7, 8, 9), letter({ offset: 10 }), ...rows(11, 100, 101), letter({ offset: 102 })])
        )
        assert.deepStrictEqual(yield* offsets(inspect), { rows: [7, 8, 9, 11, 100, 101], letters: [10, 102] })
      })
    )
  )

  it.live("of whoever was opened after are taken, of whoever was before are fenced, and none twice", () =>
    Effect.scoped(
      Effect.gen(function* () {
        const { first, inspect, options, start } = yield* setUp()
        const before = yield* claim(first, "a")
        yield* options({ "streaming-commit-ms": -1 })
        const given = batch(before, rows(0, 1))
        yield* first.write(given)
        const second = yield* start
        const after = yield* claim(second, "b")
        yield* options({ "streaming-commit-ms": 50 })
        const late = yield* Effect.flip(first.write(batch(before, rows(2))))
        assert.strictEqual(late.reason, "fenced")
        assert.strictEqual((yield* Effect.flip(first.durable?.(given.ranges) ?? Effect.void)).reason, "fenced")
        yield* land(second, batch(after, rows(0, 1, 2)))
        assert.deepStrictEqual((yield* offsets(inspect)).rows, [0, 1, 2])
      })
    )
  )

  it.live("are read again when the channel was opened in between by the same process", () =>
    Effect.scoped(
      Effect.gen(function* () {
        const { first, inspect } = yield* setUp()
        const before = yield* claim(first, "a")
        const again = yield* claim(first, "a")
        assert.strictEqual((yield* Effect.flip(first.write(batch(before, rows(0))))).reason, "fenced")
        yield* land(first, batch(again, rows(0)))
        assert.deepStrictEqual((yield* offsets(inspect)).rows, [0])
      })
    )
  )

  it.live("follow the dead letters of their batch, which are durable before one of them is sent", () =>
    Effect.scoped(
      Effect.gen(function* () {
        const { first, seen } = yield* setUp()
        yield* land(first, batch(yield* claim(first, "a"), [...rows(0), letter({ offset: 1 }), ...rows(2)]))
        const { requests } = yield* seen
        const at = (text: string) => requests.findIndex(({ path }) => path.includes(text))
        const letters = at("DEAD_LETTERS-STREAMING/channels")
        const appended = requests.findIndex(({ path }) => path.endsWith("/rows") && path.includes("DEAD_LETTERS"))
        const asked = requests.findIndex(
          ({ path }, index) => index > appended && path.includes("DEAD_LETTERS-STREAMING:bulk-channel-status")
        )
        const rowsAt = requests.findIndex(({ path }) => path.endsWith("/rows") && path.includes("ORDERS_RAW"))
        assert.isAtLeast(letters, 0)
        assert.isAbove(asked, appended)
        assert.isAbove(rowsAt, asked)
      })
    )
  )
})

describe("an answer that is lost or refused", () => {
  const cases: ReadonlyArray<readonly [name: string, fault: Readonly<Record<string, unknown>>, reason: string]> = [
    ["lost after the rows were taken", { apply: true, drop: true }, "unavailable"],
    ["lost before", { drop: true }, "unavailable"],
    ["429", { status: 429, body: '{"code":"RATE","message":"slow down"}' }, "unavailable"],
    ["503 as a bare string", { status: 503, body: '"ERR_GENERAL_EXCEPTION_RETRY_REQUEST"' }, "unavailable"],
    ["404 in plain text", { status: 404, body: "No Route", contentType: "text/plain" }, "unavailable"]
  ]
  for (const [name, fault, reason] of cases)
    it.live(`${name}: the same request is sent again, and the rows are there once`, () =>
      Effect.scoped(
        Effect.gen(function* () {
          const { fault: ask, first, inspect, seen, sink } = yield* setUp()
          const given = batch(yield* claim(first, "a"), rows(0, 1, 2))
          yield* ask({ match: `POST .*/${sink.database}/.*/rows`, ...fault })
          assert.strictEqual((yield* Effect.flip(first.write(given))).reason, reason)
          yield* land(first, given)
          const { appends } = yield* seen
          assert.strictEqual(appends.length, 2)
          const [one, two] = appends
          for (const name of [
            "requestId",
            "continuationToken",
            "sha256",
            "startOffsetToken",
            "endOffsetToken"
          ] as const)
            assert.strictEqual(two?.[name], one?.[name], name)
          assert.deepStrictEqual([one?.retryCount, two?.retryCount], ["0", "1"])
          assert.deepStrictEqual((yield* offsets(inspect)).rows, [0, 1, 2])
        })
      )
    )

  it.live("401 and 403: one new login, within the same attempt", () =>
    Effect.scoped(
      Effect.gen(function* () {
        const { fault, first, inspect, sink } = yield* setUp()
        const claimed = yield* claim(first, "a")
        for (const [offset, status] of [401, 403].entries()) {
          yield* fault({
            match: `POST .*/${sink.database}/.*/rows`,
            status,
            body: '{"code":"390318","message":"expired"}'
          })
          yield* land(first, batch(claimed, rows(offset)))
        }
        assert.deepStrictEqual((yield* offsets(inspect)).rows, [0, 1])
      })
    )
  )

  for (const [name, fault] of [
    ["400 stale", { status: 400, body: '{"code":"STALE_CONTINUATION_TOKEN_SEQUENCER","message":"stale"}' }],
    ["409", { status: 409, body: '{"code":"ERR_CHANNEL_MUST_BE_REOPENED","message":"x"}' }],
    ["410", { status: 410, body: '{"code":"GONE","message":"x"}' }],
    ["404 of the channel", { status: 404, body: '{"code":"ERR_CHANNEL_DOES_NOT_EXIST_OR_IS_NOT_AUTHORIZED"}' }],
    ["200 with a status of its own", { merge: { status_code: 4, message: "stale" } }]
  ] as const)
    it.live(`${name}: fenced; a new claim finds out what is there`, () =>
      Effect.scoped(
        Effect.gen(function* () {
          const { fault: ask, first, inspect, sink } = yield* setUp()
          const claimed = yield* claim(first, "a")
          yield* land(first, batch(claimed, rows(0)))
          yield* ask({ match: `POST .*/${sink.database}/.*/rows`, ...fault })
          assert.strictEqual((yield* Effect.flip(first.write(batch(claimed, rows(1))))).reason, "fenced")
          assert.strictEqual((yield* Effect.flip(first.write(batch(claimed, rows(1))))).reason, "fenced")
          yield* land(first, batch(yield* claim(first, "a"), rows(0, 1)))
          assert.deepStrictEqual((yield* offsets(inspect)).rows, [0, 1])
        })
      )
    )

  it.live("a request that is wrong is not sent in another form: somebody has to look", () =>
    Effect.scoped(
      Effect.gen(function* () {
        const { fault, first, sink } = yield* setUp()
        const given = batch(yield* claim(first, "a"), rows(0))
        yield* fault({
          match: `POST .*/${sink.database}/.*/rows`,
          status: 400,
          body: '{"code":"BAD","message":"payload"}'
        })
        const error = yield* Effect.flip(first.write(given))
        assert.deepInclude({ reason: error.reason, isUnknown: error.isUnknown }, { reason: "denied", isUnknown: true })
        yield* land(first, given)
      })
    )
  )

  it.live("413: smaller requests from then on", () =>
    Effect.scoped(
      Effect.gen(function* () {
        const { fault, first, inspect, seen, sink } = yield* setUp()
        yield* fault({
          match: `POST .*/${sink.database}/.*/rows`,
          status: 413,
          body: "too large",
          contentType: "text/plain"
        })
        const event = JSON.stringify({ text: "x".repeat(600_000) })
        const many = [0, 1, 2, 3, 4].map((offset) => ({ offset, event }))
        yield* land(first, batch(yield* claim(first, "a"), many))
        assert.deepStrictEqual((yield* offsets(inspect)).rows, [0, 1, 2, 3, 4])
        const { appends } = yield* seen
        assert.deepStrictEqual(
          appends.map(({ status }) => status),
          [413, 200, 200]
        )
      })
    )
  )
})

describe("what was accepted and does not become durable", () => {
  it.live("is given up after PROGRESS_TIMEOUT, and is there once when it has been read again", () =>
    Effect.scoped(
      Effect.gen(function* () {
        const { first, inspect, options } = yield* setUp({ patience: Duration.seconds(1) })
        const claimed = yield* claim(first, "a")
        yield* options({ "streaming-commit-ms": -1 })
        const given = batch(claimed, rows(0, 1))
        const error = yield* Effect.flip(land(first, given))
        assert.strictEqual(error.reason, "fenced")
        assert.include(error.message, "not durable")
        yield* options({ "streaming-commit-ms": 50 })
        yield* land(first, batch(yield* claim(first, "a"), rows(0, 1)))
        assert.deepStrictEqual((yield* offsets(inspect)).rows, [0, 1])
      })
    )
  )

  it.live("is told when its channel is gone or out of order", () =>
    Effect.scoped(
      Effect.gen(function* () {
        const { channel, first, inspect, options, seen } = yield* setUp()
        for (const change of [{ expire: true }, { statusCode: "ERR_CHANNEL_MUST_BE_REOPENED" }]) {
          yield* options({ "streaming-commit-ms": -1 })
          const given = batch(yield* claim(first, "a"), rows(0))
          yield* first.write(given)
          for (const { channel_name, pipe_name } of (yield* seen).channels)
            if (pipe_name.startsWith("ORDERS")) yield* channel({ channel: channel_name, ...change })
          assert.strictEqual((yield* Effect.flip(first.durable?.(given.ranges) ?? Effect.void)).reason, "fenced")
          yield* options({ "streaming-commit-ms": 50 })
        }
        yield* land(first, batch(yield* claim(first, "a"), rows(0)))
        assert.deepStrictEqual((yield* offsets(inspect)).rows, [0])
      })
    )
  )

  it.live("was 200 without durability: an invalid pipe takes rows and discards them", () =>
    Effect.scoped(
      Effect.gen(function* () {
        const { first, inspect, options } = yield* setUp({ patience: Duration.seconds(1) })
        const claimed = yield* claim(first, "a")
        yield* options({ "streaming-discard": true })
        assert.strictEqual((yield* Effect.flip(land(first, batch(claimed, rows(0))))).reason, "fenced")
        yield* options({ "streaming-discard": false })
        yield* land(first, batch(yield* claim(first, "a"), rows(0)))
        assert.deepStrictEqual((yield* offsets(inspect)).rows, [0])
      })
    )
  )
})

describe("what no request can carry", () => {
  it.live("is named before anything of its batch has left", () =>
    Effect.scoped(
      Effect.gen(function* () {
        const { first, seen } = yield* setUp()
        const noise = Array.from({ length: 600_000 }, () => Math.random().toString(36).slice(2, 12)).join("")
        const error = yield* Effect.flip(
          first.write(
            batch(yield* claim(first, "a"), [
              { offset: 0 },
              { offset: 1, event: JSON.stringify(noise) },
              letter({ offset: 2 })
            ])
          )
        )
        assert.deepInclude({ reason: error.reason, records: error.records }, { reason: "too_large", records: [1] })
        assert.deepStrictEqual((yield* seen).appends, [])
      })
    )
  )
})

describe("channels", () => {
  it.live("are others for a topic that was created again, and are dropped by a reset", () =>
    Effect.scoped(
      Effect.gen(function* () {
        const { first, inspect } = yield* setUp()
        const place = { topic: "raw.orders.v1", partition: 0, offset: 0 }
        const open = (topicId: string) => first.claim([{ ...place, topicId }], "a")
        yield* land(first, batch(yield* open("old"), rows(0, 1)))
        assert.deepStrictEqual(
          (yield* open("old")).map(({ ahead }) => ahead),
          [2]
        )
        const renewed = yield* open("new")
        assert.deepStrictEqual(
          renewed.map(({ ahead }) => ahead),
          [0]
        )
        yield* land(first, batch(renewed, rows(0)))
        yield* first.reset([{ ...place, topicId: "new" }], "reset")
        yield* first.reset([{ ...place, topicId: "new" }], "reset")
        assert.deepStrictEqual(
          (yield* open("new")).map(({ ahead }) => ahead),
          [0]
        )
        assert.deepStrictEqual((yield* offsets(inspect)).rows, [0, 0, 1])
      })
    )
  )
})
