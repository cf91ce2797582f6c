/**
 * Is it healthy: one state in words, with its reasons, shown in the page, its title and its icon, and spoken when it
 * changes.
 */
import { byId, keyed, make, put, setText } from "./dom.js"
import { fullTime, plural, span, time } from "./format.js"

/**
 * `lastAt`: when the last word of the service came, by the clock of this browser.
 * @typedef {{ readonly isLost: boolean, readonly lastAt: number | null }} Link
 */
/** @typedef {{ readonly tone: keyof typeof marks, readonly headline: string, readonly lines: ReadonlyArray<string> }} State */

const cross = "M4.5 4.5 11.5 11.5 M11.5 4.5 4.5 11.5"
/** What is drawn for each tone: a tick, a cross, an exclamation mark, three dots. */
const marks = {
  ...{ good: "M3.5 8.5 6.5 11.5 12.5 4.5", bad: cross, lost: cross, warn: "M8 3.5 8 9 M8 12 8 12.2" },
  wait: "M4 8 4.01 8 M8 8 8.01 8 M12 8 12.01 8"
}

/** @param {Snapshot | null} snapshot @param {Link} link @returns {State} */
export const judge = (snapshot, { isLost, lastAt }) => {
  if (isLost) {
    const goesOn = "The page keeps retrying and recovers by itself."
    if (lastAt === null)
      return { tone: "lost", headline: "No connection", lines: [`The service does not answer. ${goesOn}`] }
    const lines = [`The service does not answer. ${goesOn} Showing data from ${time(lastAt)}.`]
    return { tone: "lost", headline: `No connection since ${time(lastAt)}`, lines }
  }
  if (snapshot === null) return { tone: "wait", headline: "Connecting", lines: ["Waiting for the first data."] }
  const { live, partitions, ready } = snapshot
  const reasons = [...new Set([...live.reasons, ...ready.reasons])]
  if (!live.ok) return { tone: "bad", headline: "Not live", lines: reasons }
  if (!ready.ok) return { tone: "warn", headline: "Not ready", lines: reasons }
  if (partitions.length > 0) return { tone: "good", headline: "Healthy", lines: ["Live and ready.", ...reasons] }
  const lines = ["Live and ready. No partitions assigned; on standby until the group assigns one.", ...reasons]
  return { tone: "good", headline: "Healthy", lines }
}

/**
 * What deserves a look although it does not make the service unready.
 * @param {Snapshot} snapshot
 * @param {Store} store
 */
const notesOf = ({ partitions }, store) => {
  /** @param {string} to @param {number} number @param {string} what @param {string} when */
  const note = (to, number, what, when) => (number === 0 ? [] : [{ to, text: `${plural(number, what)} ${when}` }])
  return [
    ...note("partitions", partitions.filter(({ stopped }) => stopped).length, "partition", "stopped"),
    ...note("dead-letters", store.recent("deadLetters"), "dead letter", "in 15 minutes"),
    ...note("events", store.recent("errors"), "write error", "in 15 minutes"),
    ...note("events", store.recent("fenced"), "fenced write", "in 15 minutes")
  ]
}

let shown = ""

/** @param {Store} store @param {Link} link */
export const showHealth = (store, link) => {
  const snapshot = store.snapshot()
  const { headline, lines, tone } = judge(snapshot, link)
  byId("health").dataset["tone"] = tone
  byId("mark").setAttribute("d", marks[tone])
  document.body.classList.toggle("stale", tone === "lost" && snapshot !== null)
  put("headline", headline)
  keyed(
    byId("reasons"),
    lines,
    (_, index) => String(index),
    () => make("li"),
    setText
  )
  showProbe("live", link.isLost ? undefined : snapshot?.live.ok)
  showProbe("ready", link.isLost ? undefined : snapshot?.ready.ok)
  showNotes(snapshot === null ? [] : notesOf(snapshot, store))
  // Reasons may count seconds: spoken is only what the state has become.
  if (shown === headline) return
  shown = headline
  document.title = `${headline} · Bronze Consumer`
  put("spoken", [headline, ...lines].join(". "))
  const icon = tone === "good" || tone === "wait" ? "/page/icon.svg" : "/page/icon-trouble.svg"
  document.querySelector("link[rel=icon]")?.setAttribute("href", icon)
}

/** @param {string} name @param {boolean | undefined} holds */
const showProbe = (name, holds) => {
  byId(`is-${name}`).dataset["holds"] = holds === undefined ? "unknown" : String(holds)
  put(`is-${name}-text`, holds === undefined ? "unknown" : holds ? "yes" : "no")
}

/** @param {ReturnType<typeof notesOf>} notes */
const showNotes = (notes) => {
  byId("notes").hidden = notes.length === 0
  keyed(
    byId("notes-list"),
    notes,
    ({ text, to }) => `${to} ${text}`,
    () => make("li", "", make("a")),
    (item, { text, to }) => {
      const link = item.querySelector("a")
      if (link === null) return
      link.href = `#${to}`
      setText(link, text)
    }
  )
}

/** The line under the name: what it is, and since when. @param {Snapshot} snapshot */
export const showIdentity = ({ at, delivery, group, member, reads, startedAt, version, writes }) => {
  put("reads", reads)
  put("sink", writes)
  put("group", group)
  put("member", member ?? "none")
  put("delivery", delivery)
  put("version", version)
  put("up", span((at - startedAt) / 1000))
  byId("up").title = `since ${fullTime(startedAt)}`
}
