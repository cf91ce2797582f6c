/**
 * The four charts: 15 minutes to 6 hours as lines, outages shaded, the values under the cursor beside their names, and
 * the same in a sentence for those who do not see them. Dragging zooms.
 */
import { byId, make, put, setText } from "./dom.js"
import { compact, count, duration, perSecond, say, time, timeOfTick } from "./format.js"
import { makeRange } from "./range.js"
import uPlot from "./uPlot.js"

const HEIGHT = 168

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

/** A colour as CSS has resolved it for the theme that is on. @param {Element} node @param {string} [name] */
const colour = (node, name = "color") => getComputedStyle(node).getPropertyValue(name)

/**
 * @param {uPlot} _self
 * @param {ReadonlyArray<number>} splits
 * @param {number} _axis
 * @param {number} _space
 * @param {number} step
 */
const labels = (_self, splits, _axis, _space, step) =>
  splits.map((at) => (step < 60 ? time(at * 1000) : timeOfTick(at * 1000)))

/** @param {Chart} chart @param {Store} store @param {ShownRange} range */
const makeChart = (chart, { outages, starts }, range) => {
  const { least, lines, names, text, tick } = chart
  const place = make("div", "plot")
  place.setAttribute("role", "img")
  const about = make("small", "", chart.about)
  const outage = make("i", "outage")
  outage.hidden = true
  const none = make("p", "empty", chart.none)
  const items = names.map((name) => {
    const swatch = make("i", "swatch")
    const value = make("b", "value", "–")
    return { name, swatch, value, item: make("li", "", swatch, name, " ", value) }
  })
  const legendOf = make("ul", "legend", ...items.map(({ item }) => item))
  const caption = make("figcaption", "", make("h3", "", `${chart.title} `, about), legendOf)
  const figure = make("figure", "panel", caption, place, outage, none)
  figure.id = `chart-${chart.id}`
  byId("charts").append(figure)

  /** @type {import("uplot").AlignedData} */
  let data = [[], ...names.map(() => [])]
  const legend = () => {
    const index = plot.cursor.idx ?? null
    const at = data[0][index ?? data[0].length - 1]
    setText(about, index === null || at === undefined ? chart.about : `at ${time(at * 1000)}`)
    items.forEach(({ value }, line) => {
      const number = data[line + 1]?.[index ?? data[0].length - 1]
      setText(value, number === null || number === undefined ? "–" : text(number))
    })
  }

  const axis = {
    font: `11px ${getComputedStyle(document.body).fontFamily}`,
    stroke: () => colour(place),
    grid: { stroke: () => colour(place, "border-top-color"), width: 1 },
    ticks: { show: false }
  }
  /** A dashed line where the service was started. @param {uPlot} self */
  const drawStarts = ({ bbox, ctx, valToPos }) => {
    ctx.save()
    ctx.strokeStyle = colour(place)
    ctx.setLineDash([2 * devicePixelRatio, 3 * devicePixelRatio])
    for (const start of starts()) {
      const x = Math.round(valToPos(start / 1000, "x", true)) + 0.5
      if (x < bbox.left) continue
      ctx.beginPath()
      ctx.moveTo(x, bbox.top)
      ctx.lineTo(x, bbox.top + bbox.height)
      ctx.stroke()
    }
    ctx.restore()
  }
  /** @param {uPlot} self */
  const drawOutages = ({ bbox, ctx, valToPos }) => {
    ctx.save()
    ctx.fillStyle = colour(outage, "background-color")
    for (const [from, to] of outages()) {
      const left = Math.max(bbox.left, valToPos(from / 1000, "x", true))
      const right = Math.min(bbox.left + bbox.width, valToPos(to / 1000, "x", true))
      if (right > left) ctx.fillRect(left, bbox.top, right - left, bbox.height)
    }
    ctx.restore()
  }
  /** @param {uPlot} self */
  const zoom = (self) => {
    const { left, width } = self.select
    if (width < 8) return
    range.zoom(self.posToVal(left, "x"), self.posToVal(left + width, "x"))
    self.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false)
  }
  /** @type {import("uplot").Options} */
  const options = {
    width: Math.max(1, place.clientWidth),
    height: HEIGHT,
    padding: [8, 20, 0, 0],
    legend: { show: false },
    cursor: { y: false, drag: { x: true, y: false, setScale: false }, sync: { key: "live" }, points: { size: 7 } },
    scales: {
      x: {
        time: true,
        range: (_self, from, to) => range.shown(from, to)
      },
      y: { range: (_self, _from, to) => [0, Math.max(least, (to ?? 0) * 1.08)] }
    },
    axes: [
      { ...axis, size: 26, gap: 6, space: 72, values: labels },
      { ...axis, size: 58, gap: 6, space: 34, values: (_, splits) => splits.map(tick) }
    ],
    series: [
      {},
      ...items.map(({ swatch }, line) => ({
        stroke: () => colour(swatch),
        width: 1.5,
        points: { show: false },
        ...(line === 0 && { fill: () => colour(swatch, "background-color") })
      }))
    ],
    hooks: { drawAxes: [drawOutages], draw: [drawStarts], setCursor: [legend], setSelect: [zoom] }
  }
  const plot = new uPlot(options, data, place)
  new ResizeObserver(() => plot.setSize({ width: Math.max(1, place.clientWidth), height: HEIGHT })).observe(place)
  document.addEventListener("themechange", () => plot.redraw(false, true))

  return (/** @type {Lines} */ all) => {
    data = [all.at, ...lines.map((line) => all.values[line] ?? [])]
    // The plot itself asks for it later.
    range.shown(all.at[0] ?? 0, all.at.at(-1) ?? 0)
    plot.setData(data)
    legend()
    const seen = all.at.filter(range.has)
    const known = data
      .slice(1)
      .map((line) =>
        [...line].flatMap((value, index) => (typeof value === "number" && range.has(all.at[index] ?? 0) ? [value] : []))
      )
    none.hidden = known.some((line) => line.length > 0)
    place.setAttribute("aria-label", describe(seen, names, known, text))
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
    if (drawn !== undefined) for (const draw of draws) draw(drawn)
  })
  const draws = charts.map((chart) => makeChart(chart, store, range))
  return (/** @type {Lines} */ lines) => {
    drawn = lines
    for (const draw of draws) draw(lines)
    const starts = store.starts().filter((start) => range.has(start / 1000))
    const last = starts.length === 0 ? "" : time(Math.max(...starts))
    const times = starts.length === 1 ? `at ${last}` : `${starts.length} times, last at ${last}`
    put("starts-note", starts.length === 0 ? "" : `dotted: the service was started ${times}`)
  }
}
