/** What this member reads and how it was set: its partitions and its settings. */
import { byId, find, make, put, setShare, setText } from "./dom.js"
import { count, plural, time } from "./format.js"
import { makeTable, setCells } from "./table.js"

/** More partitions than this are shown only on request. */
const OPEN = 12

export const makePartitions = () => {
  const heads = ["Topic", "#Partition", "#Lag", "#Next offset", "#Log end"]
  const table = makeTable("partitions", "Partitions of this member: lag, next offset and log end", heads)
  const details = find(byId("partitions"), "details")
  /** @param {HTMLElement} row */
  const furnish = (row) => {
    row.children[2]?.append(make("span"), make("i", "bar lag-bar"))
    row.firstElementChild?.append(make("span"), " ", make("em", "badge bad"))
  }
  return (/** @type {Positions} */ { knownAt, partitions }) => {
    byId("partitions-box").classList.toggle("old", knownAt !== null)
    const most = Math.max(1, ...partitions.map(({ lag }) => lag ?? 0))
    if (table.body.childElementCount === 0 && partitions.length > OPEN) details.removeAttribute("open")
    details.hidden = partitions.length === 0
    const assigned = partitions.length === 0 ? "" : `${plural(partitions.length, "partition")} assigned`
    put("partitions-note", knownAt === null ? assigned : `not assigned now; as of ${time(knownAt)}`)
    table.show(
      [...partitions].sort((a, b) => a.topic.localeCompare(b.topic) || a.partition - b.partition),
      ({ partition, topic }) => `${topic}/${partition}`,
      (row, { end, lag, next, partition, stopped, topic }) => {
        setCells(find(row, "th"), [topic, stopped ? "stopped" : ""])
        find(row, "em").hidden = !stopped
        setText(find(row, "td > span"), lag === null ? "not read yet" : count(lag))
        // The log's end is read now and then: what was read since cannot lie beyond it, unless the topic was recreated.
        const last = end === null ? "not read yet" : count(stopped ? end : Math.max(end, next))
        setCells(row, [null, String(partition), null, count(next), last])
        setShare(find(row, ".lag-bar"), (lag ?? 0) / most)
      },
      furnish
    )
  }
}

export const makeSettings = () => {
  const caption = "The settings of this process; secrets are redacted"
  const table = makeTable("settings", caption, ["Variable", "Value", "From"])
  return (/** @type {Hello["settings"]} */ settings) => {
    const changed = settings.filter(({ isDefault }) => !isDefault).length
    put("settings-note", `${changed} of ${settings.length} differ from the default`)
    table.show(
      settings,
      ({ name }) => name,
      (row, { isDefault, name, source, value }) => {
        row.classList.toggle("quiet", isDefault)
        setCells(row, [name, value === "" ? "not set" : value, source])
      }
    )
  }
}
