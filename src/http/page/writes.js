// @ts-check
/** The last writes: when, how much, how long, what closed the batch, and which offsets it covers. */
import { byId, keyed, makeRow, setCells } from "./dom.js"
import { bytes, count, duration, say, setTime } from "./format.js"
import { place } from "./place.js"

/** @typedef {import("../Snapshot.ts").Snapshot} Snapshot */
/** @typedef {Snapshot["lastWrites"][number]} Write */

/** @param {Write["ranges"][number]} range */
const covered = ({ from, next, ...partition }) => {
  const first = place({ ...partition, offset: from })
  return next - from === 1 ? first : `${first}–${next - 1}`
}

/** @param {Snapshot} snapshot */
export const showWrites = ({ lastWrites: writes }) => {
  byId("no-writes").hidden = writes.length > 0
  byId("writes-box").hidden = writes.length === 0
  keyed(
    byId("writes-rows"),
    writes,
    ({ at, ranges, table }) => `${at} ${table} ${ranges.map(covered).join()}`,
    () => {
      const row = makeRow(7, [2, 3, 4])
      row.lastElementChild?.classList.add("coordinates")
      return row
    },
    (row, write) => {
      const { ranges, seconds, table, trigger } = write
      // What a write covered does not change.
      if (row.lastElementChild?.textContent !== "") return
      const more = ranges.length > 1 ? ` and ${count(ranges.length - 1)} more` : ""
      const first = ranges[0] === undefined ? "" : `${covered(ranges[0])}${more}`
      setCells(row, ["", table, count(write.rows), say(bytes(write.bytes)), say(duration(seconds)), trigger, first])
      setTime(row.firstElementChild ?? undefined, write.at)
      row.lastElementChild.setAttribute("title", ranges.map(covered).join("\n"))
    }
  )
}
