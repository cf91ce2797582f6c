/**
 * The four charts: 15 minutes to 6 hours as lines, outages shaded, the values under the pointer beside their names, and
 * the same in a sentence for those who do not see them. Dragging zooms.
 */
import { byId, make, put, setText } from "./dom.js"
import { compact, count, duration, perSecond, say, time, timeOfTick } from "./format.js"
import { makePlot } from "./plot.js"
import { makeRange } from "./range.js"

/** @param {number} value */
const inEvents = (value) => say(perSecond(value))
/** @param {number} value */
const inSeconds = (value) => say(duration(value))
/** Ticks are round numbers: 2 s, not 2.00 s. @param {number} value */
const roundly = (value) =>
  value === 0
    ? "0"
    : inSeconds(value)
        .replace(/(\.\d*?)0+(?=\D|$)/, "$1")
        .replace(/\.(?=\D|$)/, "")

/**
 * `lines`: which of the store's; `least`: what the scale shows at least; `text`: a value with its unit; `tick`: a value
 * on the scale.
 */
const charts = [
  {
    ...{ id: "rates", title: "Events per second", about: "mean of 10 s", none: "Two samples are needed for a rate." },
    ...{ lines: [0, 1], names: ["in", "written"], least: 10, text: inEvents, tick: compact }
  },
  {
    ...{ id: "lag", title: "Lag", about: "records behind the log end", none: "The log end has not been read yet." },
    ...{ lines: [2], names: ["lag"], least: 10, text: count, tick: compact }
  },
  {
    ...{
      id: "write",
      title: "Write time",
      about: "of the minute before each point",
      none: "No writes in this period."
    },
    ...{ lines: [3, 4], names: ["p50", "p99"], least: 0.02, text: inSeconds, tick: roundly }
  },
  {
    ...{ id: "freshness", title: "Freshness", about: "event time to durable row", none: "No writes in this period." },
    ...{ lines: [5, 6], names: ["p50", "p99"], least: 1, text: inSeconds, tick: roundly }
  }
]

/** @typedef {(typeof charts)[number]} Chart */

/** @param {number} at @param {number} step */
const timeTick = (at, step) => (step < 60 ? time(at * 1000) : timeOfTick(at * 1000))

/** The sample nearest to a time. @param {ReadonlyArray<number>} at @param {number} wanted */
const nearest = (at, wanted) => {
  const after = at.findIndex((one) => one >= wanted)
  if (after <= 0) return after === 0 ? 0 : at.length - 1
  return wanted - (at[after - 1] ?? 0) < (at[after] ?? 0) - wanted ? after - 1 : after
}

/**
 * @param {Chart} chart
 * @param {Store} store
 * @param {ShownRange} range
 * @param {(at: number | null) => void} onPoint
 */
const makeChart = (chart, { outages, starts }, range, onPoint) => {
  const { least, lines, names, text, tick } = chart
  const place = make("div", "plot")
  place.setAttribute("role", "img")
  const about = make("small", "", chart.about)
  const none = make("p", "empty", chart.none)
  const values = names.map(() => make("b", "value", "–"))
  const items = names.map((name, line) => make("li", "", make("i", "swatch"), name, " ", values[line] ?? ""))
  const caption = make("figcaption", "", make("h3", "", `${chart.title} `, about), make("ul", "legend", ...items))
  const figure = make("figure", "panel", caption, place, none)
  figure.id = `chart-${chart.id}`
  byId("charts").append(figure)
  const plot = makePlot(place, { count: names.length, tick, timeTick, onPoint, onDrag: range.zoom })

  /** @type {Lines} */
  let all = { at: [], values: [] }
  /** @type {number | null} */
  let pointed = null
  const legend = () => {
    const index = pointed === null ? all.at.length - 1 : nearest(all.at, pointed)
    const at = all.at[index]
    const isPointed = pointed !== null && at !== undefined
    setText(about, isPointed ? `at ${time(at * 1000)}` : chart.about)
    plot.point(isPointed ? at : null)
    lines.forEach((line, place) => {
      const number = all.values[line]?.[index] ?? null
      const value = values[place]
      if (value !== undefined) setText(value, number === null ? "–" : text(number))
    })
  }

  return {
    draw: (/** @type {Lines} */ next) => {
      all = next
      const { at } = all
      const [from, to] = range.shown(at[0] ?? 0, at.at(-1) ?? 0)
      const drawn = lines.map((line) => all.values[line] ?? [])
      const known = drawn.map((line) =>
        line.flatMap((value, index) => (value !== null && range.has(at[index] ?? 0) ? [value] : []))
      )
      const top = Math.max(least, ...known.flat().map((value) => value * 1.08))
      const seconds = (/** @type {number} */ millis) => millis / 1000
      const shaded = outages().map(([from, to]) => /** @type {const} */ ([seconds(from), seconds(to)]))
      plot.draw({ from, to, top, at, lines: drawn, starts: starts().map(seconds), outages: shaded })
      legend()
      none.hidden = known.some((line) => line.length > 0)
      place.setAttribute("aria-label", describe(at.filter(range.has), names, known, text))
    },
    /** @param {number | null} at */
    point: (at) => {
      pointed = at
      legend()
    }
  }
}

/**
 * @param {ReadonlyArray<number>} at
 * @param {ReadonlyArray<string>} names
 * @param {ReadonlyArray<ReadonlyArray<number>>} known
 * @param {(value: number) => string} text
 */
const describe = (at, names, known, text) => {
  const [from] = at
  const to = at.at(-1)
  if (from === undefined || to === undefined) return "No data yet."
  const lines = names.map((name, index) => {
    const values = known[index] ?? []
    const last = values.at(-1)
    if (last === undefined) return `${name}: nothing measured`
    return `${name}: last ${text(last)}, highest ${text(Math.max(...values))}, lowest ${text(Math.min(...values))}`
  })
  return `From ${time(from * 1000)} to ${time(to * 1000)}. ${lines.join(". ")}.`
}

/** @param {Store} store */
export const makeCharts = (store) => {
  /** @type {Lines | undefined} */
  let drawn
  const range = makeRange(() => {
    if (drawn !== undefined) for (const { draw } of all) draw(drawn)
  })
  /** One time is pointed at in all of them. @param {number | null} at */
  const onPoint = (at) => {
    for (const { point } of all) point(at)
  }
  const all = charts.map((chart) => makeChart(chart, store, range, onPoint))
  return (/** @type {Lines} */ lines) => {
    drawn = lines
    for (const { draw } of all) draw(lines)
    const starts = store.starts().filter((start) => range.has(start / 1000))
    const last = starts.length === 0 ? "" : time(Math.max(...starts))
    const times = starts.length === 1 ? `at ${last}` : `${starts.length} times, last at ${last}`
    put("starts-note", starts.length === 0 ? "" : `dotted: the service was started ${times}`)
  }
}
