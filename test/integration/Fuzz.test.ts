/**
 * The short form of `npm run fuzz`: random records, with headers and keys as odd as Kafka allows, are all accounted for
 * on both sinks.
 */
import { mkdtemp, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterAll, afterEach, assert, beforeAll, describe, inject, it } from "vitest"
import { type Emulator, startEmulator } from "../../scripts/emulator/emulator.ts"
import { killAll } from "../../scripts/support/bronzeProcess.ts"
import * as Fuzz from "../fuzz/Fuzz.ts"
import * as sinks from "../fuzz/sinks.ts"
import { connect, type RealKafka } from "../support/RealKafka.ts"

let kafka: RealKafka
let emulator: Emulator
let folder: string

beforeAll(async () => {
  kafka = await connect(inject("kafka"))
  emulator = await startEmulator()
  folder = await mkdtemp(join(tmpdir(), "bronze-fuzz-"))
})
afterEach(killAll)
afterAll(async () => {
  await kafka?.close()
  await emulator?.stop()
  if (folder !== undefined) await rm(folder, { recursive: true, force: true })
})

describe("random records are all accounted for", () => {
  const check = async (sink: Fuzz.Sink, count: number) => {
    const { letters, problems, rows, skipped } = await Fuzz.run(kafka, sink, count, 7)
    assert.deepStrictEqual(problems, [])
    assert.strictEqual(rows + letters + skipped, count)
    for (const some of [rows, letters]) assert.isAbove(some, count / 20)
  }

  it("on DuckDB, byte for byte", () => check(sinks.duckDb(folder), 5000))

  it("on the Snowflake emulator, value for value", () => check(sinks.snowflake(emulator.url), 2000))
})
