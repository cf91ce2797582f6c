/**
 * The one place that touches snowflake-sdk: opens a session and runs statements on it, silently, without the driver's
 * own long retries.
 */
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import type { Bind, Connection, ConnectionOptions, RowMode, RowStatement } from "snowflake-sdk"
import type { SnowflakeSettings } from "../../settings/Model.ts"
import { WarehouseError } from "../WarehouseError.ts"
import { fromDriver, fromLogin } from "./Errors.ts"
import * as Patches from "./patches.ts"
import { lend, type RowBind } from "./RowBinds.ts"

export interface Session {
  /** False once the server has ended it, or the driver has given it up. */
  readonly isUp: () => boolean
  /** Runs a statement and gives the number of rows it changed. */
  readonly execute: (sql: string, binds?: ReadonlyArray<Bind | RowBind>) => Effect.Effect<number, WarehouseError>
  /** Runs a query and gives its rows, numbers and JSON as text. */
  readonly query: (
    sql: string,
    binds?: ReadonlyArray<Bind | RowBind>
  ) => Effect.Effect<ReadonlyArray<unknown>, WarehouseError>
  /** Runs a query and gives the names of its columns and at most so many of its rows, values as text. */
  readonly read: (
    sql: string,
    most: number
  ) => Effect.Effect<
    { readonly columns: ReadonlyArray<string>; readonly rows: ReadonlyArray<ReadonlyArray<unknown>> },
    WarehouseError
  >
  /** Ends the session, and with it whatever transaction is open on it; never waits long for an answer. */
  readonly close: Effect.Effect<void>
}

/** Seconds that a statement waits for a lock. */
export const lockTimeout = 60

/**
 * What a write relies on, whatever the account or the user is set to: a single statement is durable when it has been
 * answered, one that fails leaves its transaction open, and others' faults come back as errors instead of hanging (both
 * times in seconds).
 */
const sessionParameters = `TIMEZONE = 'UTC' AUTOCOMMIT = TRUE TRANSACTION_ABORT_ON_ERROR = FALSE LOCK_TIMEOUT = ${lockTimeout} STATEMENT_TIMEOUT_IN_SECONDS = 300 ABORT_DETACHED_QUERY = TRUE CLIENT_SESSION_KEEP_ALIVE = FALSE`

/**
 * The same for a ledger that is a hybrid table. An account without hybrid tables may not know them, and does not need
 * them.
 */
const hybridParameters = `READ_LATEST_WRITES = TRUE HYBRID_TABLE_LOCK_TIMEOUT = ${lockTimeout}`

/**
 * Longer than the 45 s after which Snowflake answers "still running"; shorter than a person's patience with a dead
 * connection.
 */
const httpTimeout = 60_000

// Import costs 0.3 s and 58 MB: only a process that writes to Snowflake pays.
const loadDriver = async () => {
  // Set first: at import the driver asks the addresses of three clouds where it runs.
  process.env["SNOWFLAKE_DISABLE_PLATFORM_DETECTION"] ??= "true"
  const { default: driver } = await import("snowflake-sdk")
  const silent = () => undefined
  driver.configure({
    logLevel: "OFF",
    additionalLogToConsole: false,
    customLogger: { error: silent, warn: silent, info: silent, debug: silent, trace: silent }
  })
  Patches.apply()
  return driver
}

let loaded: ReturnType<typeof loadDriver> | undefined

const credentials = (settings: SnowflakeSettings): ConnectionOptions => {
  const given = settings.credentials
  switch (given._tag) {
    case "Password":
      return { authenticator: "SNOWFLAKE", password: Redacted.value(given.password) }
    case "KeyPair":
      return {
        authenticator: "SNOWFLAKE_JWT",
        privateKeyPath: given.path,
        ...(given.passphrase === undefined ? {} : { privateKeyPass: Redacted.value(given.passphrase) })
      }
    case "OAuth":
      return { authenticator: "OAUTH", token: Redacted.value(given.token) }
    case "AccessToken":
      return { authenticator: "PROGRAMMATIC_ACCESS_TOKEN", token: Redacted.value(given.token) }
  }
}

const options = (settings: SnowflakeSettings): ConnectionOptions => ({
  account: settings.account,
  username: settings.user,
  database: settings.database,
  schema: settings.schema,
  ...(settings.warehouse === undefined ? {} : { warehouse: settings.warehouse }),
  ...(settings.role === undefined ? {} : { role: settings.role }),
  ...(settings.host === undefined
    ? {}
    : { accessUrl: settings.host.includes("://") ? settings.host : `https://${settings.host}` }),
  ...credentials(settings),
  application: "BronzeConsumer",
  queryTag: "bronze-consumer",
  timeout: httpTimeout,
  // NULL is null, also where values come as text.
  representNullAsStringNull: false,
  // Our own Schedules decide when to retry.
  sfRetryMaxLoginRetries: 0
})

/** Logs in and sets the session up. */
export const connect = Effect.fn("Snowflake.connect")(function* (settings: SnowflakeSettings) {
  const connection = yield* Effect.callback<Connection, WarehouseError>((resume) => {
    const login = async () => {
      loaded ??= loadDriver()
      const driver = await loaded
      const made = driver.createConnection(options(settings))
      await made.connectAsync((error) =>
        resume(
          error === undefined || error === null
            ? Effect.succeed(made)
            : Effect.fail(fromLogin(error, settings.credentials._tag))
        )
      )
    }
    login().catch((error) => resume(Effect.fail(fromLogin(error, settings.credentials._tag))))
  })
  const session = make(connection)
  const set = (parameters: string) => session.execute(`ALTER SESSION SET ${parameters}`)
  yield* set(sessionParameters).pipe(
    Effect.mapError((error) =>
      error.reason === "unavailable"
        ? error
        : new WarehouseError({
            reason: "denied",
            message: `the session cannot be set up as required (ALTER SESSION SET ${sessionParameters}): ${error.message}`
          })
    ),
    Effect.andThen(
      Effect.catchIf(
        set(hybridParameters),
        ({ reason }) => reason !== "unavailable",
        ({ message }) => Effect.logDebug("No parameters of hybrid tables", message)
      )
    ),
    Effect.onError(() => session.close)
  )
  return session
})

const make = (connection: Connection): Session => ({
  isUp: () => connection.isUp(),
  execute: (sql, binds) => statement(connection, sql, binds, (done) => Effect.succeed(done.getNumUpdatedRows() ?? 0)),
  query: (sql, binds) => statement(connection, sql, binds, rowsOf),
  read: (sql, most) =>
    run(
      connection,
      sql,
      [],
      (done) =>
        Effect.map(rowsOf(done, most), (rows) => ({
          columns: (done.getColumns() ?? []).map((column) => column.getName()),
          rows: rows.filter(Array.isArray)
        })),
      "array"
    ),
  close: Effect.callback<void>((resume) => connection.destroy(() => resume(Effect.void))).pipe(
    Effect.timeoutOption("2 seconds"),
    Effect.catchDefect(() => Effect.void)
  )
})

const statement = <A>(
  connection: Connection,
  sqlText: string,
  binds: ReadonlyArray<Bind | RowBind> = [],
  read: (done: RowStatement) => Effect.Effect<A, WarehouseError>
): Effect.Effect<A, WarehouseError> =>
  Effect.acquireUseRelease(
    Effect.sync(() => lend(binds)),
    ({ lent }) => run(connection, sqlText, lent, read),
    ({ takeBack }) => Effect.sync(takeBack)
  )

const run = <A>(
  connection: Connection,
  sqlText: string,
  binds: ReadonlyArray<Bind>,
  read: (done: RowStatement) => Effect.Effect<A, WarehouseError>,
  rowMode: RowMode = "object"
): Effect.Effect<A, WarehouseError> =>
  Effect.callback((resume) => {
    try {
      connection.execute({
        sqlText,
        rowMode,
        ...(binds.length > 0 && { binds }),
        // Without it the driver runs a statement again by itself when its result cannot be read.
        streamResult: true,
        fetchAsString: ["Number", "JSON", "Date"],
        complete: (error, done) =>
          resume(error === undefined || error === null ? read(done) : Effect.fail(fromDriver(error)))
      })
    } catch (error) {
      resume(Effect.fail(fromDriver(error)))
    }
  })

const rowsOf = (
  done: RowStatement,
  most = Number.POSITIVE_INFINITY
): Effect.Effect<ReadonlyArray<unknown>, WarehouseError> =>
  Effect.callback((resume) => {
    const rows: Array<unknown> = []
    done
      .streamRows(Number.isFinite(most) ? { start: 0, end: most - 1 } : {})
      .on("data", (row) => rows.push(row))
      .on("error", (error) => resume(Effect.fail(fromDriver(error))))
      .on("end", () => resume(Effect.succeed(rows)))
  })
