/** The dead letters at given places, each place once, whether they wait or were replayed. */
import * as Effect from "effect/Effect"
import * as Coordinates from "../domain/Coordinates.ts"
import type { StoredDeadLetter } from "../domain/DeadLetters.ts"
import type { Position } from "../domain/KafkaRecord.ts"
import { Warehouse } from "../warehouse/Warehouse.ts"

/** Where delivery is at-least-once a letter may be there more often; hardly ever as often as this. */
const copies = 100

/** Of several copies one that waits. */
export const distinct = (letters: ReadonlyArray<StoredDeadLetter>): ReadonlyArray<StoredDeadLetter> => {
  const places = new Map<string, StoredDeadLetter>()
  for (const letter of letters) {
    const other = places.get(Coordinates.format(letter))
    if (other === undefined || (other.replayedAt !== null && letter.replayedAt === null))
      places.set(Coordinates.format(letter), letter)
  }
  return [...places.values()]
}

export const find = Effect.fnUntraced(function* (at: ReadonlyArray<Position>, options: { readonly payload: boolean }) {
  const { deadLetters } = yield* Warehouse
  return distinct(yield* deadLetters({ ...options, at, replayed: true, limit: copies * at.length }))
})
