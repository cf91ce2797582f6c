/**
 * The last rows and dead letters that became durable, for people to look at; a few of them, and payloads only where
 * that was asked for.
 */
import { type Batch, deadLettersOf, rowsOf } from "../domain/Batch.ts"
import type { DeadLetterView, RowView } from "./ProgressView.ts"

/** How many of each. */
export const count = 20

/** How much of a payload is kept, in characters. */
const maxEvent = 2000

export const make = (showEvents: boolean) => {
  let rows: ReadonlyArray<RowView> = []
  let letters: ReadonlyArray<DeadLetterView> = []
  const before = <A>(newest: ReadonlyArray<A>, older: ReadonlyArray<A>): ReadonlyArray<A> =>
    [...newest, ...older].slice(0, count)

  return {
    add: (batch: Batch, at: number): void => {
      const newRows = rowsOf(batch).slice(-count).reverse()
      const newLetters = deadLettersOf(batch).slice(-count).reverse()
      rows = before(
        newRows.map(({ event, offset, partition, topic }) => ({
          ...{ at, table: batch.table.name, topic, partition, offset },
          event: showEvents ? (event?.slice(0, maxEvent) ?? null) : null
        })),
        rows
      )
      letters = before(
        newLetters.map(({ cause, message, offset, partition, topic }) => ({
          ...{ at, topic, partition, offset, cause, message }
        })),
        letters
      )
    },
    rows: () => rows,
    deadLetters: () => letters
  }
}
