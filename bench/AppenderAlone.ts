/**
 * The ceiling of DuckDB, a subject of the benchmark: its appender fed from memory with the rows of the service, in
 * transactions of many rows.
 */
import duckdb, { type DuckDBValue } from "@duckdb/node-api"
import { decoded } from "../src/domain/Bytes.ts"
import { parseRoutes } from "../src/domain/RouteText.ts"
import * as Sql from "../src/warehouse/duckdb/Sql.ts"
import { routeOf } from "./Orders.ts"
import * as Rows from "./Rows.ts"
import * as Stopwatch from "./Stopwatch.ts"

const [path = "", events = "", rowsPerTransaction = ""] = process.argv.slice(2)
const chunkRows = 2048

const instance = await duckdb.DuckDBInstance.create(path)
const connection = await instance.connect()
// As the service has it: the default of 16 MB checkpoints all the time.
await connection.run("SET GLOBAL wal_autocheckpoint = '1GB'")
for (const sql of Sql.ddl(path, parseRoutes(routeOf("alone")).routes).create) await connection.run(sql)

const { BIGINT, DECIMAL, INTEGER, TIMESTAMP, VARCHAR } = duckdb
const types = [
  ...[VARCHAR, DECIMAL(38, 0), VARCHAR, TIMESTAMP],
  ...[VARCHAR, INTEGER, BIGINT, TIMESTAMP, VARCHAR, VARCHAR]
]
const time = (millis: number): DuckDBValue => new duckdb.DuckDBTimestampValue(BigInt(millis) * 1000n)

const append = async (rows: ReturnType<typeof Rows.make>, from: number): Promise<void> => {
  const now = time(Date.now())
  await connection.run("BEGIN TRANSACTION")
  const appender = await connection.createAppender("ORDERS_RAW", Sql.schemaOf(path))
  for (let at = 0; at < rows.length; at += chunkRows) {
    const part = rows.slice(at, at + chunkRows)
    const chunk = duckdb.DuckDBDataChunk.create(types, part.length)
    chunk.setColumns([
      part.map(({ columns }) => columns[0] ?? null),
      part.map(({ columns }) => new duckdb.DuckDBDecimalValue(BigInt(columns[1] ?? 0), 38, 0)),
      part.map(({ event }) => (event === null ? null : decoded(event))),
      part.map(() => now),
      part.map(({ topic }) => topic),
      part.map(({ partition }) => partition),
      part.map((_, index) => BigInt(from + at + index)),
      part.map(({ timestamp }) => time(timestamp)),
      part.map(({ key }) => key),
      part.map(({ headers }) => headers)
    ])
    appender.appendDataChunk(chunk)
  }
  appender.flushSync()
  appender.closeSync()
  await connection.run("COMMIT")
}

const rows = Rows.make(Number(rowsPerTransaction), 0)
const watch = Stopwatch.make()
watch.begin()
let written = 0
for (; written < Number(events); written += rows.length) await append(rows, written)
await watch.end(written)
