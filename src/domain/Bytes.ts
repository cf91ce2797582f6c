/** Bytes as text and back: every text stands for exactly one sequence of bytes. */
import { isUtf8 } from "node:buffer"

const mark = "base64:"

const asBuffer = (bytes: Uint8Array): Buffer =>
  bytes instanceof Buffer ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)

/** The text of bytes that are known to be UTF-8. */
export const decoded = (bytes: Uint8Array): string => asBuffer(bytes).toString("utf8")

/**
 * Undefined when the bytes are not UTF-8: such become U+FFFD, and where that does not stand nobody has to look at them
 * a second time.
 */
export const utf8 = (bytes: Uint8Array): string | undefined => {
  const text = decoded(bytes)
  return text.includes("\ufffd") && !isUtf8(bytes) ? undefined : text
}

export const base64 = (bytes: Uint8Array): string => asBuffer(bytes).toString("base64")

/**
 * UTF-8 as it is; other bytes as `base64:…`, and so is a text that itself begins with `base64:`, because it could be
 * taken for bytes.
 */
export const textOf = (bytes: Uint8Array): string => {
  const text = utf8(bytes)
  return text === undefined || text.startsWith(mark) ? `${mark}${base64(bytes)}` : text
}

/** The bytes that `textOf` made a text of. */
export const bytesOf = (text: string): Buffer =>
  text.startsWith(mark) ? Buffer.from(text.slice(mark.length), "base64") : Buffer.from(text, "utf8")
