/**
 * The ceiling of the driver, a subject of the benchmark: snowflake-sdk fed from memory with the statements of the
 * service, on as many sessions.
 */

import * as InsertBinds from "../src/warehouse/snowflake/InsertBinds.ts"
import * as Sql from "../src/warehouse/snowflake/Sql.ts"
import { rangesBind } from "../src/warehouse/sql/Binds.ts"
import * as Driver from "./Driver.ts"
import * as Rows from "./Rows.ts"
import * as Stopwatch from "./Stopwatch.ts"

const [url = "", events = "", rowsPerWrite = "", sessions = ""] = process.argv.slice(2)

const names = Sql.dialect("LAKE", "BRONZE")
const insert = Sql.insertRows(names, Rows.table)
const advance = Sql.advance(names)
const rows = Number(rowsPerWrite)
// A few, in turn: text that the driver has seen already is no less work for it.
const binds = Array.from({ length: 8 }, (_, index) => [...InsertBinds.rows(Rows.make(rows, index * rows))].map(String))
const range = rangesBind([{ topic: "alone", partition: 0, epoch: 1, from: 0, next: rows, skipped: 0 }])

const runs = await Promise.all(Array.from({ length: Number(sessions) }, () => Driver.connect(url)))
const watch = Stopwatch.make()
watch.begin()
let taken = 0
await Promise.all(
  runs.map(async (run) => {
    while (taken < Number(events)) {
      const statements = binds[(taken / rows) % binds.length] ?? []
      taken += rows
      await run("BEGIN TRANSACTION")
      for (const bind of statements) await run(insert, [bind])
      await run(advance, [range, "nobody", "none"])
      await run("COMMIT")
    }
  })
)
await watch.end(taken)
