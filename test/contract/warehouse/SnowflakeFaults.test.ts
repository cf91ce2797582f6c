/**
 * What Snowflake refuses now and then, and what it costs: locks, statements that are too large, sessions that cannot be
 * set up, bad records.
 */
import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import { type Emulator, startEmulator } from "../../../scripts/emulator/emulator.ts"
import { DeadLetterTopic } from "../../../src/kafka/DeadLetterTopic.ts"
import * as Progress from "../../../src/observe/Progress.ts"
import * as Claims from "../../../src/pipeline/Claims.ts"
import * as Landing from "../../../src/pipeline/Landing.ts"
import * as Spans from "../../../src/pipeline/Spans.ts"
import { Settings } from "../../../src/settings/Settings.ts"
import { connect } from "../../../src/warehouse/snowflake/Driver.ts"
import * as SnowflakeInserts from "../../../src/warehouse/snowflake/Inserts.ts"
import * as Snowflake from "../../../src/warehouse/snowflake/Snowflake.ts"
import { dialect } from "../../../src/warehouse/snowflake/Sql.ts"
import { Warehouse } from "../../../src/warehouse/Warehouse.ts"
import { WarehouseError } from "../../../src/warehouse/WarehouseError.ts"
import * as FaultProxy from "../../chaos/FaultProxy.ts"
import { heldAssignment, partition } from "../../support/Flow.ts"
import { row } from "../../support/Outcomes.ts"
import * as RefusingProxy from "../../support/RefusingProxy.ts"
import { batchOf, claimAll, tableOf } from "../../support/warehouse/batches.ts"
import { settings } from "../../support/warehouse/Subject.ts"

let emulator: Emulator
let proxy: FaultProxy.FaultProxy
beforeAll(async () => {
  emulator = await startEmulator()
  proxy = await FaultProxy.start({ targetPort: emulator.port })
})
afterAll(async () => {
  await proxy.close()
  await emulator.stop()
})

let databases = 0
const sinkOf = (host: string, database: number) => ({
  _tag: "Snowflake" as const,
  writer: "sql" as const,
  account: "account",
  user: "user",
  database: `FAULTS${database}`,
  schema: "BRONZE",
  warehouse: "WH",
  role: "BRONZE_WRITER",
  host,
  credentials: { _tag: "Password" as const, password: Redacted.make("secret") }
})
const configured = (host: string) => settings(sinkOf(host, ++databases))

const onProxy = <A, E>(use: Effect.Effect<A, E, Warehouse | Settings>) =>
  Effect.suspend(() => {
    const given = Layer.succeed(Settings, configured(`http://127.0.0.1:${proxy.port}`))
    return Effect.provide(
      Effect.andThen(
        Effect.flatMap(Warehouse, ({ init }) => init),
        use
      ),
      Layer.provideMerge(Snowflake.layer, given)
    )
  })

const seen = (...steps: ReadonlyArray<FaultProxy.Step>) =>
  steps.reduce((sum, step) => sum + (proxy.seen.get(step) ?? 0), 0)

describe("Snowflake", () => {
  it.live("a lock that does not come in time is asked for again, in the transaction that has the rows", () =>
    onProxy(
      Effect.gen(function* () {
        const { ledger, write } = yield* Warehouse
        const claimed = yield* claimAll()
        const [begins, inserts, logins] = [seen("begin"), seen("insert"), seen("login")]
        proxy.arm("lock_timeout", "lock")
        proxy.arm("lock_limit", "lock")
        yield* write(batchOf("ORDERS_RAW", claimed, [{ offset: 0 }]))
        assert.strictEqual(proxy.armed(), 0)
        assert.deepStrictEqual([seen("begin"), seen("insert"), seen("login")], [begins + 1, inserts + 1, logins])
        assert.strictEqual((yield* ledger)[0]?.next, 1)
      })
    )
  )

  it.live("what was answered with 413 is not retried: statements stay smaller", () =>
    onProxy(
      Effect.gen(function* () {
        const { write } = yield* Warehouse
        const claimed = yield* claimAll()
        const event = JSON.stringify("x".repeat(1000))
        const rows = (from: number) => Array.from({ length: 2000 }, (_, index) => ({ offset: from + index, event }))
        proxy.arm("413", "insert")
        yield* write(batchOf("ORDERS_RAW", claimed, rows(0)))
        const before = seen("insert")
        const next = claimed.map((entry) => ({ ...entry, next: entry.partition === 0 ? 2000 : 0 }))
        yield* write(batchOf("ORDERS_RAW", next, rows(2000)))
        assert.isAtLeast(seen("insert") - before, 4, "2 MB in statements of half of what was refused")
      })
    )
  )

  it.live("a session that cannot be set up is a fault that names the parameters, and is not used", () =>
    Effect.gen(function* () {
      const refusing = yield* Effect.acquireRelease(
        Effect.promise(() => RefusingProxy.start(emulator.url)),
        ({ close }) => Effect.promise(close)
      )
      refusing.refuse({
        what: /^ALTER SESSION SET TIMEZONE/,
        code: "001006",
        sqlState: "42601",
        message: "SQL compilation error:\ninvalid property 'AUTOCOMMIT'"
      })
      const context = yield* Layer.build(
        Snowflake.layer.pipe(Layer.provide(Layer.succeed(Settings, configured(refusing.url))))
      )
      const { ledger, preflight } = Context.get(context, Warehouse)
      const [problem] = yield* preflight
      assert.match(problem?.what ?? "", /AUTOCOMMIT = TRUE/)
      assert.strictEqual((yield* Effect.flip(ledger)).reason, "denied")
    }).pipe(Effect.scoped)
  )

  const throughRefusals = Effect.gen(function* () {
    const refusing = yield* Effect.acquireRelease(
      Effect.promise(() => RefusingProxy.start(emulator.url)),
      ({ close }) => Effect.promise(close)
    )
    const context = yield* Layer.build(
      Snowflake.layer.pipe(Layer.provide(Layer.succeed(Settings, configured(refusing.url))))
    )
    return { refusing, warehouse: Context.get(context, Warehouse) }
  })

  it.live("init needs no right to create or alter where nothing is missing", () =>
    Effect.gen(function* () {
      const { refusing, warehouse } = yield* throughRefusals
      yield* warehouse.init
      const noRight = {
        code: "003001",
        sqlState: "42501",
        message: "SQL access control error:\nInsufficient privileges"
      }
      refusing.refuse({ what: /^(CREATE|ALTER TABLE)/, ...noRight })
      yield* warehouse.init
      assert.deepStrictEqual(yield* warehouse.preflight, [])
    }).pipe(Effect.scoped)
  )

  it.live("a look at what is there does not wait for a lock, and does not take one for a fault", () =>
    Effect.gen(function* () {
      const { refusing, warehouse } = yield* throughRefusals
      yield* warehouse.init
      const holder = yield* Effect.acquireRelease(connect(sinkOf(refusing.url, databases)), ({ close }) => close)
      yield* holder.execute("BEGIN TRANSACTION")
      yield* holder.execute(`UPDATE FAULTS${databases}.BRONZE.CONSUMER_OFFSETS SET EPOCH = 1`)
      const [took, problems] = yield* Effect.timed(warehouse.preflight)
      assert.deepStrictEqual(problems, [])
      assert.isBelow(Duration.toSeconds(took), 10)
      yield* holder.execute("ROLLBACK")
      // The session it looked with waits again, as a write has to.
      yield* claimAll().pipe(Effect.provideService(Warehouse, warehouse))
    }).pipe(Effect.scoped)
  )

  it.live("a ledger of rows that are locked one by one is made ahead of the tables, once", () =>
    Effect.gen(function* () {
      const { warehouse } = yield* throughRefusals
      yield* warehouse.createHybridLedger
      yield* warehouse.init
      assert.deepStrictEqual(yield* warehouse.preflight, [])
      const claimed = yield* claimAll().pipe(Effect.provideService(Warehouse, warehouse))
      yield* warehouse.write(batchOf("ORDERS_RAW", claimed, [{ offset: 0 }]))
      assert.match((yield* Effect.flip(warehouse.createHybridLedger)).message, /already exists/)
    }).pipe(Effect.scoped)
  )

  for (const [share, bad] of [
    ["1 bad record", 1],
    ["1 % of them bad", 100]
  ] as const)
    it.live(`of 10,000 records with ${share} the others land, with at most 6 statements more`, () =>
      onProxy(
        Effect.gen(function* () {
          const topic = "raw.orders.v1"
          const assignment = heldAssignment([partition(0, { topic, committed: 0, high: 100_000 })])
          const { coverage } = yield* Warehouse
          const table = tableOf("ORDERS_RAW")
          const columns = table.columns.map(() => null)
          const every = 10_000 / bad
          const records = (from: number, isBad: (index: number) => boolean) =>
            Array.from({ length: 10_000 }, (_, index) =>
              row({ topic, offset: from + index, columns, event: isBad(index) ? '{"a":}' : `{"n":${index}}` })
            )
          const ledger = yield* Claims.open(assignment)
          const accept = yield* Landing.make(assignment, ledger, Spans.make("group"))
          const land = (group: Parameters<typeof accept>[0]) => Effect.flatten(accept(group))
          const all = FaultProxy.steps
          const before = seen(...all, "other")
          yield* land({ table, outcomes: records(0, () => false), trigger: "size" })
          const plain = seen(...all, "other")
          yield* land({ table, outcomes: records(10_000, (index) => index % every === every - 1), trigger: "size" })
          const more = seen(...all, "other") - plain - (plain - before)
          // BEGIN, its id, the INSERT that is refused, ROLLBACK, the query for the records at fault; and the dead letters.
          assert.isAtMost(more, 6)
          const [zero] = yield* coverage
          assert.deepInclude(zero, { rows: 20_000 - bad, waiting: bad, missing: 0, duplicates: 0 })
        }).pipe(Effect.scoped, Effect.provide([DeadLetterTopic.none, Progress.layer]))
      )
    )
})

describe("an internal error that comes again and again for one batch", () => {
  const incident = new WarehouseError({ reason: "unavailable", message: "incident 123 (000603)", code: "000603" })
  const judge = (fails: (bind: string) => boolean) =>
    Effect.gen(function* () {
      const session = {
        isUp: () => true,
        execute: (_: string, [bind]: ReadonlyArray<unknown> = []) =>
          fails(String(bind)) ? Effect.fail(incident) : Effect.succeed(1),
        query: () => Effect.succeed([]),
        read: () => Effect.succeed({ columns: [], rows: [] }),
        close: Effect.void
      }
      const inserts = SnowflakeInserts.make(dialect("DB", "BRONZE"), {
        use: (f) => f(session),
        transaction: (f) => f(session)
      })
      const batch = batchOf("ORDERS_RAW", [], [{ offset: 0, event: '"poison"' }, { offset: 1 }])
      const attempt = inserts.guarded(batch, inserts.insertAll(session, batch))
      const tries = yield* Effect.forEach([1, 2, 3, 4], () => Effect.flip(attempt))
      return tries.map(({ reason }) => reason)
    })

  it.effect("is the batch's own where the table takes other statements: halves will tell", () =>
    Effect.gen(function* () {
      const reasons = yield* judge((bind) => bind.includes("poison"))
      assert.deepStrictEqual(reasons, ["unavailable", "unavailable", "refused", "refused"])
    })
  )

  it.effect("is an incident where the table takes nothing", () =>
    Effect.gen(function* () {
      assert.deepStrictEqual(new Set(yield* judge(() => true)), new Set(["unavailable"]))
    })
  )
})
