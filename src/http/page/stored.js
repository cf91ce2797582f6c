/** How many rows the tables hold, whoever wrote them and when: asked of the warehouse now and then. */
import { get, isAskable } from "./api.js"
import { put } from "./dom.js"
import { count, plural, time } from "./format.js"

/** The service counts more rarely where counting costs something. */
const PAUSE_MS = 5_000

/**
 * @typedef {{ readonly at: string, readonly pendingDeadLetters: number,
 *   readonly tables: ReadonlyArray<{ readonly table: string, readonly rows: number }> }} Stored
 */

export const makeStored = () => {
  let askedAt = 0
  const ask = async () => {
    const { at, pendingDeadLetters, tables } = /** @type {Stored} */ (await get("/api/stored"))
    const rows = tables.reduce((sum, { rows, table }) => (table === "DEAD_LETTERS" ? sum : sum + rows), 0)
    const waiting = pendingDeadLetters === 0 ? "" : `; ${plural(pendingDeadLetters, "dead letter")} pending`
    put("stored", `${count(rows)} in the tables at ${time(Date.parse(at))}${waiting}`)
  }
  return (/** @type {Snapshot} */ snapshot) => {
    if (!isAskable(snapshot) || document.hidden || Date.now() - askedAt < PAUSE_MS) return
    askedAt = Date.now()
    // A warehouse that does not answer is said by the health above; an old count would mislead.
    ask().catch(() => put("stored", ""))
  }
}
