/**
 * The last rows and dead letters that became durable, for people to look at; a few of them, and payloads only where
 * that was asked for.
 */

import { type Batch, deadLettersOf, rowsOf } from "../domain/Batch.ts"
import { decoded } from "../domain/Bytes.ts"
import type { DeadLetterView, RowView } from "./ProgressView.ts"

/** How many of each. */
export const count = 20

/** How much of a payload is kept, in bytes. */
const maxEvent = 2000

/** How much of a key, in characters. */
const maxKey = 200

export const make = (showEvents: boolean) => {
  let rows: ReadonlyArray<RowView> = []
  let letters: ReadonlyArray<DeadLetterView> = []
  const before = <A>(newest: ReadonlyArray<A>, older: ReadonlyArray<A>): ReadonlyArray<A> =>
    [...newest, ...older].slice(0, count)

  return {
    /** Notes the newest of a batch; to be called once it is durable. */
    accepted: (batch: Batch): ((at: number) => void) => {
      const table = batch.table.name
      const newRows = rowsOf(batch)
        .slice(-count)
        .reverse()
        .map(({ event, key, offset, partition, topic }) => ({
          ...{ table, topic, partition, offset },
          key: showEvents && key !== null ? key.slice(0, maxKey) : null,
          event: showEvents && event !== null ? decoded(event.subarray(0, maxEvent)) : null
        }))
      const newLetters = deadLettersOf(batch)
        .slice(-count)
        .reverse()
        .map(({ cause, message, offset, partition, topic }) => ({ topic, partition, offset, cause, message }))
      return (at) => {
        rows = before(
          newRows.map((row) => ({ at, ...row })),
          rows
        )
        letters = before(
          newLetters.map((letter) => ({ at, ...letter })),
          letters
        )
      }
    },
    rows: () => rows,
    deadLetters: () => letters
  }
}
