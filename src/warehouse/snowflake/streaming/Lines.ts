/**
 * A growing piece of memory in which rows become lines of JSON: payloads are copied as the bytes that they are, and
 * nothing else is allocated for them.
 */

/** Larger than this the memory is not kept: only very large events ask for it. */
const kept = 8 * 1024 * 1024

let scratch = Buffer.allocUnsafe(256 * 1024)

const lineFeed = 0x0a
const carriageReturn = 0x0d
const space = 0x20

/** Lines that are being written; one such at a time, from `open` to `take`. */
export interface Lines {
  /** Where the next byte goes. */
  length: number
}

export const open = (): Lines => ({ length: 0 })

const room = (lines: Lines, bytes: number): void => {
  const wanted = lines.length + bytes
  if (wanted <= scratch.length) return
  const larger = Buffer.allocUnsafe(2 * wanted)
  scratch.copy(larger, 0, 0, lines.length)
  scratch = larger
}

/** Text of ASCII alone. */
export const ascii = (lines: Lines, text: string): void => {
  room(lines, text.length)
  lines.length += scratch.write(text, lines.length, "latin1")
}

export const text = (lines: Lines, words: string): void => {
  room(lines, words.length * 3)
  lines.length += scratch.write(words, lines.length, "utf8")
}

/**
 * JSON as it was sent. A line may hold no line feed; outside of strings it is white space, and in them JSON does not
 * allow it.
 */
export const json = (lines: Lines, bytes: Uint8Array): void => {
  room(lines, bytes.length)
  scratch.set(bytes, lines.length)
  const end = lines.length + bytes.length
  for (const breaking of [lineFeed, carriageReturn]) {
    let at = bytes.indexOf(breaking)
    while (at !== -1) {
      scratch[lines.length + at] = space
      at = bytes.indexOf(breaking, at + 1)
    }
  }
  lines.length = end
}

/** The bytes from `from` on, as a copy; the memory begins anew. */
export const take = (lines: Lines, end = lines.length): Buffer => {
  const taken = Buffer.from(scratch.subarray(0, end))
  scratch.copyWithin(0, end, lines.length)
  lines.length -= end
  if (lines.length === 0 && scratch.length > kept) scratch = Buffer.allocUnsafe(256 * 1024)
  return taken
}
