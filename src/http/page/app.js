/**
 * Wires the live page: what comes from the service goes into the store, and the store onto the page, once per frame at
 * most.
 */
import { showCards } from "./cards.js"
import { makeCharts } from "./charts.js"
import { byId, put, watchBoxes } from "./dom.js"
import { zone } from "./format.js"
import { showHealth, showIdentity } from "./health.js"
import { addHelp } from "./help.js"
import { makeLetters } from "./letters.js"
import { makeEvents, showProcess, showTiles } from "./now.js"
import { makeRows } from "./rows.js"
import { makeStore } from "./store.js"
import { makeStored } from "./stored.js"
import { connect } from "./stream.js"
import { makePartitions, makeSettings } from "./tables.js"
import { makeTopics } from "./topics.js"
import { makeWrites } from "./writes.js"

const store = makeStore()
const draw = makeCharts(store)
const rows = makeRows()
const showLetters = makeLetters()
const showStored = makeStored()
const showTopics = makeTopics()
const showPartitions = makePartitions()
const showWrites = makeWrites()
const showEvents = makeEvents()
const showSettings = makeSettings()
let isLost = false
/** @type {number | null} */
let lastAt = null
let isAsked = false

const show = () => {
  isAsked = false
  const snapshot = store.snapshot()
  if (snapshot === null) return
  const lines = store.lines()
  showIdentity(snapshot)
  const positions = store.positions(snapshot)
  showTiles(snapshot, lines, positions)
  showStored(snapshot)
  draw(lines)
  showTopics(snapshot)
  showPartitions(positions)
  showCards(snapshot)
  showWrites(snapshot)
  showEvents(store, snapshot)
  showProcess(snapshot)
  showLetters(snapshot)
  const settings = store.settings()
  rows.show(
    snapshot,
    settings.some(({ name, value }) => name === "HTTP_SHOW_EVENTS" && value === "true")
  )
  showSettings(settings)
  if (!byId("content").hidden) return
  byId("content").hidden = false
  goToAnchor()
}

/** The browser has looked for the anchor before there was anything to scroll to; `#row=T/P@O` opens a row. */
const goToAnchor = () => {
  const anchor = decodeURIComponent(location.hash.slice(1))
  const at = anchor.startsWith("row=") ? anchor.slice("row=".length) : undefined
  if (at !== undefined) void rows.goTo(at)
  if (anchor !== "") document.getElementById(at === undefined ? anchor : "rows")?.scrollIntoView()
}
addEventListener("hashchange", goToAnchor)

/** A page in the background draws nothing until it is looked at; but its title keeps saying how things are. */
const ask = () => {
  showHealth(store, { isLost, lastAt })
  if (isAsked) return
  isAsked = true
  requestAnimationFrame(show)
}

put("zone", zone())
watchBoxes()
addHelp()
connect({
  onHello: (hello) => store.hello(hello),
  onSnapshot: (snapshot) => {
    store.add(snapshot)
    isLost = false
    lastAt = Date.now()
    ask()
  },
  onLost: () => {
    isLost = true
    ask()
  }
})
