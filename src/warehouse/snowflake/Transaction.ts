/** The transaction that a session is in: what tells that it is still the one that was begun. */
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { decodeRows } from "../sql/LedgerRows.ts"
import type { WarehouseError } from "../WarehouseError.ts"
import type { Session } from "./Driver.ts"

const decode = decodeRows(Schema.Struct({ ID: Schema.NullOr(Schema.String) }))

/** Its id; empty where there is none. */
export const current = (session: Session): Effect.Effect<string, WarehouseError> =>
  Effect.map(Effect.flatMap(session.query("SELECT CURRENT_TRANSACTION() AS ID"), decode), ([row]) => row?.ID ?? "")
