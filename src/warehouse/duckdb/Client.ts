/**
 * The database file, opened when first used, and a pool of connections to it; a caller has one to itself, without an
 * open transaction.
 */

import type { DuckDBConnection, DuckDBInstance, DuckDBValue } from "@duckdb/node-api"
import * as Effect from "effect/Effect"
import * as Pool from "effect/Pool"
import * as Schedule from "effect/Schedule"
import * as Semaphore from "effect/Semaphore"
import type { WarehouseError } from "../WarehouseError.ts"
import { fromDuckDb, isFatal, isHeld } from "./Errors.ts"
import * as File from "./File.ts"
import { schemaIn } from "./Sql.ts"

export type Module = typeof import("@duckdb/node-api")

export interface Connection {
  /** The library, for its values and chunks. */
  readonly module: Module
  /** The schema that the tables of this file stand in. */
  readonly schema: string
  /** Runs asynchronous calls of the library; what they throw becomes a WarehouseError. */
  readonly call: <A>(f: (connection: DuckDBConnection) => Promise<A>) => Effect.Effect<A, WarehouseError>
  /** The same for calls that block: keep them short. */
  readonly callSync: <A>(f: () => A) => Effect.Effect<A, WarehouseError>
  /** Runs a statement and gives the number of rows it changed. */
  readonly execute: (sql: string, binds?: ReadonlyArray<DuckDBValue>) => Effect.Effect<number, WarehouseError>
  readonly query: (
    sql: string,
    binds?: ReadonlyArray<DuckDBValue>
  ) => Effect.Effect<ReadonlyArray<unknown>, WarehouseError>
}

export interface DuckDbClient {
  /** Makes the file where there is none; nothing else does. */
  readonly create: Effect.Effect<void, WarehouseError>
  readonly use: <A>(f: (connection: Connection) => Effect.Effect<A, WarehouseError>) => Effect.Effect<A, WarehouseError>
  /** Runs `f` between BEGIN and COMMIT; any failure rolls back. */
  readonly transaction: <A>(
    f: (connection: Connection) => Effect.Effect<A, WarehouseError>
  ) => Effect.Effect<A, WarehouseError>
}

/** At the default of 16 MB every checkpoint stalls a commit for half a second. */
const autoCheckpoint = "SET GLOBAL wal_autocheckpoint = '1GB'"

/** Nothing is fetched from the internet and no other file is read, whatever a statement mentions. */
const alone =
  "SET GLOBAL autoinstall_known_extensions = false; SET GLOBAL autoload_known_extensions = false; SET GLOBAL enable_external_access = false"

/** What is only in the write-ahead log is in memory, whole: so much of it, in bytes. */
const maxLog = 64 * 1024 * 1024

export const make = Effect.fnUntraced(function* (path: string, size: number) {
  const toError = fromDuckDb(path)
  const opening = yield* Semaphore.make(1)
  let instance: DuckDBInstance | undefined
  let identity: string | undefined
  let schema = ""

  const close = Effect.sync(() => {
    instance?.closeSync()
    instance = undefined
  })

  /** A failure is not kept: whoever held the file may be gone at the next attempt. */
  const open = (mayCreate: boolean) =>
    opening.withPermits(1)(
      Effect.tryPromise({
        try: async () => {
          // Imported here, because the library is 80 MB that only this warehouse needs.
          const module = await import("@duckdb/node-api")
          if (instance !== undefined) return { module, instance }
          File.check(path, mayCreate)
          // From the cache, for a second handle on the file in this process must not be a second database.
          const opened = await module.DuckDBInstance.fromCache(path)
          const connection = await opened.connect()
          await connection.run(autoCheckpoint)
          await connection.run(alone)
          const catalog = await connection.runAndReadAll("SELECT current_database()")
          connection.closeSync()
          instance = opened
          identity = File.identity(path)
          schema = schemaIn(String(catalog.getRows()[0]?.[0]))
          return { module, instance }
        },
        catch: toError
      }).pipe(
        // `status` and the like hold the file for a moment only.
        Effect.retry({ schedule: Schedule.spaced("250 millis"), times: 8, while: isHeld })
      )
    )

  // Runs after the pool has closed its connections.
  yield* Effect.addFinalizer(() =>
    Effect.suspend(() =>
      instance === undefined ? Effect.void : Effect.andThen(Effect.promise(checkpoint(instance)), close)
    ).pipe(Effect.catchDefect((defect) => Effect.logWarning("DuckDB checkpoint", defect)))
  )

  const pool = yield* Pool.makeWithTTL({
    acquire: Effect.acquireRelease(
      Effect.flatMap(open(false), ({ instance, module }) =>
        Effect.tryPromise({ try: async () => ({ module, native: await instance.connect() }), catch: toError })
      ),
      ({ native }) => Effect.sync(() => native.closeSync())
    ),
    min: 0,
    // One for a query, so that no write waits for it.
    max: size + 1,
    timeToLive: "1 hour"
  })

  const still = Effect.suspend(() => (File.identity(path) === identity ? Effect.void : Effect.fail(File.gone(path))))

  // A call of the library cannot be called back, and takes milliseconds: an interruption waits for its end.
  const use: DuckDbClient["use"] = (f) =>
    Pool.use(pool, (pooled) => {
      const { module, native } = pooled
      const call: Connection["call"] = (f) => Effect.tryPromise({ try: () => f(native), catch: toError })
      const connection: Connection = {
        module,
        schema,
        call,
        callSync: (f) => Effect.try({ try: f, catch: toError }),
        execute: (sql, binds = []) => call(async () => (await native.run(sql, [...binds])).rowsChanged),
        query: (sql, binds = []) => call(async () => (await native.runAndReadAll(sql, [...binds])).getRowObjectsJson())
      }
      return Effect.andThen(still, f(connection)).pipe(
        // Once more: what was committed meanwhile may have gone into a file that nobody can find.
        Effect.tap(still),
        Effect.tapError((error) =>
          isFatal(error) ? Effect.andThen(Pool.invalidate(pool, pooled), close) : Effect.void
        ),
        Effect.uninterruptible
      )
    })

  const isLogFull = (): boolean => File.sizeOf(`${path}.wal`) > maxLog

  // DuckDB itself makes a checkpoint only while no other transaction is open, and behind a backlog one always is. So
  // the next ones wait until those that are under way have ended: each looks when it ends, so that none goes ahead of
  // the checkpoint.
  const turns = yield* Semaphore.make(size)
  const checkpointIfFull = Effect.suspend(() =>
    isLogFull()
      ? turns.withPermits(size)(
          Effect.suspend(() => (isLogFull() ? use((connection) => connection.execute("CHECKPOINT")) : Effect.void))
        )
      : Effect.void
  ).pipe(
    // What was written is durable all the same; the next one retries.
    Effect.catch(({ message }) => Effect.logDebug("DuckDB checkpoint", message))
  )

  const transaction: DuckDbClient["transaction"] = (f) =>
    use((connection) =>
      connection.execute("BEGIN TRANSACTION").pipe(
        Effect.andThen(f(connection)),
        Effect.tap(connection.execute("COMMIT")),
        // Always, also after a conflict: DuckDB answers COMMIT of a broken transaction with success, and keeps nothing
        // of it.
        Effect.onError(() => Effect.ignore(connection.execute("ROLLBACK")))
      )
    ).pipe(turns.withPermits(1), Effect.tap(checkpointIfFull))

  return { create: Effect.asVoid(open(true)), use, transaction } satisfies DuckDbClient
})

const checkpoint = (instance: DuckDBInstance) => async () => {
  const connection = await instance.connect()
  await connection.run("CHECKPOINT")
  connection.closeSync()
}
