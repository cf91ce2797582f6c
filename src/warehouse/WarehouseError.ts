/** The reasons why a warehouse call fails, by what has to follow. */
import * as Schema from "effect/Schema"

/**
 * - `unavailable`: network, 5xx, 429, session expired, warehouse suspended, lock limit: retry, nothing is lost;
 * - `refused`: the data of the statement: no retry fixes it, the record at fault has to be found;
 * - `too_large`: the statement as a whole: half of it may pass;
 * - `fenced`: the ledger is not where this member left it: nothing was written, the ledger has to be read again;
 * - `denied`: credentials, role, grants, a missing database or table: somebody has to fix it.
 */
export const WarehouseErrorReason = Schema.Literals(["unavailable", "refused", "too_large", "fenced", "denied"])
export type WarehouseErrorReason = typeof WarehouseErrorReason.Type

export class WarehouseError extends Schema.TaggedError<WarehouseError>()("WarehouseError", {
  reason: WarehouseErrorReason,
  /** What happened, in the warehouse's own words, and what to do about it; never a secret, never a payload. */
  message: Schema.String,
  /** The warehouse's own code, where it has one; else the HTTP status, where that says it. */
  code: Schema.optionalKey(Schema.String),
  /** Of `unavailable`: nothing tells whether it passes. */
  isUnknown: Schema.optionalKey(Schema.Boolean),
  /**
   * Of `refused`: the records at fault, by their index among the outcomes of the batch, where the warehouse can tell.
   */
  records: Schema.optionalKey(Schema.Array(Schema.Int)),
  /**
   * Of `fenced`: whether the ledger says, in the transaction that was refused, that an earlier attempt of the same
   * write has landed.
   */
  landed: Schema.optionalKey(Schema.Boolean),
  cause: Schema.optionalKey(Schema.Defect())
}) {
  /** Whether the same call can succeed later; `denied` counts, because grants are fixed while we wait. */
  get isRetryable(): boolean {
    return this.reason === "unavailable" || this.reason === "denied"
  }

  /** Whether the warehouse said so; false for `silent`. */
  get isAnswer(): boolean {
    return this !== silent
  }
}

/** The result of an attempt that did not end within PROGRESS_TIMEOUT; the next one uses another connection. */
export const silent = new WarehouseError({
  reason: "unavailable",
  message: "no answer within PROGRESS_TIMEOUT; reconnecting"
})

/** Whatever threw while records were made into values: none of it is shown, for it may quote them. */
export const unbound = (cause: unknown): WarehouseError =>
  new WarehouseError({
    reason: "refused",
    message: `a record cannot be bound (${cause instanceof Error ? cause.name : typeof cause})`,
    cause
  })
