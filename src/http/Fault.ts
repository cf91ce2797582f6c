/** What is wrong with the bytes of an event, and at which of them: so that a person finds the place to repair. */
import { isUtf8 } from "node:buffer"

/** The first byte of what is not UTF-8. */
const firstBad = (bytes: Uint8Array): number => {
  const decoder = new TextDecoder("utf-8", { fatal: false })
  const whole = decoder.decode(bytes)
  // The bytes up to a replacement character are as they came, unless it was sent as one.
  let at = 0
  for (const character of whole) {
    const sent = Buffer.from(character)
    if (!sent.equals(bytes.subarray(at, at + sent.length))) return at
    at += sent.length
  }
  return at
}

/** Why a text is no JSON, as the parser has it; undefined where it is. */
const parserSays = (text: string): string | undefined => {
  try {
    JSON.parse(text)
    return undefined
  } catch (error) {
    return error instanceof Error ? error.message : String(error)
  }
}

/** The place that a message names; of an unexpected token the parser names none. */
const placeIn = (message: string): number | undefined => {
  const [, position] = /at position (\d+)/.exec(message) ?? []
  return position === undefined ? undefined : Number(position)
}

/** Whether more text could still make JSON of it. */
const canGoOn = (start: string): boolean => {
  const message = parserSays(start)
  if (message === undefined || message === "Unexpected end of JSON input") return true
  return (placeIn(message) ?? 0) >= start.length
}

/** How much of the text could still become JSON: what comes then is unexpected. */
const unexpectedIn = (text: string): number => {
  let [from, to] = [0, text.length]
  while (to - from > 1) {
    const middle = Math.floor((from + to) / 2)
    if (canGoOn(text.slice(0, middle))) from = middle
    else to = middle
  }
  return from
}

/** Undefined where nothing is wrong with them as JSON. */
export const of = (bytes: Uint8Array): string | undefined => {
  if (!isUtf8(bytes)) return `not UTF-8 at byte ${firstBad(bytes)}`
  const text = Buffer.from(bytes).toString("utf8")
  const message = parserSays(text)
  if (message === undefined) return undefined
  const isCut = message === "Unexpected end of JSON input"
  const position = isCut ? text.length : (placeIn(message) ?? unexpectedIn(text))
  const at = Buffer.byteLength(text.slice(0, position))
  // The rest of the message quotes the event.
  const what = /^(.*?)(?:,| in JSON| at position|$)/.exec(message)?.[1] ?? "not JSON"
  return `${at >= bytes.length ? "the JSON ends too early" : what}, at byte ${at}`
}
