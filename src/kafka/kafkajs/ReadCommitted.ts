/**
 * Which record batches of a fetch belong to aborted transactions. Kafka's rules: a list of aborted transactions comes
 * with each fetch, in no order that helps; one begins at its first offset and ends with its producer's abort marker,
 * the only records that end one.
 */

/** As a fetch response lists it; the transaction may have begun before the first batch of the fetch. */
export interface AbortedTransaction {
  readonly producerId: bigint
  readonly firstOffset: number
}

export interface BatchOfProducer {
  readonly producerId: bigint
  readonly lastOffset: number
  readonly isTransactional: boolean
  /** Whether it is a control batch that ends an aborted transaction. */
  readonly isAbortMarker: boolean
}

/** To be asked for each batch of a partition's fetch, in order. */
export const make = (aborted: ReadonlyArray<AbortedTransaction>): ((batch: BatchOfProducer) => boolean) => {
  const waiting = [...aborted].sort((a, b) => a.firstOffset - b.firstOffset)
  const open = new Set<bigint>()
  let next = 0
  return ({ isAbortMarker, isTransactional, lastOffset, producerId }) => {
    for (let entry = waiting[next]; entry !== undefined && entry.firstOffset <= lastOffset; entry = waiting[++next])
      open.add(entry.producerId)
    if (isAbortMarker) open.delete(producerId)
    return isTransactional && !isAbortMarker && open.has(producerId)
  }
}
