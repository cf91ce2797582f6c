/**
 * One chart as SVG: lines over time with their gaps, shaded and dotted times, a grid; it says where the pointer is and
 * what was dragged over. Its colours are those of the style sheet.
 */
import { ticksTo, timesBetween } from "./ticks.js"

const HEIGHT = 168
const [TOP, RIGHT, BOTTOM, LEFT] = [8, 20, 26, 58]
/** So far apart are lines of the grid at least, in pixels. */
const [APART_X, APART_Y] = [72, 34]
/** A drag that is shorter is a click. */
const LEAST_DRAG = 8

/**
 * Times are seconds; `top` ends the scale, which starts at 0.
 * @typedef {{ readonly from: number, readonly to: number, readonly top: number, readonly at: ReadonlyArray<number>,
 *   readonly lines: ReadonlyArray<ReadonlyArray<number | null>>, readonly starts: ReadonlyArray<number>,
 *   readonly outages: ReadonlyArray<readonly [from: number, to: number]> }} View
 */

/** @template {keyof SVGElementTagNameMap} T @param {T} tag @param {Readonly<Record<string, string | number>>} attributes */
const make = (tag, attributes) => {
  const node = document.createElementNS("http://www.w3.org/2000/svg", tag)
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, String(value))
  return node
}

/**
 * @param {HTMLElement} place
 * @param {object} options
 * @param {number} options.count how many lines
 * @param {(value: number) => string} options.tick
 * @param {(at: number, step: number) => string} options.timeTick
 * @param {(at: number | null) => void} options.onPoint
 * @param {(from: number, to: number) => void} options.onDrag
 */
export const makePlot = (place, { count, onDrag, onPoint, tick, timeTick }) => {
  const svg = make("svg", { height: HEIGHT, "aria-hidden": "true" })
  /** @param {string} name */
  const path = (name) => make("path", { class: name })
  const [shade, grid, area, dots] = [path("shade"), path("grid"), path("area"), path("dots")]
  const [cursor, selection] = [path("cursor"), path("selection")]
  const lines = Array.from({ length: count }, (_, index) => path(`line line-${index}`))
  const labels = make("g", {})
  svg.append(shade, grid, area, ...lines, dots, cursor, selection, labels)
  place.replaceChildren(svg)

  const floor = HEIGHT - BOTTOM
  /** @type {View | null} */
  let view = null
  let width = 0
  const inner = () => Math.max(1, width - LEFT - RIGHT)
  /** @param {View} view @param {number} at */
  const xOf = ({ from, to }, at) => LEFT + ((at - from) / Math.max(1e-9, to - from)) * inner()
  /** @param {View} view @param {number} value */
  const yOf = ({ top }, value) => floor - (value / top) * (floor - TOP)
  /** @param {View} view @param {number} x */
  const timeAt = ({ from, to }, x) => from + (Math.min(Math.max(x - LEFT, 0), inner()) / inner()) * (to - from)

  /** From one x to another, over the whole height. @param {number} left @param {number} right */
  const band = (left, right) => `M${left} ${TOP}H${right}V${floor}H${left}Z`

  /** The runs of a line between its gaps; what lies outside is left out. @param {View} view @param {number} index */
  const runsOf = (view, index) => {
    /** @type {Array<Array<string>>} */
    const runs = []
    let isOpen = false
    view.at.forEach((at, point) => {
      const value = view.lines[index]?.[point] ?? null
      const isSeen = value !== null && at >= view.from && at <= view.to
      if (isSeen && !isOpen) runs.push([])
      if (isSeen) runs.at(-1)?.push(`${xOf(view, at).toFixed(1)} ${yOf(view, value).toFixed(1)}`)
      isOpen = isSeen
    })
    return runs
  }

  const draw = () => {
    if (view === null || width === 0) return
    const now = view
    svg.setAttribute("width", String(width))
    svg.setAttribute("viewBox", `0 0 ${width} ${HEIGHT}`)
    const values = ticksTo(now.top, (floor - TOP) / APART_Y)
    const { step, times } = timesBetween(now.from, now.to, inner() / APART_X)
    const ys = values.map((value) => Math.round(yOf(now, value)) + 0.5)
    const xs = times.map((at) => Math.round(xOf(now, at)) + 0.5)
    const across = ys.map((y) => `M${LEFT} ${y}H${width - RIGHT}`)
    grid.setAttribute("d", [...across, ...xs.map((x) => `M${x} ${TOP}V${floor}`)].join(""))
    const texts = [
      ...values.map((value, index) => ({
        text: tick(value),
        x: LEFT - 6,
        y: (ys[index] ?? 0) + 4,
        "text-anchor": "end"
      })),
      ...times.map((at, index) => ({
        text: timeTick(at, step),
        x: xs[index] ?? 0,
        y: floor + 17,
        "text-anchor": "middle"
      }))
    ]
    labels.replaceChildren(
      ...texts.map(({ text, ...attributes }) => {
        const label = make("text", attributes)
        label.textContent = text
        return label
      })
    )
    const seen = now.starts.filter((at) => at >= now.from && at <= now.to)
    const starts = seen.map((at) => `M${Math.round(xOf(now, at)) + 0.5} ${TOP}V${floor}`)
    dots.setAttribute("d", starts.join(""))
    const outages = now.outages
      .map(([from, to]) => [Math.max(from, now.from), Math.min(to, now.to)])
      .filter(([from = 0, to = 0]) => to > from)
      .map(([from = 0, to = 0]) => band(xOf(now, from), xOf(now, to)))
    shade.setAttribute("d", outages.join(""))
    lines.forEach((line, index) => {
      const runs = runsOf(now, index)
      // A point without neighbours is a line of no length, whose round ends make a dot of it.
      line.setAttribute("d", runs.map((run) => `M${run.join("L")}${run.length === 1 ? "h0" : ""}`).join(""))
      if (index > 0) return
      const filled = runs.map((run) => `M${run.join("L")}V${floor}H${run[0]?.split(" ")[0]}Z`)
      area.setAttribute("d", filled.join(""))
    })
  }

  /** Where a drag has begun. @type {number | null} */
  let dragged = null
  const stop = () => {
    dragged = null
    selection.setAttribute("d", "")
  }
  svg.addEventListener("pointerdown", ({ button, offsetX, pointerId }) => {
    if (button !== 0) return
    svg.setPointerCapture(pointerId)
    dragged = offsetX
  })
  svg.addEventListener("pointermove", ({ offsetX }) => {
    if (view === null) return
    onPoint(timeAt(view, offsetX))
    if (dragged !== null) selection.setAttribute("d", band(dragged, offsetX))
  })
  svg.addEventListener("pointerup", ({ offsetX }) => {
    const from = dragged
    stop()
    if (view === null || from === null || Math.abs(offsetX - from) < LEAST_DRAG) return
    onDrag(timeAt(view, Math.min(from, offsetX)), timeAt(view, Math.max(from, offsetX)))
  })
  svg.addEventListener("pointercancel", stop)
  svg.addEventListener("pointerleave", () => onPoint(null))
  new ResizeObserver(() => {
    width = place.clientWidth
    draw()
  }).observe(place)

  return {
    draw: (/** @type {View} */ next) => {
      view = next
      draw()
    },
    /** Marks a time, or none. @param {number | null} at */
    point: (at) => {
      if (view === null) return
      const isIn = at !== null && at >= view.from && at <= view.to
      cursor.setAttribute("d", isIn ? `M${Math.round(xOf(view, at)) + 0.5} ${TOP}V${floor}` : "")
    }
  }
}
