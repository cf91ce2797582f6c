// @ts-check
/** The topics of this member: lag and throughput in all, with a sparkline, and a button that pauses or resumes one. */
import { messageOf, post } from "./api.js"
import { byId, find, keyed, makeRow, put, setText } from "./dom.js"
import { count, perSecond, plural, say } from "./format.js"

/** @typedef {import("../Snapshot.ts").Snapshot} Snapshot */
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

const create = () => {
  const row = makeRow(6, [1, 2, 3])
  const template = byId("topic-template")
  if (!(template instanceof HTMLTemplateElement)) throw new Error("index.html has no usable #topic-template")
  const [name, line, button] = template.content.children
  if (name === undefined || line === undefined || button === undefined) throw new Error("#topic-template is not whole")
  row.children[0]?.append(...[...name.childNodes].map((node) => node.cloneNode(true)))
  row.children[4]?.append(line.cloneNode(true))
  row.children[5]?.append(button.cloneNode(true))
  find(row, "button").addEventListener("click", ({ currentTarget }) => {
    const topic = row.dataset["key"] ?? ""
    const isPaused = row.classList.contains("paused")
    if (currentTarget instanceof HTMLButtonElement) void toggle(currentTarget, topic, isPaused)
  })
  return row
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

/** @param {Snapshot} snapshot */
export const showTopics = (snapshot) => {
  follow(snapshot)
  const { partitions, pausedTopics, stoppedTopics } = snapshot
  const topics = [...new Set([...partitions.map(({ topic }) => topic), ...pausedTopics])].sort()
  byId("no-topics").hidden = topics.length > 0
  byId("topics-box").hidden = topics.length === 0
  keyed(
    byId("topics-rows"),
    topics,
    (topic) => topic,
    create,
    (row, topic) => {
      const mine = partitions.filter((partition) => partition.topic === topic)
      const lags = mine.flatMap(({ lag }) => (lag === null ? [] : [lag]))
      const rates = ratesOf(courses.get(topic) ?? [])
      const isPaused = pausedTopics.includes(topic)
      const state = stoppedTopics.includes(topic) ? "stopped" : isPaused ? "paused" : ""
      row.classList.toggle("paused", isPaused)
      setText(find(row, "th span"), topic)
      setText(find(row, "th em"), state)
      find(row, "th em").hidden = state === ""
      const [, number, lag, rate] = row.children
      if (number !== undefined) setText(number, count(mine.length))
      const behind = lags.reduce((sum, one) => sum + one, 0)
      if (lag !== undefined) setText(lag, lags.length === 0 ? "not read yet" : count(behind))
      if (rate !== undefined) setText(rate, say(perSecond(rates.at(-1) ?? 0)))
      row.querySelector("path")?.setAttribute("d", pathOf(rates))
      const button = find(row, "button")
      setText(button, isPaused ? "Resume" : "Pause")
      button.setAttribute("aria-label", `${isPaused ? "Resume" : "Pause"} ${topic}`)
    }
  )
  put("topics-note", topics.length === 0 ? "" : plural(topics.length, "topic"))
}
