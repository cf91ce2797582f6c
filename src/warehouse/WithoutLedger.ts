/** What a warehouse says of positions that Kafka alone keeps: they are where Kafka says, and nobody is fenced. */
import * as Effect from "effect/Effect"
import type { Warehouse } from "./Warehouse.ts"

export const withoutLedger: Pick<Warehouse["Service"], "claim" | "reset" | "ledger"> = {
  claim: (starts, owner) =>
    Effect.succeed(starts.map(({ offset, ...place }) => ({ ...place, owner, epoch: 0, next: offset }))),
  reset: () => Effect.void,
  ledger: Effect.succeed([])
}
