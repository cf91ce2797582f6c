/** The topics of this member: lag and throughput in all, with a sparkline, and a button that pauses or resumes one. */
import { messageOf, post } from "./api.js"
import { find, make, put, setText } from "./dom.js"
import { count, perSecond, plural, say } from "./format.js"
import { makeTable, setCells } from "./table.js"

/** @typedef {{ readonly at: number, readonly written: number }} Point */

/** What a sparkline shows, and the mean that a rate is. */
const SHOWN_MS = 5 * 60_000
const MEAN_MS = 10_000
const WIDTH = 96
const HEIGHT = 20

/** How far the offsets of each topic have moved since the page was opened. @type {Map<string, Array<Point>>} */
const courses = new Map()
/** @type {Map<string, number>} */
let positions = new Map()

/** @param {Snapshot} snapshot */
const follow = ({ at, partitions }) => {
  /** @type {Map<string, number>} */
  const moved = new Map()
  /** @type {Map<string, number>} */
  const now = new Map()
  for (const { next, partition, topic } of partitions) {
    const key = `${topic}/${partition}`
    now.set(key, next)
    moved.set(topic, (moved.get(topic) ?? 0) + Math.max(0, next - (positions.get(key) ?? next)))
  }
  positions = now
  for (const [topic, more] of moved) {
    const course = courses.get(topic) ?? []
    const last = course.at(-1)
    if (last?.at === at) continue
    course.push({ at, written: (last?.written ?? 0) + more })
    while ((course[0]?.at ?? at) < at - SHOWN_MS - MEAN_MS) course.shift()
    courses.set(topic, course)
  }
}

/** Records per second at each point. @param {ReadonlyArray<Point>} course */
const ratesOf = (course) => {
  let first = 0
  return course.map(({ at, written }, index) => {
    while (first < index && (course[first]?.at ?? 0) < at - MEAN_MS) first += 1
    const base = course[first]
    return base === undefined || base.at === at ? 0 : (written - base.written) / ((at - base.at) / 1000)
  })
}

/** @param {ReadonlyArray<number>} rates */
const pathOf = (rates) => {
  const highest = Math.max(1e-9, ...rates)
  const step = WIDTH / Math.max(1, rates.length - 1)
  const points = rates.map((rate, index) => {
    const y = HEIGHT - 1 - (rate / highest) * (HEIGHT - 2)
    return `${(index * step).toFixed(1)} ${y.toFixed(1)}`
  })
  return points.length < 2 ? "" : `M${points.join("L")}`
}

const sparkline = () => {
  const image = document.createElementNS("http://www.w3.org/2000/svg", "svg")
  image.setAttribute("class", "sparkline")
  image.setAttribute("aria-hidden", "true")
  image.setAttribute("viewBox", `0 0 ${WIDTH} ${HEIGHT}`)
  image.append(document.createElementNS(image.namespaceURI, "path"))
  return image
}

/** @param {HTMLElement} row */
const furnish = (row) => {
  const button = make("button")
  button.type = "button"
  row.firstElementChild?.append(make("span"), " ", make("em", "badge"))
  row.children[4]?.append(sparkline())
  row.lastElementChild?.append(button)
  button.addEventListener("click", () => toggle(button, row.dataset["key"] ?? "", row.classList.contains("paused")))
}

/** @param {HTMLButtonElement} button @param {string} topic @param {boolean} isPaused */
const toggle = async (button, topic, isPaused) => {
  button.disabled = true
  try {
    await post(isPaused ? "/api/topics/resume" : "/api/topics/pause", { topic })
    put("topics-said", `${topic}: ${isPaused ? "resumed" : "paused"}`)
  } catch (error) {
    put("topics-said", `${topic} could not be ${isPaused ? "resumed" : "paused"}: ${messageOf(error)}`)
  }
  button.disabled = false
}

export const makeTopics = () => {
  const heads = ["Topic", "#Partitions", "#Lag", "#Written", "Last 5 minutes", "(Pause)"]
  const table = makeTable("topics", "Topics of this member: partitions, lag and throughput", heads)
  return (/** @type {Snapshot} */ snapshot) => {
    follow(snapshot)
    const { partitions, pausedTopics, stoppedTopics } = snapshot
    const topics = [...new Set([...partitions.map(({ topic }) => topic), ...pausedTopics])].sort()
    table.show(
      topics,
      (topic) => topic,
      (row, topic) => {
        const mine = partitions.filter((partition) => partition.topic === topic)
        const lags = mine.flatMap(({ lag }) => (lag === null ? [] : [lag]))
        const rates = ratesOf(courses.get(topic) ?? [])
        const isPaused = pausedTopics.includes(topic)
        const state = stoppedTopics.includes(topic) ? "stopped" : isPaused ? "paused" : ""
        row.classList.toggle("paused", isPaused)
        setCells(find(row, "th"), [topic, state])
        find(row, "em").hidden = state === ""
        const behind = lags.reduce((sum, one) => sum + one, 0)
        const lag = lags.length === 0 ? "not read yet" : count(behind)
        setCells(row, [null, count(mine.length), lag, say(perSecond(rates.at(-1) ?? 0))])
        row.querySelector("path")?.setAttribute("d", pathOf(rates))
        const button = find(row, "button")
        setText(button, isPaused ? "Resume" : "Pause")
        button.setAttribute("aria-label", `${isPaused ? "Resume" : "Pause"} ${topic}`)
      },
      furnish
    )
    put("topics-note", topics.length === 0 ? "" : plural(topics.length, "topic"))
  }
}
