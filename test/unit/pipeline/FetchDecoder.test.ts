/** A fetch becomes parts of bounded size, in order and whole, and waits for the schemas that it names. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import type { KafkaRecord } from "../../../src/domain/KafkaRecord.ts"
import { heldBytes } from "../../../src/domain/Outcome.ts"
import * as FetchDecoder from "../../../src/pipeline/FetchDecoder.ts"
import * as BodyDecoder from "../../../src/schema/BodyDecoder.ts"
import type { SchemaId } from "../../../src/schema/Framing.ts"
import { RegistryError } from "../../../src/schema/RegistryError.ts"
import * as Settings from "../../../src/settings/Settings.ts"
import { record } from "../../support/Outcomes.ts"

const env = { SINK: "duckdb", BRONZE_ROUTES: "raw.orders.v1=ORDERS_RAW", SCHEMA_REGISTRY_URL: "http://localhost:1" }
const settings = Settings.load.pipe(Effect.provide(Settings.environment(env)))
const fetchOf = (records: ReadonlyArray<KafkaRecord>, next = records.length) => ({
  ...{ topic: "raw.orders.v1", partition: 0, from: 0, next },
  records: records.map((one, offset) => ({ ...one, offset }))
})
const framed = (id: number, hex: string) => record({ value: Buffer.from(`000000000${id}${hex}`, "hex") })

/** Schema 1 makes 1000 characters of each byte; schema 3 is not there. */
const wide = JSON.stringify({ type: "array", items: { type: "enum", name: "E", symbols: ["S".repeat(1000)] } })
const bodies: ReadonlyArray<readonly [SchemaId, string]> = [
  [1, wide],
  [2, '"int"']
]

describe("a fetch", () => {
  it.effect("is handed on in parts, so that little JSON is held beyond the byte budget", () =>
    Effect.gen(function* () {
      const find = (id: SchemaId) =>
        BodyDecoder.make(id, { type: "AVRO", schema: new Map(bodies).get(id) ?? "", references: [] })
      const decode = FetchDecoder.make(yield* settings, { find })
      const parts: Array<FetchDecoder.Decoded> = []
      // 3000 items are 3 MB of JSON, of 3 kB.
      const fetch = fetchOf(
        Array.from({ length: 20 }, () => framed(1, `f02e${"00".repeat(3001)}`)),
        22
      )
      yield* decode(fetch, (decoded) => Effect.sync(() => parts.push(decoded)))
      for (const { bytes, outcomes } of parts)
        assert.strictEqual(
          bytes,
          outcomes.reduce((sum, outcome) => sum + heldBytes(outcome), 0),
          "what is taken of the byte budget is what is given back"
        )
      assert.isAbove(parts.length, 4)
      for (const { bytes } of parts) assert.isBelow(bytes, 12 * 1024 * 1024)
      assert.deepStrictEqual(
        parts.flatMap(({ outcomes }) => outcomes.map(({ offset }) => offset)),
        [...Array.from({ length: 20 }, (_, offset) => offset), 21]
      )
      assert.strictEqual(parts.at(-1)?.outcomes.at(-1)?._tag, "Skip")
    })
  )

  it.effect("without records is what Kafka itself used", () =>
    Effect.gen(function* () {
      const find = () => new RegistryError({ reason: "unknown", message: "none" })
      const decode = FetchDecoder.make(yield* settings, { find })
      const parts: Array<FetchDecoder.Decoded> = []
      yield* decode(fetchOf([], 3), (decoded) => Effect.sync(() => parts.push(decoded)))
      assert.deepStrictEqual(
        parts.map(({ outcomes }) => outcomes.map(({ _tag, offset }) => [_tag, offset])),
        [[["Skip", 2]]]
      )
    })
  )

  it.effect("waits for its schemas, and asks for none twice that it has", () =>
    Effect.gen(function* () {
      const asked: Array<SchemaId> = []
      let answer = () => {}
      const find = (id: SchemaId) =>
        Effect.gen(function* () {
          asked.push(id)
          if (id === 3) return yield* new RegistryError({ reason: "unknown", message: "the registry has no schema 3" })
          yield* Effect.callback<void>((resume) => {
            answer = () => resume(Effect.void)
          })
          return yield* BodyDecoder.make(id, { type: "AVRO", schema: '"int"', references: [] })
        })
      const decode = FetchDecoder.make(yield* settings, { find })
      const tags: Array<string> = []
      const hand = ({ outcomes }: FetchDecoder.Decoded) =>
        Effect.sync(() => outcomes.map(({ _tag }) => tags.push(_tag)))
      const fetch = fetchOf([framed(2, "02"), framed(3, "02"), record({ value: "{}" })])
      const waiting = yield* Effect.forkChild(decode(fetch, hand))
      yield* Effect.yieldNow
      assert.deepStrictEqual(tags, [])
      answer()
      yield* Fiber.join(waiting)
      assert.deepStrictEqual(tags, ["BronzeRow", "DeadLetter", "BronzeRow"])
      yield* decode(fetch, hand)
      assert.deepStrictEqual(asked, [2, 3, 3])
    })
  )
})
