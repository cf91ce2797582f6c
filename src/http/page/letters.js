/**
 * The dead letters that wait in the warehouse: found by cause and text, opened one by one, replayed by cause. Where the
 * warehouse does not answer, those that this process has seen.
 */
import { get, isAskable, messageOf, post } from "./api.js"
import { byId, find, focusNear, make, put, setText } from "./dom.js"
import { count, plural, setTime } from "./format.js"
import { openLetter, said } from "./letter.js"
import { place } from "./place.js"
import { makeTable, setCells } from "./table.js"

/**
 * @typedef {{ readonly topic: string, readonly partition: number, readonly offset: number, readonly cause: string,
 *   readonly message: string | null, readonly at: number, readonly isReplayed: boolean }} Letter
 */

const LIMIT = 100
/** New ones are asked for so often at most. */
const PAUSE_MS = 5_000

/** @param {unknown} value @returns {ReadonlyArray<Letter>} */
const lettersOf = (value) => {
  const letters = value !== null && typeof value === "object" && "letters" in value ? value.letters : []
  if (!Array.isArray(letters)) return []
  return letters.map((letter) => ({
    ...letter,
    at: Date.parse(letter.ingestedAt),
    isReplayed: letter.replayedAt !== null
  }))
}

/** @param {string} id */
const field = (id) => {
  const node = byId(id)
  if (!(node instanceof HTMLInputElement || node instanceof HTMLSelectElement)) throw new Error(`#${id} takes no value`)
  return node
}

export const makeLetters = () => {
  /** What the warehouse said; null while it has not. @type {ReadonlyArray<Letter> | null} */
  let stored = null
  let hasMore = false
  let countedThen = -1
  let askedAt = 0
  /** @type {Snapshot | null} */
  let last = null
  /** A late answer to an older question is not shown. */
  let question = 0

  const heads = ["Time", "Cause", "@Topic/partition@offset", "Message", "(Open)"]
  const table = makeTable("dead-letters", "Records that could not be written, newest first", heads)
  const search = field("letters-search")
  const cause = field("letters-cause")
  const replayed = field("letters-replayed")
  const replayAll = byId("letters-replay")

  const ask = async () => {
    question += 1
    const mine = question
    askedAt = Date.now()
    countedThen = last?.totals.deadLetters ?? 0
    const isWith = replayed instanceof HTMLInputElement && replayed.checked
    try {
      const query = { search: search.value.trim(), cause: cause.value, replayed: isWith ? "true" : "" }
      const body = await get("/api/dead-letters", { ...query, limit: String(LIMIT) })
      if (mine !== question) return
      // What a replay came to stays to be read.
      if (stored === null) put("letters-said", "")
      stored = lettersOf(body)
      hasMore = body !== null && typeof body === "object" && "more" in body && body.more === true
    } catch (error) {
      if (mine !== question) return
      stored = null
      countedThen = -1
      const why = `DEAD_LETTERS cannot be read now (${messageOf(error)})`
      put("letters-said", `${why}: these are the last ones of this process.`)
    }
    draw()
  }

  /** Those of this process, filtered here. @param {Snapshot} snapshot @returns {ReadonlyArray<Letter>} */
  const seen = ({ deadLetters }) =>
    deadLetters
      .map((letter) => ({ ...letter, isReplayed: false }))
      .filter((letter) => cause.value === "" || letter.cause === cause.value)
      .filter((letter) => `${place(letter)} ${letter.message}`.includes(search.value.trim()))

  const draw = () => {
    if (last === null) return
    const letters = stored ?? seen(last)
    const isFiltered = search.value !== "" || cause.value !== ""
    const none = stored === null ? "None since the process started." : "None is waiting."
    put("no-dead-letters", isFiltered ? "None matches." : none)
    const total = `${count(last.totals.deadLetters)} since the start`
    put("dead-letters-note", `${hasMore ? "the newest " : ""}${plural(letters.length, "letter")}; ${total}`)
    // One that is chosen stays among the choices.
    const causes = new Set([...[...(stored ?? last.deadLetters)].map((letter) => letter.cause), cause.value])
    for (const { value } of find(cause, "option").parentElement?.querySelectorAll("option") ?? []) causes.delete(value)
    for (const name of causes) cause.append(make("option", "", name))
    replayAll.hidden = stored === null || cause.value === "" || letters.length === 0
    setText(replayAll, `Replay all of ${cause.value}`)
    table.show(letters, (letter) => `${place(letter)} ${letter.at}`, update, furnish)
  }

  /** @param {HTMLElement} row */
  const furnish = (row) => {
    row.children[1]?.append(make("em", "badge"))
    row.children[3]?.classList.add("message")
    const open = make("button", "", "Open")
    open.type = "button"
    open.addEventListener("click", () => {
      const index = [...table.body.children].indexOf(row)
      const refocus = () => focusNear(table.body, index)
      return openLetter({ at: row.dataset["at"] ?? "", onReplayed: ask, refocus })
    })
    row.lastElementChild?.append(open)
  }

  /** @param {HTMLElement} row @param {Letter} letter */
  const update = (row, letter) => {
    const { cause, isReplayed, message } = letter
    const at = place(letter)
    row.dataset["at"] = at
    row.classList.toggle("quiet", isReplayed)
    setTime(row.firstElementChild, letter.at)
    setText(find(row, "em"), cause)
    setCells(row, [null, null, at, `${isReplayed ? "replayed; " : ""}${message ?? ""}`])
    const button = find(row, "button")
    button.hidden = stored === null
    button.setAttribute("aria-label", `Open ${at}`)
  }

  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let typing
  search.addEventListener("input", () => {
    clearTimeout(typing)
    typing = setTimeout(ask, 300)
    draw()
  })
  for (const node of [cause, replayed]) node.addEventListener("change", ask)
  replayAll.addEventListener("click", async () => {
    if (!confirm(`Replay all pending dead letters with cause ${cause.value}?`)) return
    try {
      put("letters-said", said(await post("/api/replay", { cause: cause.value })))
    } catch (error) {
      return put("letters-said", `Not replayed: ${messageOf(error)}`)
    }
    await ask()
  })

  return (/** @type {Snapshot} */ snapshot) => {
    last = snapshot
    const isNew = snapshot.totals.deadLetters !== countedThen
    if (isNew && isAskable(snapshot) && Date.now() - askedAt > PAUSE_MS) void ask()
    draw()
  }
}
