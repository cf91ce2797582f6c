/** The last writes: when, how much, how long, what closed the batch, and which offsets it covers. */
import { bytes, count, duration, say, setTime } from "./format.js"
import { place } from "./place.js"
import { makeTable, setCells } from "./table.js"

/** @param {Snapshot["lastWrites"][number]["ranges"][number]} range */
const covered = ({ from, next, ...partition }) => {
  const first = place({ ...partition, offset: from })
  return next - from === 1 ? first : `${first}–${next - 1}`
}

const heads = ["Time", "Table", "#Rows", "#Bytes", "#Write time", "Trigger", "@Offsets"]

export const makeWrites = () => {
  const table = makeTable("writes", "The last writes that became durable, newest first", heads)
  return (/** @type {Snapshot} */ { lastWrites }) =>
    table.show(
      lastWrites,
      ({ at, ranges, table }) => `${at} ${table} ${ranges.map(covered).join()}`,
      (row, write) => {
        // What a write covered does not change.
        if (row.lastElementChild?.textContent !== "") return
        const [first, ...others] = write.ranges.map(covered)
        const more = others.length > 0 ? ` and ${count(others.length)} more` : ""
        const { rows, seconds, table, trigger } = write
        const sizes = [count(rows), say(bytes(write.bytes)), say(duration(seconds))]
        setCells(row, [null, table, ...sizes, trigger, `${first ?? ""}${more}`])
        setTime(row.firstElementChild, write.at)
        row.lastElementChild.setAttribute("title", [first, ...others].join("\n"))
      }
    )
}
