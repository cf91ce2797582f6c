/** How many rows the tables hold, whoever wrote them and when: asked of the warehouse now and then. */
import { get, isAskable } from "./api.js"
import { put } from "./dom.js"
import { count, plural } from "./format.js"

/** The service counts more rarely where counting costs something. */
const PAUSE_MS = 5_000

/** @param {unknown} body @returns {{ tables: ReadonlyArray<{ table: string, rows: number }>, pendingDeadLetters: number }} */
const decode = (body) =>
  body !== null &&
  typeof body === "object" &&
  "tables" in body &&
  Array.isArray(body.tables) &&
  "pendingDeadLetters" in body &&
  typeof body.pendingDeadLetters === "number"
    ? { tables: body.tables, pendingDeadLetters: body.pendingDeadLetters }
    : { tables: [], pendingDeadLetters: 0 }

export const makeStored = () => {
  let askedAt = 0
  const ask = async () => {
    const { pendingDeadLetters, tables } = decode(await get("/api/stored"))
    const rows = tables.reduce((sum, { rows, table }) => (table === "DEAD_LETTERS" ? sum : sum + rows), 0)
    const waiting = pendingDeadLetters === 0 ? "" : `; ${plural(pendingDeadLetters, "dead letter")} pending`
    put("stored", `${count(rows)} in the tables${waiting}`)
  }
  return (/** @type {Snapshot} */ snapshot) => {
    if (!isAskable(snapshot) || document.hidden || Date.now() - askedAt < PAUSE_MS) return
    askedAt = Date.now()
    // A warehouse that does not answer is said by the health above; an old count would mislead.
    ask().catch(() => put("stored", ""))
  }
}
