/**
 * Decoding, the Snowflake binding and DuckDB's appender are total: whatever a record holds, nothing throws and it
 * becomes exactly one thing.
 */
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterAll, assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Result from "effect/Result"
import { withRegistry } from "../../../src/domain/Format.ts"
import type { HeaderValue, KafkaRecord } from "../../../src/domain/KafkaRecord.ts"
import type { BronzeRow, DeadLetter, Outcome } from "../../../src/domain/Outcome.ts"
import * as Decode from "../../../src/pipeline/Decode.ts"
import type { SchemaLookup } from "../../../src/pipeline/Payload.ts"
import * as BodyDecoder from "../../../src/schema/BodyDecoder.ts"
import { Settings } from "../../../src/settings/Settings.ts"
import * as DuckDb from "../../../src/warehouse/duckdb/DuckDb.ts"
import * as InsertBinds from "../../../src/warehouse/snowflake/InsertBinds.ts"
import { Warehouse } from "../../../src/warehouse/Warehouse.ts"
import * as Random from "../../chaos/Random.ts"
import { fateOf, headersOf, storedHeaders, textOf } from "../../fuzz/Expected.ts"
import * as Framed from "../../fuzz/Framed.ts"
import * as Records from "../../fuzz/Records.ts"
import * as Inspect from "../../support/Inspect.ts"
import { textOf as payloadOf, route } from "../../support/Outcomes.ts"
import { batchOf } from "../../support/warehouse/batches.ts"
import { settings, testRoutes } from "../../support/warehouse/Subject.ts"

const home = mkdtempSync(join(tmpdir(), "bronze-total-"))
afterAll(() => rmSync(home, { recursive: true, force: true }))

/** As the Kafka client hands it over. */
const delivered = (given: Records.Fuzzed, offset: number): KafkaRecord => {
  const headers: Record<string, HeaderValue> = Object.create(null)
  for (const [name, value] of given.headers) {
    const before = headers[name]
    headers[name] = before === undefined ? value : Array.isArray(before) ? [...before, value] : [before, value].flat()
  }
  const { key, timestamp, value } = given
  return { topic: "raw.orders.v1", partition: 0, offset, timestamp, key, headers, value }
}

const isRow = (outcome: Outcome): outcome is BronzeRow => outcome._tag === "BronzeRow"
const isLetter = (outcome: Outcome): outcome is DeadLetter => outcome._tag === "DeadLetter"

const decoders = await Effect.runPromise(
  Effect.forEach([...Framed.schemas], ([id, { schema, schemaType }]) =>
    BodyDecoder.make(id, { type: schemaType, schema, references: [] })
  )
)
const lookup: SchemaLookup = (id) => {
  const found = decoders.find((decoder) => decoder.id === id)
  return found === undefined ? Result.fail({ message: `no schema ${id}` }) : Result.succeed(found)
}

const seeds = [1, 2, 3]
const count = 2000

describe.each(seeds)("records of seed %i", (seed) => {
  const random = Random.make(seed)
  const given = Array.from({ length: count }, () => Records.record(random))
  const decode = Decode.make(route(testRoutes), { tombstones: "insert", format: withRegistry })
  const outcomes = given.map((record, offset) => decode(delivered(record, offset), lookup))

  it("become exactly one outcome each, which has all that was sent", () => {
    for (const [offset, record] of given.entries()) {
      const outcome = outcomes[offset]
      const what = `seed ${seed}, record ${offset}`
      if (outcome === undefined || outcome._tag === "Skip") return assert.fail(what)
      assert.strictEqual(outcome._tag, fateOf(record) === "letter" ? "DeadLetter" : "BronzeRow", what)
      if (isLetter(outcome)) assert.strictEqual(outcome.payload, record.value?.toString("base64"), what)
      else if (record.framed !== undefined) assert.strictEqual(payloadOf(outcome.event), record.framed.event, what)
      else if (fateOf(record) === "row") assert.deepStrictEqual(outcome.event, record.value, what)
      else assert.isNull(outcome.event, what)
      assert.strictEqual(outcome.key, record.key && textOf(record.key), what)
      assert.strictEqual(storedHeaders(outcome.headers), headersOf(record), what)
      assert.deepStrictEqual([outcome.offset, outcome.timestamp], [offset, record.timestamp], what)
    }
  })

  it("go to Snowflake as binds that are JSON, with the payload spliced in as it is", () => {
    const binds = [
      ...InsertBinds.rows(outcomes.filter(isRow)),
      ...InsertBinds.deadLetters("T", outcomes.filter(isLetter))
    ].map(String)
    const offsets = binds.flatMap((bind) => JSON.parse(bind)).map(({ o }: { readonly o: number }) => o)
    assert.deepStrictEqual(
      offsets.sort((a, b) => a - b),
      given.map((_, offset) => offset)
    )
    const all = binds.join("\n")
    for (const { event } of outcomes.filter(isRow)) if (event !== null) assert.include(all, `"v":${payloadOf(event)}}`)
  })

  it.live("land in DuckDB byte for byte, where every JSON function reads every row", () => {
    const path = join(home, `${seed}.duckdb`)
    const warehouse = DuckDb.layer.pipe(
      Layer.provide(Layer.succeed(Settings, settings({ _tag: "DuckDb", path }, { delivery: "at-least-once" })))
    )
    const write = Effect.gen(function* () {
      const { init, write } = yield* Warehouse
      yield* init
      yield* write(
        batchOf(
          "ORDERS_RAW",
          [],
          outcomes.flatMap((outcome) => (outcome._tag === "Skip" ? [] : [outcome]))
        )
      )
    })
    return Effect.andThen(
      Effect.provide(write, warehouse),
      Effect.promise(async () => {
        const { close, query } = await Inspect.duckDb(path)
        const stored = new Map<unknown, unknown>()
        for (const row of await query("SELECT KAFKA_OFFSET AS AT, RAW_EVENT::VARCHAR AS EVENT FROM BRONZE.ORDERS_RAW"))
          stored.set(row["at"], row["event"])
        for (const row of await query("SELECT KAFKA_OFFSET AS AT, PAYLOAD_BASE64 AS P FROM BRONZE.DEAD_LETTERS"))
          stored.set(row["at"], row["p"])
        outcomes.forEach((outcome, offset) => {
          const sent = isRow(outcome) ? payloadOf(outcome.event) : isLetter(outcome) ? outcome.payload : undefined
          assert.strictEqual(stored.get(offset), sent, `seed ${seed}, record ${offset}`)
        })
        assert.strictEqual(stored.size, count)
        for (const use of [
          "json_type(RAW_EVENT)",
          "RAW_EVENT->>'$.x'",
          "json_structure(RAW_EVENT)",
          "json_keys(KAFKA_HEADERS)"
        ])
          await query(`SELECT count(${use}) FROM BRONZE.ORDERS_RAW`)
        await close()
      })
    )
  })
})
