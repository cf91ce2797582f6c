/**
 * Everything that would stop a write to Snowflake, found before the first record is read, each with the statement that
 * fixes it.
 */
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { type Route, tablesOf } from "../../domain/Route.ts"
import type { SnowflakeSettings } from "../../settings/Model.ts"
import type { Settings } from "../../settings/Settings.ts"
import { decodeRows } from "../sql/LedgerRows.ts"
import { consumerOffsets, deadLetters, missingFrom, quoted, type Shape, shapesOf } from "../sql/Tables.ts"
import type { Problem } from "../Warehouse.ts"
import type { WarehouseError } from "../WarehouseError.ts"
import type { SnowflakeClient } from "./Client.ts"
import * as Columns from "./Columns.ts"
import { lockTimeout, type Session } from "./Driver.ts"
import { isLockError } from "./Lock.ts"
import * as LockSql from "./LockSql.ts"
import * as Sql from "./Sql.ts"

const decodeIdentity = decodeRows(
  Schema.Struct({ ROLE: Schema.NullOr(Schema.String), WAREHOUSE: Schema.NullOr(Schema.String) })
)

type Problems = ReadonlyArray<Problem>
const none: Problems = []

/** A refusal becomes what it means; a fault of the network stays a failure, which the caller retries. */
const orIfDenied = <A, B>(effect: Effect.Effect<A, WarehouseError>, onDenied: (error: WarehouseError) => B) =>
  Effect.catchIf(
    effect,
    (error) => error.reason === "denied",
    (error) => Effect.succeed(onDenied(error))
  )

/** The service's rights to a table: to add rows and read them, and to move the ledger. */
const rightsTo = (shape: Shape): string => (shape === consumerOffsets ? "SELECT, INSERT, UPDATE" : "SELECT, INSERT")

const create = "bronze-consumer init"

/** Statements that one session is sent together; with hundreds of tables their latencies would add up. */
const atOnce = 8

/** Who only looks neither waits for a lock nor makes others wait. */
const withoutWaiting = <A>(
  session: Session,
  look: Effect.Effect<A, WarehouseError>
): Effect.Effect<A, WarehouseError> =>
  Effect.acquireUseRelease(
    session.execute("ALTER SESSION SET LOCK_TIMEOUT = 0"),
    () => look,
    () => Effect.ignore(session.execute(`ALTER SESSION SET LOCK_TIMEOUT = ${lockTimeout}`))
  )

export const preflight = (
  client: SnowflakeClient,
  sink: SnowflakeSettings,
  routes: ReadonlyArray<Route>,
  delivery: Settings["Service"]["delivery"]
): Effect.Effect<Problems, WarehouseError> => {
  const names = Sql.dialect(sink.database, sink.schema)
  const schema = sink.schema.toUpperCase()
  const shapes = shapesOf(routes).filter((shape) => delivery === "exactly-once" || shape !== consumerOffsets)
  const grant = (shape: Shape, role: string) =>
    `GRANT ${rightsTo(shape)} ON TABLE ${names.qualified(shape.name)} TO ROLE ${role};`

  const database = (session: Session, role: string) =>
    orIfDenied(
      Effect.as(session.query(Sql.schemata(sink.database), [schema]), none),
      ({ message }): Problems => [
        {
          what: message,
          remedy: `CREATE DATABASE IF NOT EXISTS ${sink.database}; GRANT USAGE ON DATABASE ${sink.database} TO ROLE ${role};`
        }
      ]
    )

  /** The statements of a write themselves, with nothing in them: what only a grant can forbid is found here. */
  const rehearsal = (session: Session, role: string, shape: Shape) => {
    const table = tablesOf(routes).find(({ name }) => name === shape.name)
    const statements: ReadonlyArray<readonly [sql: string, binds: ReadonlyArray<string>]> =
      shape === consumerOffsets
        ? [
            [Sql.claim(names), ["[]", "", "", "", ""]],
            [LockSql.lock(names), ["[]", ""]],
            [Sql.advance(names), ["[]", "", ""]]
          ]
        : shape === deadLetters
          ? [[Sql.insertDeadLetters(names), ["[]"]]]
          : table === undefined
            ? []
            : [[Sql.insertRows(names, table), ["[]"]]]
    return orIfDenied(
      Effect.as(
        Effect.forEach(
          statements,
          // A statement that fails for a lock has been compiled, and so has the right to its table.
          ([sql, binds]) => Effect.catchIf(Effect.asVoid(session.execute(sql, binds)), isLockError, () => Effect.void),
          { discard: true }
        ),
        none
      ),
      ({ message }): Problems => [{ what: message, remedy: grant(shape, role), table: shape.name }]
    )
  }

  const tables = Effect.fnUntraced(function* (session: Session, role: string) {
    if ((yield* session.query(Sql.schemata(sink.database), [schema])).length === 0)
      return [
        {
          what: `schema ${sink.database}.${sink.schema} is missing or not visible`,
          remedy: `${create}, or if it is there: GRANT USAGE ON SCHEMA ${sink.database}.${sink.schema} TO ROLE ${role};`
        }
      ]
    const { closed, found } = yield* Columns.read(session, sink, routes)
    const missing = missingFrom(names, shapes, found, create)
    // Without any right to it, a table is as if it were not there.
    const hidden = shapes.filter(({ name }) => !found.has(name))
    const grants = hidden.map((shape) => grant(shape, role)).join(" ")
    const told = missing.map(({ remedy, ...problem }) => ({
      ...problem,
      remedy: remedy === create ? `${create}, or if they are there: ${grants}` : remedy
    }))
    const whole = shapes.filter(({ fields, name }) => fields.every((field) => found.get(name)?.has(field.name)))
    const rehearsals = Effect.forEach(whole, (shape) => rehearsal(session, role, shape), { concurrency: atOnce })
    const refused = yield* withoutWaiting(session, rehearsals)
    return [
      ...told,
      ...closed.flatMap(({ problem, table }) =>
        shapes.some(({ name }) => name === table) ? [{ ...problem, table }] : []
      ),
      ...refused.flat()
    ]
  })

  const look = Effect.fnUntraced(function* (session: Session) {
    const { role, selected } = yield* identityOf(session, sink)
    // What follows makes no sense in a database that cannot be seen, and says nothing where a warehouse is what it
    // lacks.
    const hidden = selected ? yield* database(session, role) : none
    const inside = hidden.length > 0 ? Effect.succeed(none) : tables(session, role)
    return selected
      ? [...hidden, ...(yield* inside)]
      : [noWarehouse(sink, role), ...(yield* orIfDenied(inside, () => none))]
  })

  return orIfDenied(
    client.use(look),
    (error): Problems => [
      { what: `Snowflake refused user ${sink.user}: ${error.message}`, remedy: loginRemedy(sink, error) }
    ]
  )
}

/** By the code, else by the kind of credentials. */
const loginRemedy = ({ credentials, role, user }: SnowflakeSettings, { code = "" }: WarehouseError): string => {
  const known: Readonly<Record<string, string>> = {
    "390102": `correct the credentials, then wait 15 minutes, or ALTER USER ${user} SET MINS_TO_UNLOCK = 0;`,
    "390186": `GRANT ROLE ${role ?? "…"} TO USER ${user}; or set SNOWFLAKE_ROLE to another`,
    "390189": `GRANT ROLE ${role ?? "…"} TO USER ${user}; or set SNOWFLAKE_ROLE to another`,
    "390201":
      "set SNOWFLAKE_DATABASE, SNOWFLAKE_SCHEMA, SNOWFLAKE_WAREHOUSE and SNOWFLAKE_ROLE to what this user may use",
    "390422": `ALTER NETWORK POLICY … SET ALLOWED_IP_LIST = (…); with this machine's address, in the policy of user ${user} or of the account`,
    "390432": `CREATE NETWORK POLICY …; ALTER USER ${user} SET NETWORK_POLICY = …; an access token works only for a user that has one`,
    "394508": `ALTER USER ${user} SET TYPE = SERVICE; and a key pair (SNOWFLAKE_PRIVATE_KEY_PATH): a service has no second factor`
  }
  if (known[code] !== undefined) return known[code]
  if (code === "403" || code === "404")
    return "set SNOWFLAKE_ACCOUNT to the account's identifier, and SNOWFLAKE_HOST only for a private link"
  switch (credentials._tag) {
    case "Password":
      return "set SNOWFLAKE_ACCOUNT, SNOWFLAKE_USER and SNOWFLAKE_PASSWORD, or use a key pair (SNOWFLAKE_PRIVATE_KEY_PATH)"
    case "KeyPair":
      return `ALTER USER ${user} SET RSA_PUBLIC_KEY = '…'; with what \`openssl rsa -in ${credentials.path} -pubout\` prints between its first and last line`
    case "OAuth":
    case "AccessToken":
      return `renew SNOWFLAKE_TOKEN, the token of user ${user}`
  }
}

/** The role in force, as a GRANT names it, and whether there is a warehouse to run statements. */
const identityOf = (session: Session, sink: SnowflakeSettings) =>
  orIfDenied(
    session
      .query("SELECT CURRENT_ROLE() AS ROLE, CURRENT_WAREHOUSE() AS WAREHOUSE")
      .pipe(Effect.flatMap(decodeIdentity)),
    // An emulator may not have these functions; that says nothing about the warehouse.
    () => [{ ROLE: null, WAREHOUSE: "" }]
  ).pipe(
    Effect.map(([row]) => ({
      role: sink.role ?? (row?.ROLE ? identifier(row.ROLE) : "PUBLIC"),
      selected: (row?.WAREHOUSE ?? null) !== null
    }))
  )

const identifier = (name: string): string => (/^[A-Z_][A-Z0-9_$]*$/.test(name) ? name : quoted(name))

const noWarehouse = ({ user, warehouse }: SnowflakeSettings, role: string): Problem =>
  warehouse === undefined
    ? {
        what: "no warehouse is selected: SNOWFLAKE_WAREHOUSE is not set, and the user has no default",
        remedy: `set SNOWFLAKE_WAREHOUSE (ALTER USER ${user} SET DEFAULT_WAREHOUSE = … does it too), and GRANT USAGE ON WAREHOUSE … TO ROLE ${role};`
      }
    : {
        what: `no warehouse is selected: ${warehouse} is missing or not visible`,
        remedy: `CREATE WAREHOUSE IF NOT EXISTS ${warehouse} WAREHOUSE_SIZE = XSMALL AUTO_SUSPEND = 60; GRANT USAGE ON WAREHOUSE ${warehouse} TO ROLE ${role};`
      }
