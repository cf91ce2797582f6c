/** The warehouse in a DuckDB file, embedded: the same promises as on Snowflake, in DuckDB's own transactions. */
import type { DuckDBValue } from "@duckdb/node-api"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Schedule from "effect/Schedule"
import * as Schema from "effect/Schema"
import * as Semaphore from "effect/Semaphore"
import { type Batch, deadLettersOf, rowsOf } from "../../domain/Batch.ts"
import type { BronzeRow } from "../../domain/Outcome.ts"
import { type Table, tablesOf } from "../../domain/Route.ts"
import { shown } from "../../domain/Secrets.ts"
import { Settings } from "../../settings/Settings.ts"
import { positionsBind, rangesBind, startsBind } from "../sql/Binds.ts"
import { toCoverage } from "../sql/CoverageRows.ts"
import * as CoverageSql from "../sql/CoverageSql.ts"
import * as DeadLetterSql from "../sql/DeadLetterSql.ts"
import { checkReplay, claimedBy, decodeRows, fenced, Integer, toLedger } from "../sql/LedgerRows.ts"
import * as RowSql from "../sql/RowSql.ts"
import { runAll } from "../sql/RunAll.ts"
import { consumerOffsets, deadLetters, initReport, missingFrom, shapesOf, upgrades } from "../sql/Tables.ts"
import { type Problem, Warehouse } from "../Warehouse.ts"
import { WarehouseError } from "../WarehouseError.ts"
import { withoutLedger } from "../WithoutLedger.ts"
import { appendDeadLetters, appendRows } from "./Append.ts"
import * as DuckDbClient from "./Client.ts"
import { isConflict } from "./Errors.ts"
import * as Query from "./Query.ts"
import * as Sql from "./Sql.ts"
import * as Tables from "./Tables.ts"

/** Opens the file when first used, so that building it cannot fail. */
export const layer: Layer.Layer<Warehouse, never, Settings> = Layer.unwrap(
  Effect.flatMap(Settings, ({ sink }) =>
    sink._tag === "DuckDb" ? Effect.succeed(make(sink.path)) : Effect.die("SINK is not duckdb")
  )
)

const make = (path: string): Layer.Layer<Warehouse, never, Settings> =>
  Layer.effect(
    Warehouse,
    Effect.gen(function* () {
      const { delivery, kafka, routes, write: limits } = yield* Settings
      const client = yield* DuckDbClient.make(path, limits.concurrency)
      const asking = yield* Semaphore.make(1)
      const ddl = Sql.ddl(path, routes)
      const tables = [...tablesOf(routes).map(({ name }) => name), deadLetters.name]

      const exactlyOnce = delivery === "exactly-once"

      // Nobody else can alter a table while we hold the file, so its columns are read once.
      let known: Tables.Found | undefined
      const columnsOf = Effect.fnUntraced(function* (connection: DuckDbClient.Connection, table: string) {
        if (known?.has(table) !== true) known = (yield* Tables.read(connection)).found
        return known.get(table) ?? []
      })

      const write = Effect.fnUntraced(function* (batch: Batch) {
        const rows = rowsOf(batch)
        const letters = deadLettersOf(batch)
        if (rows.length === 0 && letters.length === 0 && !exactlyOnce) return
        const now = yield* Clock.currentTimeMillis
        yield* client.transaction(
          Effect.fnUntraced(function* (connection) {
            if (rows.length > 0)
              yield* appendRows(connection, yield* columnsOf(connection, batch.table.name), batch.table, rows, now)
            if (letters.length > 0)
              yield* appendDeadLetters(
                connection,
                yield* columnsOf(connection, deadLetters.name),
                batch.table,
                letters,
                now
              )
            if (!exactlyOnce) return
            const binds = [kafka.group, BigInt(now), rangesBind(batch.ranges)]
            const moved = yield* connection.execute(Sql.advance, binds)
            if (moved !== batch.ranges.length) return yield* fenced(moved, batch.ranges.length)
          })
        )
      })

      /** The table is marked first: of two that do so at the same time, DuckDB lets one pass. */
      const replay = Effect.fnUntraced(function* (table: Table, rows: ReadonlyArray<BronzeRow>) {
        const now = yield* Clock.currentTimeMillis
        yield* client.transaction(
          Effect.fnUntraced(function* (connection) {
            const marked = yield* connection.execute(Sql.markReplayed, [BigInt(now), positionsBind(rows)])
            yield* checkReplay(marked, rows.length)
            yield* appendRows(connection, yield* columnsOf(connection, table.name), table, rows, now)
          })
        )
      })

      const makeTables = client.use(
        Effect.fnUntraced(function* (connection) {
          const report = initReport(shapesOf(routes), (yield* Tables.read(connection)).names)
          const create = Sql.create(connection.schema, routes)
          known = undefined
          yield* runAll(create, connection.execute)
          const late = upgrades(Sql.dialect, shapesOf(routes), (yield* Tables.read(connection)).names)
          yield* runAll(late, connection.execute)
          return report
        })
      )
      const init = Effect.andThen(client.create, makeTables)

      const coverage = CoverageSql.coverage(Sql.dialect, routes, exactlyOnce ? kafka.group : undefined)

      const needed = shapesOf(routes).filter((shape) => exactlyOnce || shape !== consumerOffsets)
      const preflight = client
        .use(
          Effect.fnUntraced(function* (connection) {
            const { found, names } = yield* Tables.read(connection)
            const views = yield* Tables.views(connection, needed)
            const tables = needed.filter((shape) => !views.includes(shape))
            const missing = missingFrom(Sql.dialect, tables, names, "bronze-consumer init")
            const whole = tables.filter(({ fields, name }) => fields.every((field) => names.get(name)?.has(field.name)))
            const closed = yield* Effect.forEach(whole, (shape) =>
              Tables.problems(connection, shape, found.get(shape.name) ?? [])
            )
            return [...views.map(Tables.isView), ...missing, ...closed.flat()]
          })
        )
        .pipe(
          Effect.catchIf(
            (error) => error.reason === "denied",
            (error) => Effect.succeed<ReadonlyArray<Problem>>([{ what: error.message, remedy: remedyOf(error) }])
          )
        )

      const ledger: Pick<Warehouse["Service"], "claim" | "reset" | "ledger"> = {
        claim: Effect.fnUntraced(function* (starts, owner) {
          const binds = [kafka.group, BigInt(yield* Clock.currentTimeMillis), startsBind(starts)]
          const rows = yield* afterConflict(
            client.transaction((connection) =>
              Effect.andThen(claimRows(connection, [...binds, owner]), connection.query(Sql.readLedger, [kafka.group]))
            )
          )
          return yield* claimedBy(owner, starts, yield* toLedger(rows))
        }),
        reset: Effect.fnUntraced(function* (positions, owner) {
          const binds = [kafka.group, BigInt(yield* Clock.currentTimeMillis), startsBind(positions)]
          yield* afterConflict(
            client.transaction((connection) =>
              Effect.andThen(claimRows(connection, [...binds, owner]), connection.execute(Sql.reset, binds))
            )
          )
        }),
        ledger: Effect.flatMap(
          client.use((connection) => connection.query(Sql.readLedger, [kafka.group])),
          toLedger
        )
      }

      return Warehouse.of({
        name: "DuckDB",
        writers: limits.concurrency,
        target: `DuckDB file ${shown(path)}`,
        ddl: [...ddl.create, ...ddl.upgrade],
        createHybridLedger: Effect.fail(
          new WarehouseError({ reason: "denied", message: "only Snowflake has hybrid tables" })
        ),
        init,
        preflight,
        ...(exactlyOnce ? ledger : withoutLedger),
        write,
        coverage: Effect.flatMap(
          client.use((connection) => connection.query(coverage.sql, coverage.binds)),
          toCoverage(routes, exactlyOnce)
        ),
        deadLetters: (filter) => {
          const { binds, sql } = DeadLetterSql.select(Sql.dialect, filter)
          return Effect.flatMap(
            client.use((connection) => connection.query(sql, binds)),
            DeadLetterSql.toDeadLetters
          )
        },
        pendingDeadLetters: Effect.flatMap(
          client.use((connection) => connection.query(DeadLetterSql.pending(Sql.dialect))),
          DeadLetterSql.toPending
        ),
        replay,
        row: (table, at) =>
          Effect.map(
            client.use((connection) => connection.query(RowSql.select(Sql.dialect, table), RowSql.binds(at))),
            RowSql.toRow
          ),
        query: (sql, limit) => asking.withPermits(1)(client.use((connection) => Query.run(connection, sql, limit))),
        summary: client
          .use((connection) => connection.query(Sql.summary(tables)))
          .pipe(
            Effect.flatMap(decodeSummary),
            Effect.map((rows) =>
              rows.map((row) => ({ table: row.TABLE_NAME, rows: row.TOTAL, lastWriteAt: row.LAST_WRITE }))
            )
          )
      })
    })
  )

const remedyOf = ({ message }: WarehouseError): string => {
  if (/does not exist/.test(message)) return "bronze-consumer init"
  return `set DUCKDB_PATH to another file, or ${/is held by/.test(message) ? "let go of" : "fix"} this one`
}

const claimRows = (connection: DuckDbClient.Connection, binds: ReadonlyArray<DuckDBValue>) =>
  Effect.andThen(connection.execute(Sql.addMissing, binds), connection.execute(Sql.claim, binds))

/** DuckDB does not wait for a write that is open but refuses the claim beside it; a write takes milliseconds. */
const afterConflict = <A>(claim: Effect.Effect<A, WarehouseError>): Effect.Effect<A, WarehouseError> =>
  Effect.retry(claim, { while: isConflict, times: 100, schedule: Schedule.jittered(Schedule.spaced("20 millis")) })

const decodeSummary = decodeRows(
  Schema.Struct({ TABLE_NAME: Schema.String, TOTAL: Integer, LAST_WRITE: Schema.NullOr(Integer) })
)
