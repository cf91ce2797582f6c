/** The warehouse on Snowflake: plain SQL over the driver, each write one transaction on a session of its own. */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import type { Batch } from "../../domain/Batch.ts"
import { partitionKey, type TopicPartition } from "../../domain/KafkaRecord.ts"
import type { BronzeRow } from "../../domain/Outcome.ts"
import { type Table, tablesOf } from "../../domain/Route.ts"
import type { SnowflakeSettings } from "../../settings/Model.ts"
import { keepsLedger, Settings } from "../../settings/Settings.ts"
import { positionsBind } from "../sql/Binds.ts"
import { toCoverage } from "../sql/CoverageRows.ts"
import * as CoverageSql from "../sql/CoverageSql.ts"
import * as DeadLetterSql from "../sql/DeadLetterSql.ts"
import { checkReplay, decodeRows, Integer } from "../sql/LedgerRows.ts"
import * as RowSql from "../sql/RowSql.ts"
import { deadLetters } from "../sql/Tables.ts"
import { Warehouse } from "../Warehouse.ts"
import type { WarehouseError } from "../WarehouseError.ts"
import { withoutLedger } from "../WithoutLedger.ts"
import * as SnowflakeClient from "./Client.ts"
import * as Columns from "./Columns.ts"
import type { Session } from "./Driver.ts"
import * as SnowflakeInserts from "./Inserts.ts"
import * as SnowflakeLedger from "./Ledger.ts"
import { preflight } from "./Preflight.ts"
import * as Query from "./Query.ts"
import * as SnowflakeSchema from "./Schema.ts"
import * as Sql from "./Sql.ts"

/** Connects when first used, so that building it cannot fail. */
export const layer: Layer.Layer<Warehouse, never, Settings> = Layer.effect(
  Warehouse,
  Effect.flatMap(Settings, ({ sink }) => (sink._tag === "Snowflake" ? make(sink) : Effect.die("SINK is not snowflake")))
)

export const make = Effect.fnUntraced(function* (sink: SnowflakeSettings) {
  const settings = yield* Settings
  const { delivery, kafka, routes, write: limits } = settings
  const hasLedger = keepsLedger(settings)
  const client = yield* SnowflakeClient.make(sink, limits.concurrency)
  const names = Sql.dialect(sink.database, sink.schema)
  const ddl = Sql.ddl(sink.database, sink.schema, routes)
  const tables = [...tablesOf(routes).map(({ name }) => name), deadLetters.name]
  const ledger = SnowflakeLedger.make(names, kafka.group)
  const blaming = Columns.blaming(client, sink, routes)
  const inserts = SnowflakeInserts.make(names, client)

  const writeExactlyOnce = (batch: Batch) =>
    client.transaction(
      (session) => inserts.insertAll(session, batch),
      (session, transaction) => ledger.advance(session, batch.ranges, transaction)
    )

  const writeAtLeastOnce = (batch: Batch) => {
    const isSingle = inserts.isSingle(batch)
    if (isSingle === undefined) return Effect.void
    const all = (session: Session) => inserts.insertAll(session, batch)
    // A single statement is atomic by itself and saves two round trips.
    return isSingle ? client.use(all) : client.transaction(all)
  }

  /**
   * A transaction that takes the lock of partitions. The first one of this version finds no lock row, makes it, and
   * asks again.
   */
  const underLock = <A>(
    { prepare }: SnowflakeLedger.SnowflakeLedger,
    partitions: ReadonlyArray<TopicPartition>,
    f: (session: Session) => Effect.Effect<A, WarehouseError>
  ): Effect.Effect<A, WarehouseError> =>
    Effect.catchIf(
      client.transaction(f),
      ({ reason }) => reason === "fenced",
      () =>
        Effect.andThen(
          client.use((session) => prepare(session, partitions)),
          client.transaction(f)
        )
    )

  // No group is called so, and all replays have it in common.
  const replays = SnowflakeLedger.make(names, "#replay")

  /**
   * Of two replays of one dead letter the second has to see what the first has marked: so the lock comes before, as
   * in a write.
   */
  const replay = (table: Table, rows: ReadonlyArray<BronzeRow>) => {
    const put = (session: Session) =>
      session.execute(Sql.markReplayed(names), [positionsBind(rows)]).pipe(
        Effect.flatMap((marked) => checkReplay(marked, rows.length)),
        Effect.andThen(inserts.insertAll(session, { table, outcomes: rows }))
      )
    // Without a ledger there is nothing to lock, and rows may come twice in any case.
    if (delivery === "at-least-once") return client.transaction(put)
    const partitions = [...new Map(rows.map((row) => [partitionKey(row), row])).values()]
    return underLock(replays, partitions, (session) => Effect.andThen(replays.lock(session, partitions), put(session)))
  }

  const schemaOf = SnowflakeSchema.make(client, sink, routes)

  const coverage = CoverageSql.coverage(names, routes, hasLedger ? kafka.group : undefined)

  return Warehouse.of({
    name: "Snowflake",
    writers: limits.concurrency,
    target: `Snowflake account ${sink.account}${sink.host === undefined ? "" : ` at ${sink.host}`}, ${sink.database}.${sink.schema}, as user ${sink.user} with ${sink.role === undefined ? "the default role" : `role ${sink.role}`}, ${sink.warehouse === undefined ? "the default warehouse" : `warehouse ${sink.warehouse}`}`,
    credits: client.credits,
    ddl: [...ddl.create, ...ddl.upgrade],
    init: schemaOf.init,
    createHybridLedger: schemaOf.createHybridLedger,
    preflight: preflight(client, sink, routes, delivery),
    ...(delivery === "at-least-once"
      ? withoutLedger
      : {
          claim: (starts, owner) => underLock(ledger, starts, (session) => ledger.claim(session, starts, owner)),
          reset: (positions, owner) =>
            underLock(ledger, positions, (session) => ledger.reset(session, positions, owner)),
          ledger: client.use(ledger.read)
        }),
    write: (batch) =>
      inserts.guarded(
        batch,
        blaming(
          batch.table.name,
          Effect.suspend(() => (delivery === "exactly-once" ? writeExactlyOnce(batch) : writeAtLeastOnce(batch)))
        )
      ),
    coverage: Effect.flatMap(
      client.use((session) => session.query(coverage.sql, coverage.binds)),
      toCoverage(routes, hasLedger)
    ),
    deadLetters: (filter) => {
      const { binds, sql } = DeadLetterSql.select(names, filter)
      return Effect.flatMap(
        client.use((session) => session.query(sql, binds)),
        DeadLetterSql.toDeadLetters
      )
    },
    pendingDeadLetters: Effect.flatMap(
      client.use((session) => session.query(DeadLetterSql.pending(names))),
      DeadLetterSql.toPending
    ),
    replay,
    row: (table, at) =>
      Effect.map(
        client.use((session) => session.query(RowSql.select(names, table), RowSql.binds(at))),
        RowSql.toRow
      ),
    query: (sql, limit) => Query.run(client, sql, limit),
    summary: client
      .use((session) => Effect.flatMap(session.query(Sql.summary(names, tables)), decodeSummary))
      .pipe(
        Effect.map((rows) =>
          rows.map((row) => ({ table: row.TABLE_NAME, rows: row.TOTAL, lastWriteAt: row.LAST_WRITE }))
        )
      )
  })
})

const decodeSummary = decodeRows(
  Schema.Struct({ TABLE_NAME: Schema.String, TOTAL: Integer, LAST_WRITE: Schema.NullOr(Integer) })
)
