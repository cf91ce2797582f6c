/** What the demo writes into: its tables can be created, queried and counted alike, and a record that is not there is missed. */
import { mkdtemp, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterAll, assert, beforeAll, describe, it, vi } from "vitest"
import { sinkOf, unknown } from "../../../scripts/demo/options.ts"
import { run } from "../../../scripts/demo/service.ts"
import { showTables } from "../../../scripts/demo/tables.ts"
import { verdict } from "../../../scripts/demo/verdict.ts"
import { openWarehouse, type Warehouse } from "../../../scripts/demo/warehouse.ts"
import { duckDb, snowflake } from "../../support/Inspect.ts"

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

  const open = () =>
    sink === "duckdb"
      ? duckDb(join(folder, "bronze.duckdb"))
      : snowflake(warehouse.settings["SNOWFLAKE_HOST"] ?? "", "LAKE")

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

  it("counts records that others sent like its own, and does not guess whose they are", async () => {
    const written = vi.spyOn(process.stdout, "write").mockReturnValue(true)
    const measure = { from: at(5), committed: at(7), ends: at(7), sent: 0 }
    await verdict(warehouse, measure)
    await verdict(warehouse, { ...measure, sent: 6 })
    const said = written.mock.calls.map(([text]) => String(text)).join("")
    written.mockRestore()
    assert.deepStrictEqual(said.match(/\S+ more .*/g), [
      "6 more records than the demo produced: something else sends to these topics."
    ])
  })

  it("holds for each record once, and not when the sum alone is right", async () => {
    const first = (offset: number) => at(offset).slice(0, 1)
    const measure = { from: first(5), committed: first(7), ends: first(7), sent: 2 }
    for (const [offsets, holds] of [
      [[5, 6], true],
      [[5, 5], false],
      [[5, 7], false]
    ] as const) {
      const inspect = await open()
      await inspect.query("DELETE FROM BRONZE.ORDERS_RAW")
      for (const offset of offsets)
        await inspect.query(`INSERT INTO BRONZE.ORDERS_RAW (INGESTION_TIMESTAMP, KAFKA_TOPIC, KAFKA_PARTITION, KAFKA_OFFSET)
          VALUES (CURRENT_TIMESTAMP, 'raw.orders.v1', 0, ${offset})`)
      await inspect.close()
      assert.strictEqual(await verdict(warehouse, measure), holds, String(offsets))
    }
  })
})
