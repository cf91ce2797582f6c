/** What the demo writes into: its tables can be created, queried and counted alike, and a record that is not there is missed. */
import { mkdtemp, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterAll, assert, beforeAll, describe, it } from "vitest"
import { sinkOf, unknown } from "../../../scripts/demo/options.ts"
import { run } from "../../../scripts/demo/service.ts"
import { showTables } from "../../../scripts/demo/tables.ts"
import { verdict } from "../../../scripts/demo/verdict.ts"
import { openWarehouse, type Warehouse } from "../../../scripts/demo/warehouse.ts"

const at = (offset: number) => [0, 1, 2].map((partition) => ({ topic: "raw.orders.v1", partition, offset }))
const quiet = () => {}

it("knows its flags, and that there is one warehouse at a time", () => {
  assert.deepStrictEqual(unknown(["--stay", "--verbos", "--snowflake"]), ["--verbos"])
  assert.deepStrictEqual(unknown(["--streaming", "--snowflake"]), ["--snowflake", "--streaming"])
  assert.deepStrictEqual([[], ["--snowflake"], ["--streaming"]].map(sinkOf), ["duckdb", "snowflake", "streaming"])
})

describe.each(["duckdb", "snowflake", "streaming"] as const)("%s", (sink) => {
  let folder: string
  let warehouse: Warehouse

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "bronze-demo-"))
    warehouse = await openWarehouse(sink, quiet, folder)
    await run(warehouse.settings, ["init"], new AbortController().signal)
  }, 120_000)

  afterAll(async () => {
    await warehouse.release()
    await rm(folder, { recursive: true, force: true })
  })

  it("counts no record as exactly none, and misses those that Kafka has and no table", async () => {
    await showTables(warehouse)
    const measure = { from: at(5), committed: at(5), ends: at(5), sent: 0 }
    assert.isTrue(await verdict(warehouse, measure))
    assert.isFalse(await verdict(warehouse, { ...measure, committed: at(7) }))
    assert.isFalse(await verdict(warehouse, { ...measure, sent: 1 }))
  })
})
