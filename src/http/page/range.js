/** Which part of the time the charts show: the last minutes, or what was dragged over. Times are seconds. */
import { byId } from "./dom.js"

/** What a page that was just opened shows at least: two points in a corner would say nothing. */
const LEAST_SECONDS = 120

/** @param {() => void} redraw */
export const makeRange = (redraw) => {
  let seconds = 15 * 60
  /** @type {readonly [from: number, to: number] | null} */
  let zoomed = null
  /** @type {readonly [from: number, to: number]} */
  let current = [0, 0]

  const buttons = [...byId("range").querySelectorAll("button[data-minutes]")]
  const changed = () => {
    for (const button of buttons) {
      const isChosen = button instanceof HTMLElement && Number(button.dataset["minutes"]) * 60 === seconds
      button.setAttribute("aria-pressed", String(isChosen && zoomed === null))
    }
    byId("zoom-out").hidden = zoomed === null
    redraw()
  }
  for (const button of buttons) {
    button.addEventListener("click", () => {
      seconds = button instanceof HTMLElement ? Number(button.dataset["minutes"]) * 60 : seconds
      zoomed = null
      changed()
    })
  }
  byId("zoom-out").addEventListener("click", () => {
    zoomed = null
    changed()
  })

  return {
    /** Of data from one time to another. @param {number} from @param {number} to @returns {[number, number]} */
    shown: (from, to) => {
      const [first, last] = zoomed ?? [Math.max(to - seconds, Math.min(from, to - LEAST_SECONDS)), to]
      current = [first, last]
      return [first, last]
    },
    /** @param {number} from @param {number} to */
    zoom: (from, to) => {
      zoomed = [from, to]
      changed()
    },
    /** Whether a time is in view. @param {number} at */
    has: (at) => at >= current[0] && at <= current[1]
  }
}
