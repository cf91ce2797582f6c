/**
 * `doctor --deep`: tests on this account, in a scratch schema, what exactly-once relies on and what Snowflake does
 * not document. Takes a minute, of the warehouse where the writer is SQL.
 */
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Schema from "effect/Schema"
import type { OffsetRange } from "../../domain/Batch.ts"
import type { SinkSettings } from "../../settings/Model.ts"
import { connect, type Session } from "../../warehouse/snowflake/Driver.ts"
import * as SnowflakeLedger from "../../warehouse/snowflake/Ledger.ts"
import * as Sql from "../../warehouse/snowflake/Sql.ts"
import * as Transaction from "../../warehouse/snowflake/Transaction.ts"
import { decodeRows, Integer } from "../../warehouse/sql/LedgerRows.ts"
import { consumerOffsets, createTable } from "../../warehouse/sql/Tables.ts"
import type { WarehouseError } from "../../warehouse/WarehouseError.ts"
import * as DeepJson from "./DeepJson.ts"
import * as DeepSession from "./DeepSession.ts"
import * as DeepStreaming from "./DeepStreaming.ts"
import { bad, type Finding, good, warning } from "./Finding.ts"

const schema = "BRONZE_DOCTOR"
const group = "doctor"
const topic = "doctor"

/** Long enough for a statement to arrive and to wait, also far from the account. */
const whileItWaits = "1500 millis"

type SnowflakeSink = Extract<SinkSettings, { readonly _tag: "Snowflake" }>

const decodeCount = decodeRows(Schema.Struct({ N: Integer }))

/** All checks of the writer in use, one after the other, each on partitions or a channel of its own. */
export const examine = (sink: SnowflakeSink): Effect.Effect<ReadonlyArray<Finding>> =>
  Effect.scoped(
    Effect.gen(function* () {
      const open = Effect.acquireRelease(connect(sink), (session) => session.close)
      const a = yield* open
      const names = Sql.dialect(sink.database, schema)
      const scratch = `"${sink.database.toUpperCase()}"."${schema}"`
      yield* Effect.acquireRelease(a.execute(`CREATE SCHEMA IF NOT EXISTS ${scratch}`), () =>
        Effect.ignore(a.execute(`DROP SCHEMA IF EXISTS ${scratch} CASCADE`))
      )
      // It needs no ledger, and neither virtual warehouse nor statements.
      if (sink.writer === "streaming") return yield* DeepStreaming.examine(sink, a, names, schema)
      const b = yield* open
      yield* a.execute(createTable(names, consumerOffsets))
      yield* a.execute(`CREATE TABLE IF NOT EXISTS ${names.qualified("EVENTS")} (ID NUMBER, V VARIANT)`)
      const ledger = SnowflakeLedger.make(names, group)
      const bare = bareStatements(names)
      const advance = (session: Session, ranges: ReadonlyArray<OffsetRange>) =>
        Effect.flatMap(Transaction.current(session), (id) => ledger.advance(session, ranges, id))
      const rowsOf = (partition: number) =>
        a
          .query(
            `SELECT COUNT(*) AS N FROM ${names.qualified(consumerOffsets.name)} WHERE CONSUMER_GROUP = ? AND "PARTITION" = ?`,
            [group, String(partition)]
          )
          .pipe(
            Effect.flatMap(decodeCount),
            Effect.map(([row]) => row?.N)
          )

      const fence = Effect.gen(function* () {
        const claimed = (session: Session, partition: number, owner: string) =>
          inTransaction(session, ledger.claim(session, [{ topic, partition, offset: 0 }], owner))
        for (const session of [a, b]) yield* ledger.prepare(session, [{ topic, partition: 0 }])
        yield* claimed(a, 0, "a")
        yield* a.execute("BEGIN TRANSACTION")
        yield* advance(a, [range(0, 0, 100)])
        const claiming = yield* Effect.forkChild(claimed(b, 0, "b"))
        yield* Effect.sleep(whileItWaits)
        yield* a.execute("COMMIT")
        const [mine] = yield* Fiber.join(claiming)
        const late = yield* Effect.match(inTransaction(a, advance(a, [range(0, 100, 200)])), {
          onFailure: ({ reason }) => reason,
          onSuccess: () => "passed"
        })
        const first = yield* Effect.forEach([a, b], (session) => claimed(session, 0, "again"), { concurrency: 2 })
        const epochs = new Set(first.map(([entry]) => entry?.epoch))
        const holds =
          mine?.next === 100 && mine.epoch === 2 && late === "fenced" && epochs.size === 2 && (yield* rowsOf(0)) === 1
        return holds
          ? good(
              "fence",
              "a claim beside an open write waits for it, and fences it from then on: exactly-once holds here"
            )
          : bad(
              "fence",
              `a claim beside an open write found offset ${mine?.next} under epoch ${mine?.epoch}, the write after it was ${late}, ${yield* rowsOf(0)} rows`,
              "DELIVERY=at-least-once, and an issue with all of this"
            )
      })

      const t1 = Effect.gen(function* () {
        yield* bare.claim(a, 1)
        yield* a.execute("BEGIN TRANSACTION")
        yield* bare.advance(a, range(1, 0, 100))
        const moved = yield* besideOpen(a, b, bare.advance(b, range(1, 0, 200)))
        return undecided("T1", "an UPDATE that waited for the same one", moved === 0, `it changed ${moved} rows`)
      })
      const t2 = Effect.gen(function* () {
        yield* bare.claim(a, 2)
        yield* a.execute("BEGIN TRANSACTION")
        yield* bare.claim(a, 2)
        const moved = yield* besideOpen(a, b, bare.advance(b, range(2, 0, 200)))
        return undecided("T2", "an UPDATE that waited for a claim", moved === 0, `it changed ${moved} rows`)
      })
      const t3 = Effect.gen(function* () {
        yield* a.execute("BEGIN TRANSACTION")
        yield* bare.claim(a, 3)
        yield* besideOpen(a, b, bare.claim(b, 3))
        yield* Effect.forEach([a, b], (session) => bare.claim(session, 4), { concurrency: 2 })
        const [waited, together] = [yield* rowsOf(3), yield* rowsOf(4)]
        const what = `${waited} rows after a wait, ${together} of two at once`
        return undecided("T3", "two MERGEs that miss the same key", waited === 1 && together === 1, what)
      })

      const checks = [
        ["fence", fence],
        ["T1", t1],
        ["T2", t2],
        ["T3", t3],
        ["T5", DeepSession.lockTimeout(a, b, names)],
        ["T8", DeepSession.stale(a, b, names)],
        ["T13", DeepSession.parameters(a)],
        ["T16", DeepSession.latencies(a, names)]
      ] as const
      const findings = yield* Effect.forEach(checks, ([name, check]) => orSaid(name, [a, b], check))
      return [...findings, ...(yield* DeepJson.examine(a, names))]
    })
  ).pipe(
    Effect.catch(({ message }) =>
      Effect.succeed([
        bad(
          "deep",
          message,
          `GRANT CREATE SCHEMA ON DATABASE ${sink.database} TO ROLE ${sink.role ?? "…"}; for the scratch schema ${schema}, which is dropped again`
        )
      ])
    )
  )

const range = (partition: number, from: number, next: number) => ({
  topic,
  partition,
  epoch: 1,
  from,
  next,
  skipped: 0
})

/** The service's statements without the lock before them. */
const bareStatements = (names: ReturnType<typeof Sql.dialect>) => ({
  claim: (session: Session, partition: number) =>
    session.execute(Sql.claim(names), [`[{"n":"${topic}","p":${partition},"o":0}]`, group, "x", group, "x"]),
  advance: (session: Session, { epoch, from, next, partition }: ReturnType<typeof range>) =>
    Effect.flatMap(Transaction.current(session), (id) =>
      session.execute(Sql.advance(names), [
        `[{"n":"${topic}","p":${partition},"e":${epoch},"f":${from},"x":${next},"s":0}]`,
        group,
        id
      ])
    )
})

const inTransaction = <A>(session: Session, f: Effect.Effect<A, WarehouseError>) =>
  session.execute("BEGIN TRANSACTION").pipe(
    Effect.andThen(f),
    Effect.tap(session.execute("COMMIT")),
    Effect.tapError(() => Effect.ignore(session.execute("ROLLBACK")))
  )

/** Sends `second` while the transaction of `a` is open, and commits that once it waits. */
const besideOpen = Effect.fnUntraced(function* <A>(a: Session, b: Session, second: Effect.Effect<A, WarehouseError>) {
  const waiting = yield* Effect.forkChild(inTransaction(b, second))
  yield* Effect.sleep(whileItWaits)
  yield* a.execute("COMMIT")
  return yield* Fiber.join(waiting)
})

/** What the documents leave open and the service does not rely on: either way exactly-once holds, and worth knowing. */
const undecided = (check: string, what: string, favourable: boolean, found: string): Finding =>
  favourable
    ? good(check, `${what} sees what was committed meanwhile`)
    : warning(check, `${what} does not see what was committed meanwhile (${found}); the service does not rely on it`)

/** A check that cannot be done is a finding too, and leaves nothing behind that the next one would meet. */
const orSaid = (name: string, sessions: ReadonlyArray<Session>, check: Effect.Effect<Finding, WarehouseError>) =>
  check.pipe(
    Effect.catch(({ message }) => Effect.succeed(warning(name, `could not be asked: ${message}`))),
    Effect.tap(Effect.forEach(sessions, (session) => Effect.ignore(session.execute("ROLLBACK")), { discard: true }))
  )
