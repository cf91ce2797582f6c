/** What each figure means, behind a question mark beside its name. */
import { find, make } from "./dom.js"

/** By the id of the figure: a sentence or two, and the page of the docs that says more. */
const texts = /** @type {const} */ ({
  "rate-in": ["Records read from Kafka, as the mean of the last 10 seconds.", "docs/reference/metrics.md"],
  "rate-out": [
    "Rows that became durable in the warehouse, as the mean of the last 10 seconds.",
    "docs/reference/tables.md"
  ],
  lag: [
    "Records in Kafka that are not durable in the warehouse yet, what is in memory included.",
    "docs/how-to/monitoring.md"
  ],
  write: [
    "How long a write took until it was durable; half of the last minute's writes were faster.",
    "docs/reference/metrics.md"
  ],
  freshness: ["From the time that an event carries to its row being durable.", "docs/reference/metrics.md"],
  buffer: [
    "What is read and not written yet. At the limit, reading pauses until there is room.",
    "docs/reference/settings.md"
  ],
  loop: ["How late timers run. Beyond 100 ms the process has too little CPU.", "docs/how-to/scaling.md"],
  credits: ["Estimated from the statements of this process, for a warehouse of size XS.", "docs/how-to/cost.md"],
  "cost-writes": ["Statements or requests that carried rows, averaged since the start.", "docs/how-to/cost.md"]
})

export const addHelp = () => {
  for (const [id, [text, page]] of Object.entries(texts)) {
    const name = find(document.body, `div:has(> #${id}) > dt`)
    const label = (name.textContent ?? "").trim()
    const popover = make("div", "", make("p", "", text), make("p", "note", `More: ${page}`))
    popover.id = `help-${id}`
    popover.popover = "auto"
    const button = make("button", "help", "?")
    button.type = "button"
    button.setAttribute("popovertarget", popover.id)
    button.setAttribute("aria-label", `What is ${label}?`)
    name.append(button)
    document.body.append(popover)
  }
}
