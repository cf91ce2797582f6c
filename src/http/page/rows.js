/**
 * The last rows: newest on top, held while somebody reads, filtered by what they contain, and opened one by one; and
 * the one that a link names, however old.
 */
import { messageOf } from "./api.js"
import { byId, put } from "./dom.js"
import { count, setTime } from "./format.js"
import { place } from "./place.js"
import { eventOf, stored } from "./row.js"
import { makeTable, setCells } from "./table.js"

/** @typedef {import("./row.js").Row} Row */

/** A filter looks through so many rows; without one, the newest are shown. */
const KEPT = 500
const SHOWN = 20
const NOTICED = 5

/** @param {Row} row */
const keyOf = (row) => `${place(row)} ${row.table} ${row.at}`

/**
 * Whether it contains the word; one that is a place (`topic/partition@offset`) is that place, and not one that starts
 * with it.
 * @param {Row} row
 * @param {string} word
 */
const has = (row, word) => {
  const at = place(row).toLowerCase()
  const isAt = /\/\d+@\d+$/.test(word) ? at.endsWith(word) : at.includes(word)
  return isAt || `${row.table} ${row.key ?? ""} ${row.event ?? ""}`.toLowerCase().includes(word)
}

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
  /** The place that a link named, and its row where only the table still knows it. @type {string | null} */
  let linked = null
  /** @type {Row | null} */
  let found = null
  /** Why there is no such row to show. */
  let refusal = ""

  const heads = ["Time", "Table", "@Topic/partition@offset", "~Event"]
  const table = makeTable("rows", "The last rows written, newest first", heads)
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
    const all = found === null ? (held ?? kept) : [found, ...(held ?? kept)]
    const rows = all.filter((row) => words.every((word) => has(row, word))).slice(0, SHOWN)
    const none = kept.length === 0 ? "None since the process started." : `None of the last ${kept.length} matches.`
    put("no-rows", refusal === "" ? none : refusal)
    box.classList.toggle("without-payload", !hasPayloads)
    byId("payloads-hidden").hidden = hasPayloads || kept.length === 0
    button.setAttribute("aria-pressed", String(isPausedByHand))
    const newer = totals.written - writtenWhenHeld
    put("rows-held", held === null ? "" : `Paused while you read: ${count(Math.max(0, newer))} newer`)
    table.show(rows, keyOf, update, (row) => row.classList.toggle("fresh", isNoticed))
    openLinked(rows)
  }

  /** @param {ReadonlyArray<Row>} rows */
  const openLinked = (rows) => {
    const index = rows.findIndex((row) => place(row) === linked)
    const details = table.body.children[index]?.querySelector("details")
    if (!details || !hasPayloads) return
    linked = null
    details.open = true
    details.querySelector("summary")?.focus({ preventScroll: true })
  }

  /** @param {HTMLElement} row @param {Row} view */
  const update = (row, view) => {
    setCells(row, [view.at === null ? "stored" : null, view.table, place(view)])
    if (view.at !== null) setTime(row.firstElementChild, view.at)
    if (row.lastElementChild?.childNodes.length === 0) row.lastElementChild.append(eventOf(view))
  }

  const forget = () => {
    linked = null
    found = null
    refusal = ""
  }
  const togglePause = () => {
    isPausedByHand = !isPausedByHand
    draw()
  }
  button.addEventListener("click", togglePause)
  filter.addEventListener("input", () => {
    forget()
    draw()
  })
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

  return {
    /**
     * Whether payloads come is said by a setting: a row without one may also be a tombstone.
     * @param {Snapshot} snapshot
     * @param {boolean} withPayloads
     */
    show: (snapshot, withPayloads) => {
      hasPayloads = withPayloads
      last = snapshot
      const known = new Set(kept.map(keyOf))
      const added = snapshot.rows.filter((row) => !known.has(keyOf(row)))
      isNoticed = kept.length > 0 && added.length <= NOTICED
      if (added.length > 0) kept = [...added, ...kept].slice(0, KEPT)
      draw()
    },
    /** Shows the row of one record alone, opened. @param {string} at */
    goTo: async (at) => {
      if (!(filter instanceof HTMLInputElement)) return
      forget()
      filter.value = at
      linked = at
      for (const details of box.querySelectorAll("details")) details.open = false
      held = null
      draw()
      if (kept.some((row) => place(row) === at)) return
      const answer = await stored(at).catch(messageOf)
      if (linked !== at) return
      if (typeof answer === "string") refusal = `${at} cannot be shown: ${answer}`
      // What may not be shown does not come into the page.
      else found = hasPayloads ? answer : { ...answer, key: null, event: null }
      draw()
    }
  }
}
