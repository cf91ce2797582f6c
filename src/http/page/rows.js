// @ts-check
/**
 * The last rows: newest on top, held while somebody reads, filtered by what they contain, and opened to be read and
 * copied.
 */
import { copyText } from "./copy.js"
import { byId, keyed, make, makeRow, put, setText } from "./dom.js"
import { count, plural, setTime } from "./format.js"
import { pretty } from "./json.js"
import { place } from "./place.js"

/** @typedef {import("../Snapshot.ts").Snapshot} Snapshot */
/** @typedef {Snapshot["rows"][number]} Row */

/** A filter looks through so many rows; without one, the newest are shown. */
const KEPT = 500
const SHOWN = 20
const NOTICED = 5

/** @param {Row} row */
const keyOf = (row) => `${place(row)} ${row.table} ${row.at}`
/** @param {Row} row */
const textOf = (row) => `${row.table} ${place(row)} ${row.key ?? ""} ${row.event ?? ""}`.toLowerCase()

export const makeRows = () => {
  /** @type {ReadonlyArray<Row>} */
  let kept = []
  /** What stands on the page while it is held; null while it is not. @type {ReadonlyArray<Row> | null} */
  let held = null
  let writtenWhenHeld = 0
  let isPausedByHand = false
  let isUnderMouse = false
  /** A few rows that come in are noticed; a stream of them would only flicker. */
  let isNoticed = false
  let hasPayloads = false
  /** @type {Snapshot | null} */
  let last = null

  const box = byId("rows-box")
  const button = byId("rows-pause")
  const filter = byId("rows-filter")
  const wanted = () => (filter instanceof HTMLInputElement ? filter.value.trim().toLowerCase() : "")
  const isHeld = () => isPausedByHand || isUnderMouse || box.querySelector("details[open]") !== null

  const draw = () => {
    if (last === null) return
    const { totals } = last
    if (!isHeld()) held = null
    else if (held === null) {
      held = kept
      writtenWhenHeld = totals.written
    }
    const words = wanted().split(/\s+/)
    const rows = (held ?? kept).filter((row) => words.every((word) => textOf(row).includes(word))).slice(0, SHOWN)
    byId("no-rows").hidden = rows.length > 0
    put("no-rows", kept.length === 0 ? "None since the process started." : `None of the last ${kept.length} matches.`)
    box.hidden = rows.length === 0
    box.classList.toggle("without-payload", !hasPayloads)
    byId("payloads-hidden").hidden = hasPayloads || kept.length === 0
    button.setAttribute("aria-pressed", String(isPausedByHand))
    const newer = totals.written - writtenWhenHeld
    put("rows-held", held === null ? "" : `Paused while you read: ${count(Math.max(0, newer))} newer`)
    keyed(byId("rows-rows"), rows, keyOf, () => create(isNoticed), update)
  }

  /** @param {boolean} isNew */
  const create = (isNew) => {
    const row = makeRow(4)
    if (isNew) row.classList.add("fresh")
    row.children[2]?.classList.add("coordinates")
    row.children[3]?.classList.add("payload")
    return row
  }

  /** @param {HTMLElement} row @param {Row} view */
  const update = (row, view) => {
    const [at, table, where, payload] = row.children
    setTime(at, view.at)
    if (table !== undefined) setText(table, view.table)
    if (where !== undefined) setText(where, place(view))
    if (payload !== undefined && payload.childNodes.length === 0) payload.append(payloadOf(view))
  }

  const togglePause = () => {
    isPausedByHand = !isPausedByHand
    draw()
  }
  button.addEventListener("click", togglePause)
  filter.addEventListener("input", draw)
  // `toggle` does not bubble.
  box.addEventListener("toggle", draw, true)
  // A page that scrolls below a resting mouse is not read by it.
  box.addEventListener("pointermove", ({ movementX, movementY, pointerType }) => {
    if (pointerType !== "mouse" || isUnderMouse || (movementX === 0 && movementY === 0)) return
    isUnderMouse = true
    draw()
  })
  box.addEventListener("pointerleave", () => {
    isUnderMouse = false
    draw()
  })
  document.addEventListener("keydown", (event) => {
    const isTyping = event.target instanceof Element && event.target.closest("input, textarea, select, dialog") !== null
    if (event.key === "p" && !isTyping && !event.ctrlKey && !event.metaKey && !event.altKey) togglePause()
  })

  /**
   * Whether payloads come is said by a setting: a row without one may also be a tombstone.
   * @param {Snapshot} snapshot
   * @param {boolean} withPayloads
   */
  return (snapshot, withPayloads) => {
    hasPayloads = withPayloads
    last = snapshot
    const known = new Set(kept.map(keyOf))
    const added = snapshot.rows.filter((row) => !known.has(keyOf(row)))
    isNoticed = kept.length > 0 && added.length <= NOTICED
    if (added.length > 0) kept = [...added, ...kept].slice(0, KEPT)
    draw()
  }
}

/** One line; opened, the whole of it, indented, with a button that copies it as it came. @param {Row} row */
const payloadOf = (row) => {
  const { event, key } = row
  if (event === null) return make("span", "none", "no value (a tombstone)")
  const copy = make("button", "small", "Copy")
  copy.type = "button"
  copy.addEventListener("click", () => copyText(copy, event))
  const about = `${place(row)}${key === null ? "" : `, key ${key}`}, ${plural(event.length, "character")}`
  const tools = make("p", "tools", copy, " ", make("span", "note", about))
  return make("details", "", make("summary", "", event.replace(/\s+/g, " ")), tools, make("pre", "", pretty(event)))
}
