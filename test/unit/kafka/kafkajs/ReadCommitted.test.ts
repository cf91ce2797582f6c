/** The rules of aborted transactions, batch by batch. */
import { assert, describe, it } from "@effect/vitest"
import * as ReadCommitted from "../../../../src/kafka/kafkajs/ReadCommitted.ts"

const data = (producerId: bigint, lastOffset: number, isTransactional = true): ReadCommitted.BatchOfProducer => ({
  ...{ producerId, lastOffset, isTransactional },
  isAbortMarker: false
})
const abort = (producerId: bigint, lastOffset: number): ReadCommitted.BatchOfProducer => ({
  ...data(producerId, lastOffset),
  isAbortMarker: true
})
const aborted = (
  transactions: ReadonlyArray<readonly [producerId: bigint, firstOffset: number]>,
  batches: ReadonlyArray<ReadCommitted.BatchOfProducer>
) => {
  const isAborted = ReadCommitted.make(transactions.map(([producerId, firstOffset]) => ({ producerId, firstOffset })))
  return batches.flatMap((batch) => (isAborted(batch) ? [batch.lastOffset] : []))
}

describe("aborted transactions", () => {
  it("are listed in the order of their ends, and begin in another", () => {
    const batches = [data(1n, 0), data(2n, 1), data(1n, 2), abort(2n, 3), data(1n, 4), abort(1n, 5), data(2n, 6)]
    assert.deepStrictEqual(
      aborted(
        [
          [2n, 1],
          [1n, 0]
        ],
        batches
      ),
      [0, 1, 2, 4]
    )
  })
  it("of several producers may have begun before the fetch", () => {
    const batches = [data(3n, 100), data(1n, 101), data(2n, 102), abort(1n, 103), abort(2n, 104), data(3n, 105)]
    assert.deepStrictEqual(
      aborted(
        [
          [1n, 7],
          [2n, 5]
        ],
        batches
      ),
      [101, 102]
    )
  })
  it("end with their own producer's marker, and the producer may commit afterwards", () => {
    const batches = [data(1n, 0), abort(1n, 1), data(1n, 2), data(1n, 4), abort(1n, 5), data(1n, 6)]
    assert.deepStrictEqual(
      aborted(
        [
          [1n, 0],
          [1n, 4]
        ],
        batches
      ),
      [0, 4]
    )
  })
  it("leave records outside of transactions alone", () => {
    assert.deepStrictEqual(aborted([[1n, 0]], [data(1n, 0, false), data(1n, 1)]), [1])
  })
})
