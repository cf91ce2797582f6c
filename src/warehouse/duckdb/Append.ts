/** Puts rows and dead letters into DuckDB through the appender, which keeps the payload text as it is. */
import type { DuckDBType, DuckDBValue } from "@duckdb/node-api"
import * as Effect from "effect/Effect"
import { decoded } from "../../domain/Bytes.ts"
import type { BronzeRow, DeadLetter } from "../../domain/Outcome.ts"
import { type ColumnType, schemaIdColumn, type Table } from "../../domain/Route.ts"
import * as Timestamps from "../../domain/Timestamps.ts"
import { deadLetters, type FieldType, isStorable, rawShape, type Shape } from "../sql/Tables.ts"
import { unbound, WarehouseError } from "../WarehouseError.ts"
import type { Connection, Module } from "./Client.ts"
import { lackingColumn } from "./Errors.ts"
import * as Sql from "./Sql.ts"
import { type Column, foreign, isPlain } from "./Tables.ts"

/** How a field is read from an outcome. */
type Read<A> = (outcome: A) => DuckDBValue

/**
 * A chunk is filled in one go of a few milliseconds; between chunks others have their turn. DuckDB takes 2048 rows at
 * most.
 */
const chunkRows = 2048

export const appendRows = (
  connection: Connection,
  columns: ReadonlyArray<Column>,
  table: Table,
  rows: ReadonlyArray<BronzeRow>,
  now: number
) => {
  const values = valuesOf(connection.module)
  const reads = new Map<string, Read<BronzeRow>>([
    ...table.columns.map(({ name, type }, index): [string, Read<BronzeRow>] => {
      const parse = values.typed[type]
      return [name, ({ columns }) => parse(columns[index] ?? null)]
    }),
    ["RAW_EVENT", ({ event }) => (event === null ? null : decoded(event))],
    [schemaIdColumn, ({ schemaId }) => schemaId ?? null],
    ...coordinates<BronzeRow>(values, now)
  ])
  return append(connection, columns, rawShape(table), reads, rows)
}

export const appendDeadLetters = (
  connection: Connection,
  columns: ReadonlyArray<Column>,
  table: Table,
  letters: ReadonlyArray<DeadLetter>,
  now: number
) => {
  const reads = new Map<string, Read<DeadLetter>>([
    ["TABLE_NAME", () => table.name],
    ["PAYLOAD_BASE64", (letter) => letter.payload],
    ["CAUSE", (letter) => letter.cause],
    ["MESSAGE", (letter) => letter.message],
    ["PAYLOAD_TRUNCATED", (letter) => letter.truncated === true],
    ...coordinates<DeadLetter>(valuesOf(connection.module), now)
  ])
  return append(connection, columns, deadLetters, reads, letters)
}

const coordinates = <A extends BronzeRow | DeadLetter>(
  { timestamp }: ReturnType<typeof valuesOf>,
  now: number
): ReadonlyArray<[string, Read<A>]> => {
  const ingested = timestamp(now)
  return [
    ["INGESTION_TIMESTAMP", () => ingested],
    ["KAFKA_TOPIC", ({ topic }) => topic],
    ["KAFKA_PARTITION", ({ partition }) => partition],
    ["KAFKA_OFFSET", ({ offset }) => BigInt(offset)],
    ["KAFKA_TIMESTAMP", (outcome) => timestamp(outcome.timestamp)],
    ["KAFKA_KEY", ({ key }) => key],
    ["KAFKA_HEADERS", ({ headers }) => headers]
  ]
}

/**
 * By the appender, which knows no names: straight into a table that has our columns only, else by way of a table of our
 * own.
 */
const append = Effect.fnUntraced(function* <A>(
  connection: Connection,
  columns: ReadonlyArray<Column>,
  shape: Shape,
  reads: ReadonlyMap<string, Read<A>>,
  outcomes: ReadonlyArray<A>
) {
  const lacking = shape.fields.find(({ name }) => !columns.some((column) => column.name === name))
  if (lacking !== undefined)
    return yield* new WarehouseError({
      reason: "denied",
      message: `table ${shape.name} has no column ${lacking.name}; create what is missing with \`bronze-consumer init\``
    })
  const fill = (order: ReadonlyArray<string>, ...target: [table: string, schema: string, catalog?: string]) =>
    fillTable(connection, target, order, shape, reads, outcomes)
  if (isPlain(shape, columns))
    return yield* fill(
      columns.map(({ name }) => name),
      shape.name,
      connection.schema
    )
  const typeOf = (name: string) => columns.find((column) => column.name === name)?.type
  yield* connection.execute(Sql.createStage(shape))
  yield* fill(
    shape.fields.map(({ name }) => name),
    Sql.stage,
    "main",
    "temp"
  )
  yield* connection.execute(Sql.insertStaged(shape, typeOf)).pipe(Effect.mapError((error) => blame(shape, error)))
  yield* connection.execute(Sql.dropStage)
})

/** A column that only others could fill is no fault of a record. */
const blame = (shape: Shape, error: WarehouseError): WarehouseError => {
  const column = lackingColumn(error)
  if (column === undefined || shape.fields.some(({ name }) => name === column.toUpperCase())) return error
  const { remedy, what } = foreign(Sql.dialect.qualified(shape.name), column)
  return new WarehouseError({ reason: "denied", message: `${what}: ${remedy}` })
}

/** Column by column. */
const fillTable = <A>(
  { call, callSync, module }: Connection,
  [table, schema, catalog]: readonly [table: string, schema: string, catalog?: string],
  order: ReadonlyArray<string>,
  shape: Shape,
  reads: ReadonlyMap<string, Read<A>>,
  outcomes: ReadonlyArray<A>
) =>
  Effect.acquireUseRelease(
    call((native) => native.createAppender(table, schema, catalog)),
    Effect.fnUntraced(function* (appender) {
      const types = new Map(shape.fields.map(({ name, type }) => [name, typesOf(module)[type]]))
      const columnTypes = order.map((name) => types.get(name) ?? module.VARCHAR)
      const columnReads = order.map((name) => reads.get(name) ?? absent)
      for (let from = 0; from < outcomes.length; from += chunkRows) {
        if (from > 0) yield* Effect.yieldNow
        const part = outcomes.slice(from, from + chunkRows)
        // Nothing of DuckDB's yet: what throws here is a record that cannot be bound.
        const chunk = yield* Effect.try({
          try: () => {
            const made = module.DuckDBDataChunk.create(columnTypes, part.length)
            made.setColumns(columnReads.map((read) => part.map(read)))
            return made
          },
          catch: unbound
        })
        yield* callSync(() => appender.appendDataChunk(chunk))
      }
      yield* callSync(() => appender.flushSync())
    }),
    // Closing flushes what an error left behind, and fails again with it; the transaction is rolled back in any case.
    (appender) => Effect.ignore(callSync(() => appender.closeSync()))
  )

const absent = () => null

const typesOf = (module: Module): Readonly<Record<FieldType, DuckDBType>> => ({
  STRING: module.VARCHAR,
  NUMBER: module.DECIMAL(38, 0),
  FLOAT: module.DOUBLE,
  BOOLEAN: module.BOOLEAN,
  TIMESTAMP: module.TIMESTAMP,
  JSON: module.VARCHAR,
  INT: module.INTEGER,
  OFFSET: module.BIGINT
})

const integer = /^-?\d{1,38}$/

/** From the text form of a type to DuckDB's value; what does not fit is NULL, so that no column can fail a row. */
const valuesOf = (module: Module) => {
  const timestamp = (millis: number): DuckDBValue =>
    isStorable(millis) ? new module.DuckDBTimestampValue(BigInt(Math.trunc(millis)) * 1000n) : null
  const typed: Readonly<Record<ColumnType, (text: string | null) => DuckDBValue>> = {
    STRING: (text) => text,
    NUMBER: (text) => (text !== null && integer.test(text) ? new module.DuckDBDecimalValue(BigInt(text), 38, 0) : null),
    FLOAT: (text) => {
      const value = text === null ? null : (floats.get(text) ?? Number(text))
      return value === null || (Number.isNaN(value) && text !== "NaN") ? null : value
    },
    BOOLEAN: (text) => (text === null ? null : (booleans.get(text.toLowerCase()) ?? null)),
    TIMESTAMP: (text) => {
      const micros = text === null ? undefined : Timestamps.micros(text)
      return micros === undefined ? null : new module.DuckDBTimestampValue(micros)
    }
  }
  return { timestamp, typed }
}

const floats = new Map([
  ["NaN", Number.NaN],
  ["inf", Number.POSITIVE_INFINITY],
  ["-inf", Number.NEGATIVE_INFINITY]
])

const booleans = new Map([
  ["true", true],
  ["false", false]
])
