/** One dead letter in a drawer: its payload as text and as bytes, what is wrong and where, and how to replay it. */
import { get, messageOf, post } from "./api.js"
import { copyText } from "./copy.js"
import { byId, make, put } from "./dom.js"
import { count, fullTime } from "./format.js"

/** How much of a payload is shown as bytes. */
const SHOWN_BYTES = 1024

/**
 * @typedef {{ readonly cause: string, readonly message: string | null, readonly key: string | null,
 *   readonly table: string, readonly timestamp: string | null, readonly ingestedAt: string,
 *   readonly replayedAt: string | null, readonly text: string | null, readonly base64: string | null,
 *   readonly hint: string | null }} Letter
 */

/** A time of the API; one that is no date is shown as it is. @param {string} text */
const when = (text) => (text.includes("T") ? fullTime(Date.parse(text)) : text)

/** The byte that a message names. @param {string} message */
const faultOf = (message) => {
  const found = /\b(?:byte|position|offset) (\d+)/.exec(message)
  return found === null ? null : Number(found[1])
}

/** @param {string} base64 */
const bytesOf = (base64) => Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0))

/** The text with the faulty place marked; where that is at or beyond the end, the end. */
const marked = (/** @type {string} */ text, /** @type {number | null} */ fault) => {
  if (fault === null) return [text]
  // The place is counted in bytes.
  const at = new TextDecoder().decode(new TextEncoder().encode(text).subarray(0, fault)).length
  return [text.slice(0, at), make("mark", "", text.slice(at, at + 1) || "⟨end⟩"), text.slice(at + 1)]
}

/** `0010  7b 22 61 22 …  {"a"…` @param {Uint8Array} bytes @param {number | null} fault */
const hexOf = (bytes, fault) => {
  /** @type {Array<Node | string>} */
  const parts = []
  for (let from = 0; from < Math.min(bytes.length, SHOWN_BYTES); from += 16) {
    const line = [...bytes.subarray(from, from + 16)]
    parts.push(`${from.toString(16).padStart(4, "0")}  `)
    line.forEach((byte, index) => {
      const digits = byte.toString(16).padStart(2, "0")
      parts.push(from + index === fault ? make("mark", "", digits) : digits, " ")
    })
    const letters = line.map((byte) => (byte >= 32 && byte < 127 ? String.fromCharCode(byte) : ".")).join("")
    parts.push(`${"   ".repeat(16 - line.length)} ${letters}\n`)
  }
  if (bytes.length > SHOWN_BYTES) parts.push(`… and ${bytes.length - SHOWN_BYTES} more bytes`)
  return parts
}

const dialog = () => {
  const node = byId("letter")
  if (!(node instanceof HTMLDialogElement)) throw new Error("#letter is no dialog")
  return node
}

const editor = () => {
  const node = byId("letter-editor")
  if (!(node instanceof HTMLTextAreaElement)) throw new Error("#letter-editor takes no text")
  return node
}

/**
 * What is open, what follows once it was replayed, and where the focus goes when what opened it has gone.
 * @typedef {{ readonly at: string, readonly onReplayed: () => Promise<void>, readonly refocus: () => void }} Open
 */
/** @type {Open} */
let open = { at: "", onReplayed: async () => {}, refocus: () => {} }

/** @param {Open} wanted */
export const openLetter = async (wanted) => {
  const { at } = wanted
  wire()
  put("letter-said", "")
  byId("letter-row").hidden = true
  try {
    const body = /** @type {{ letter: Letter & { hint?: string }, hint?: string }} */ (
      await get("/api/dead-letter", { at })
    )
    show(at, { ...body.letter, hint: body.hint ?? body.letter.hint ?? null })
    open = wanted
    dialog().showModal()
  } catch (error) {
    put("letters-said", `${at} cannot be shown: ${messageOf(error)}`)
  }
}

/** @param {string} at @param {Letter} letter */
const show = (at, { base64, cause, hint, key, message, replayedAt, table, text, timestamp }) => {
  const fault = faultOf(hint ?? "") ?? faultOf(message ?? "")
  put("letter-title", at)
  put("letter-cause", cause)
  put("letter-message", hint === null || hint === message ? (message ?? "") : [message ?? cause, hint].join(": "))
  const facts = [`table ${table}`, `key ${key ?? "none"}`]
  if (timestamp !== null) facts.push(when(timestamp))
  if (replayedAt !== null) facts.push(`replayed ${when(replayedAt)}`)
  put("letter-facts", facts.join(" · "))
  byId("letter-row").setAttribute("href", `#row=${at}`)
  put("letter-command", `bronze-consumer dlq replay ${at}`)
  byId("letter-text").replaceChildren(...(text === null ? ["This is not UTF-8 text."] : marked(text, fault)))
  byId("letter-hex").replaceChildren(...(base64 === null ? ["No payload."] : hexOf(bytesOf(base64), fault)))
  editor().value = text ?? ""
}

/** @param {Readonly<Record<string, unknown>>} body */
const replay = async (body) => {
  put("letter-said", "Replaying…")
  try {
    const result = await post("/api/replay", { at: open.at, ...body })
    put("letter-said", said(result))
    byId("letter-row").hidden = failedIn(result) > 0
    await open.onReplayed()
  } catch (error) {
    put("letter-said", `Not replayed: ${messageOf(error)}`)
  }
}

let isWired = false
const wire = () => {
  if (isWired) return
  isWired = true
  byId("letter-close").addEventListener("click", () => dialog().close())
  dialog().addEventListener("close", () => {
    const { activeElement } = document
    if (activeElement === document.body || dialog().contains(activeElement)) open.refocus()
  })
  byId("letter-row").addEventListener("click", () => dialog().close())
  byId("letter-copy").addEventListener("click", () =>
    copyText(byId("letter-copy"), byId("letter-command").textContent ?? "")
  )
  byId("letter-replay").addEventListener("click", () => replay({}))
  byId("letter-repair").addEventListener("click", () => replay({ payload: editor().value }))
}

/** @param {unknown} result */
const countsOf = (result) => /** @type {Record<string, number>} */ (result)

/** @param {unknown} result */
const failedIn = (result) => countsOf(result)["failed"] ?? 0

/** What a replay came to. @param {unknown} result */
export const said = (result) => {
  const { before = 0, failed = 0, replayed = 0 } = countsOf(result)
  const parts = [`${count(replayed)} replayed`]
  if (before > 0) parts.push(`${count(before)} had been before`)
  if (failed > 0) parts.push(`${count(failed)} failed again`)
  return `${parts.join(", ")}.`
}
