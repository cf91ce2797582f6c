/**
 * Waiting for a table's lock: Snowflake fails the statement that waited too long and leaves its transaction open, with
 * all that it has inserted.
 */
import * as Effect from "effect/Effect"
import * as Schedule from "effect/Schedule"
import type { WarehouseError } from "../WarehouseError.ts"

/** 000625: too many wait for it already (20, on newer accounts 50); 000627: LOCK_TIMEOUT is over. */
export const isLockError = ({ code }: WarehouseError): boolean => code === "000625" || code === "000627"

/**
 * With LOCK_TIMEOUT at 60 s that is longer than an orphaned lock lasts; PROGRESS_TIMEOUT ends it before that by
 * default.
 */
const tries = 10

/** Sends the statement again, in its transaction, for as long as it fails for the lock alone. */
export const whileLocked = <A>(statement: Effect.Effect<A, WarehouseError>): Effect.Effect<A, WarehouseError> =>
  statement.pipe(
    Effect.tapError((error) =>
      isLockError(error) ? Effect.logWarning(`Still waiting for a table's lock: ${error.message}`) : Effect.void
    ),
    Effect.retry({
      while: isLockError,
      times: tries,
      schedule: Schedule.min([Schedule.exponential("200 millis"), Schedule.spaced("2 seconds")]).pipe(Schedule.jittered)
    })
  )
