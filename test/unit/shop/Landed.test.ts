/** What the shop says of a record it has sent: nothing that the service's figures do not bear out. */
import { assert, describe, it } from "@effect/vitest"
import { judge, type Landed } from "../../../scripts/shop/landed.ts"

const at = { topic: "raw.clicks.v1", partition: 0, offset: 57 }
const clicks = { id: "topic-1", table: "CLICKS_RAW" }
const partition = { topic: "raw.clicks.v1", partition: 0, next: 58, stopped: false, topicId: "topic-1" }
const quiet = { partitions: [partition], deadLetters: [], rows: [] }
const letter = (offset: number) => ({ ...at, offset, at: 0, cause: "not_json" })
const others = Array.from({ length: 20 }, (_, index) => letter(58 + index))
const row: Landed = { state: "row", table: "CLICKS_RAW" }

describe("a record", () => {
  it("is a row once the offset after it is next", () => {
    assert.deepStrictEqual(judge(quiet, at, clicks), row)
    for (const next of [0, 57])
      assert.deepStrictEqual(judge({ ...quiet, partitions: [{ ...partition, next }] }, at, clicks), {
        state: "unknown"
      })
  })

  it("is a dead letter when the service lists it as one", () => {
    assert.deepStrictEqual(judge({ ...quiet, deadLetters: [letter(56), letter(57)] }, at, clicks), {
      state: "dead letter",
      table: "DEAD_LETTERS",
      cause: "not_json"
    })
  })

  it("is written, no more than that, when it may have left the list of dead letters", () => {
    assert.deepStrictEqual(judge({ ...quiet, deadLetters: others }, at, clicks), { state: "written" })
    assert.deepStrictEqual(judge({ ...quiet, deadLetters: others, rows: [at] }, at, clicks), row)
  })

  it("is unknown while another member has its partition, or the service reads another topic of this name", () => {
    for (const other of [
      { ...partition, partition: 1 },
      { ...partition, topic: "raw.orders.v1" },
      { ...partition, topicId: "topic-2" }
    ])
      assert.deepStrictEqual(judge({ ...quiet, partitions: [other] }, at, clicks), { state: "unknown" })
    assert.deepStrictEqual(judge(quiet, at, { ...clicks, id: undefined }), row)
  })
})
