// @ts-check
/** The tables of the page: partitions, the tables that are written, settings. */
import { byId, find, keyed, make, makeRow, put, setCells, setShare, setText } from "./dom.js"
import { count, duration, plural, say, time } from "./format.js"

/** @typedef {import("../Snapshot.ts").Snapshot} Snapshot */
/** @typedef {Snapshot["tables"][number]} TableView */
/** @typedef {NonNullable<Snapshot["write"]>} Percentiles */

const triggers = /** @type {const} */ (["size", "time", "bytes", "shutdown", "rebalance"])

/** More partitions than this are shown only on request. */
const OPEN = 12

/** @param {ReturnType<import("./store.js").Store["positions"]>} positions */
export const showPartitions = ({ knownAt, partitions }) => {
  byId("partitions-box").classList.toggle("old", knownAt !== null)
  const most = Math.max(1, ...partitions.map(({ lag }) => lag ?? 0))
  const isFirst = byId("partitions-rows").childElementCount === 0
  if (isFirst && partitions.length > OPEN) find(byId("partitions"), "details").removeAttribute("open")
  byId("no-partitions").hidden = partitions.length > 0
  find(byId("partitions"), "details").hidden = partitions.length === 0
  const assigned = partitions.length === 0 ? "" : `${plural(partitions.length, "partition")} assigned`
  put("partitions-note", knownAt === null ? assigned : `not assigned now; as of ${time(knownAt)}`)
  keyed(
    byId("partitions-rows"),
    [...partitions].sort((a, b) => a.topic.localeCompare(b.topic) || a.partition - b.partition),
    ({ partition, topic }) => `${topic}/${partition}`,
    () => {
      const row = makeRow(5, [1, 2, 3, 4])
      row.children[2]?.append(make("span"), make("i", "bar lag-bar"))
      row.firstElementChild?.append(make("span"), " ", make("em", "badge bad"))
      return row
    },
    (row, { end, lag, next, partition, stopped, topic }) => {
      setCells(find(row, "th"), [topic, stopped ? "stopped" : ""])
      find(row, "em").hidden = !stopped
      const [, number, behind, at, to] = row.children
      if (number !== undefined) setText(number, String(partition))
      if (at !== undefined) setText(at, count(next))
      // The log's end is read now and then: what was read since cannot lie beyond it, unless the topic was recreated.
      if (to !== undefined) setText(to, end === null ? "not read yet" : count(stopped ? end : Math.max(end, next)))
      if (behind !== undefined) setCells(behind, [lag === null ? "not read yet" : count(lag)])
      setShare(find(row, ".lag-bar"), (lag ?? 0) / most)
    }
  )
}

/** @param {Snapshot} snapshot */
export const showTables = ({ tables }) => {
  byId("no-tables").hidden = tables.length > 0
  keyed(byId("tables-list"), tables, ({ table }) => table, makeTable, updateTable)
}

const makeTable = () => {
  const template = byId("table-template")
  const node = template instanceof HTMLTemplateElement ? template.content.cloneNode(true) : null
  const card = node instanceof DocumentFragment ? node.firstElementChild : null
  if (!(card instanceof HTMLElement)) throw new Error("index.html has no usable #table-template")
  return card
}

/** @param {HTMLElement} card @param {TableView} view */
const updateTable = (card, { batches, freshness, rows, table, write, written }) => {
  setText(find(card, "h3"), table)
  setText(find(card, ".written"), `${plural(written, "row")} written`)
  setText(find(card, "caption"), `Rows per batch, write time and freshness of ${table} in the last minute`)
  for (const trigger of triggers) {
    find(card, `.segment.${trigger}`).style.setProperty("flex-grow", String(batches[trigger]))
    find(card, `.segment.${trigger}`).hidden = batches[trigger] === 0
    setText(find(card, `dd.${trigger}`), count(batches[trigger]))
  }
  const isEmpty = rows === null && write === null && freshness === null
  find(card, ".percentiles").hidden = isEmpty
  find(card, ".nothing").hidden = !isEmpty
  setPercentiles(find(card, ".rows"), rows, count)
  setPercentiles(find(card, ".write"), write, (value) => say(duration(value)))
  setPercentiles(find(card, ".freshness"), freshness, (value) => say(duration(value)))
}

/** @param {Element} row @param {Percentiles | null} percentiles @param {(value: number) => string} text */
const setPercentiles = (row, percentiles, text) => {
  const values = percentiles === null ? [] : [percentiles.p50, percentiles.p95, percentiles.p99]
  for (const index of [0, 1, 2]) {
    const cell = row.children[index + 1]
    const value = values[index]
    if (cell !== undefined) setText(cell, value === undefined ? "–" : text(value))
  }
}

/** @param {import("../Snapshot.ts").Hello["settings"]} settings */
export const showSettings = (settings) => {
  const changed = settings.filter(({ isDefault }) => !isDefault).length
  put("settings-note", `${changed} of ${settings.length} differ from the default`)
  keyed(
    byId("settings-rows"),
    settings,
    ({ name }) => name,
    () => makeRow(3),
    (row, { isDefault, name, source, value }) => {
      row.classList.toggle("quiet", isDefault)
      setCells(row, [name, value === "" ? "not set" : value, source])
    }
  )
}
