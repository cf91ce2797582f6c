/** Runs the statements of `init`: a table that cannot be made keeps no other from being made. */
import * as Effect from "effect/Effect"
import type { WarehouseError } from "../WarehouseError.ts"

/** Fails at the end with the first refusal; at once with any other failure. */
export const runAll = Effect.fnUntraced(function* (
  statements: ReadonlyArray<string>,
  execute: (sql: string) => Effect.Effect<unknown, WarehouseError>
): Effect.fn.Return<void, WarehouseError> {
  const refusals: Array<WarehouseError> = []
  for (const sql of statements)
    yield* Effect.catchIf(
      execute(sql),
      ({ reason }) => reason === "denied",
      (error) => Effect.sync(() => void refusals.push(error))
    )
  const [first] = refusals
  if (first !== undefined) return yield* first
})
