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

/** Undefined where nothing is wrong with them as JSON. */
export const of = (bytes: Uint8Array): string | undefined => {
  if (!isUtf8(bytes)) return `not UTF-8 at byte ${firstBad(bytes)}`
  const text = Buffer.from(bytes).toString("utf8")
  try {
    JSON.parse(text)
    return undefined
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error)
    const [, position] = /at position (\d+)/.exec(message) ?? []
    const at = position === undefined ? bytes.length : Buffer.byteLength(text.slice(0, Number(position)))
    // The rest of the message quotes the event.
    const what = /^(.*?)(?:,| in JSON| at position|$)/.exec(message)?.[1] ?? "not JSON"
    return `${at >= bytes.length ? "the JSON ends too early" : what}, at byte ${at}`
  }
}
