/** A card for each table that is written: what closed its batches, and how large and how fast they were. */
import { byId, find, keyed, make, setText } from "./dom.js"
import { count, duration, plural, say } from "./format.js"
import { setCells } from "./table.js"

const triggers = /** @type {const} */ (["size", "time", "bytes", "shutdown", "rebalance"])
/** @param {number} value */
const inTime = (value) => say(duration(value))
const measures = /** @type {const} */ ([
  ["rows", "Rows per batch", count],
  ["write", "Write time", inTime],
  ["freshness", "Freshness", inTime]
])

/** @param {string} text @param {string} scope @param {string} [className] */
const header = (text, scope, className) => {
  const cell = make("th", className, text)
  cell.setAttribute("scope", scope)
  return cell
}

const create = () => {
  const segments = make("div", "segments", ...triggers.map((trigger) => make("i", `segment ${trigger}`)))
  const counts = triggers.map((trigger) =>
    make("div", "", make("dt", "", make("i", `dot ${trigger}`), trigger), make("dd", trigger))
  )
  const nothing = make("p", "nothing empty-line", "Nothing written in the last minute.")
  const heads = ["p50", "p95", "p99"].map((text) => header(text, "col", "number"))
  const head = make("thead", "", make("tr", "", header("Last minute", "col"), ...heads))
  const rows = measures.map(([, name]) => make("tr", "", header(name, "row"), ...heads.map(() => make("td", "number"))))
  const figures = make("table", "", make("caption", "unseen"), head, make("tbody", "", ...rows))
  const title = make("div", "head", make("h3"), make("span", "note written"))
  return make("article", "panel", title, segments, make("dl", "triggers", ...counts), nothing, figures)
}

/** @param {HTMLElement} card @param {Snapshot["tables"][number]} view */
const update = (card, view) => {
  const { batches, table, written } = view
  setText(find(card, "h3"), table)
  setText(find(card, ".written"), `${plural(written, "row")} written`)
  setText(find(card, "caption"), `Rows per batch, write time and freshness of ${table} in the last minute`)
  for (const trigger of triggers) {
    const segment = find(card, `.segment.${trigger}`)
    segment.style.setProperty("flex-grow", String(batches[trigger]))
    segment.hidden = batches[trigger] === 0
    setText(find(card, `dd.${trigger}`), count(batches[trigger]))
  }
  const isEmpty = measures.every(([key]) => view[key] === null)
  find(card, "table").hidden = isEmpty
  find(card, ".nothing").hidden = !isEmpty
  measures.forEach(([key, , text], index) => {
    const row = find(card, "tbody").children[index]
    const values = view[key]
    const texts = values === null ? ["–", "–", "–"] : [values.p50, values.p95, values.p99].map(text)
    if (row !== undefined) setCells(row, [null, ...texts])
  })
}

/** @param {Snapshot} snapshot */
export const showCards = ({ tables }) => {
  byId("no-tables").hidden = tables.length > 0
  keyed(byId("tables-list"), tables, ({ table }) => table, create, update)
}
