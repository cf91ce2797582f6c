/** Points in time as commands and API tell them. */
import { assert, describe, it } from "@effect/vitest"
import * as Schema from "effect/Schema"
import * as Instants from "../../../src/domain/Instants.ts"

describe("Instants", () => {
  it("are ISO 8601 text wherever a report has one, and nowhere else", () => {
    assert.deepStrictEqual(
      Instants.inText({
        ...{ at: 1_770_460_200_123, offset: 1_770_460_200_123, seconds: 1.5, lag: null },
        service: { startedAt: 0, url: "http://localhost" },
        tables: [
          { lastWriteAt: null, table: "at" },
          { lastWriteAt: 1, data: 2 }
        ]
      }),
      {
        ...{ at: "2026-02-07T10:30:00.123Z", offset: 1_770_460_200_123, seconds: 1.5, lag: null },
        service: { startedAt: "1970-01-01T00:00:00.000Z", url: "http://localhost" },
        tables: [
          { lastWriteAt: null, table: "at" },
          { lastWriteAt: "1970-01-01T00:00:00.001Z", data: 2 }
        ]
      }
    )
  })

  it("are the same after text and back, also where no date of four digits can be made", () => {
    const encode = Schema.encodeSync(Instants.FromText)
    const decode = Schema.decodeSync(Instants.FromText)
    for (const millis of [0, 1_770_460_200_123, 253_402_300_799_999, 253_402_300_800_000, -1, 9_007_199_254_740_991])
      assert.strictEqual(decode(encode(millis)), millis)
    assert.strictEqual(decode("2026-02-07T12:30:00+02:00"), 1_770_460_200_000)
    for (const wrong of ["", "yesterday", "2026-13-01", "1e999"]) assert.throws(() => decode(wrong))
  })
})
