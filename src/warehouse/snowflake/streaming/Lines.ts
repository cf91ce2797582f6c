/**
 * A growing piece of memory in which rows become lines of JSON: payloads are copied as the bytes that they are, and
 * nothing else is allocated for them.
 */

/** Larger than this the memory is not kept: only very large events ask for it. */
const kept = 8 * 1024 * 1024

let scratch = Buffer.allocUnsafe(256 * 1024)

const lineFeed = 0x0a
const space = 0x20
const closingBrace = 0x7d

/** Lines that are being written; one such at a time, from `open` to the last `take`. */
export interface Lines {
  /** Where the next byte goes. */
  length: number
}

export const open = (): Lines => ({ length: 0 })

const makeRoom = (lines: Lines, bytes: number): void => {
  const wanted = lines.length + bytes
  if (wanted <= scratch.length) return
  const larger = Buffer.allocUnsafe(2 * wanted)
  scratch.copy(larger, 0, 0, lines.length)
  scratch = larger
}

export const text = (lines: Lines, words: string): void => {
  makeRoom(lines, words.length * 3)
  lines.length += scratch.write(words, lines.length)
}

export const bytes = (lines: Lines, all: Uint8Array): void => {
  makeRoom(lines, all.length)
  scratch.set(all, lines.length)
  lines.length += all.length
}

/**
 * JSON as it was sent. A line may hold no line feed; outside of strings it is white space, and in them JSON does not
 * allow it.
 */
export const json = (lines: Lines, event: Uint8Array): void => {
  const start = lines.length
  bytes(lines, event)
  for (let at = event.indexOf(lineFeed); at !== -1; at = event.indexOf(lineFeed, at + 1)) scratch[start + at] = space
}

/** Ends the object, and the line. */
export const end = (lines: Lines): void => {
  makeRoom(lines, 2)
  scratch[lines.length] = closingBrace
  scratch[lines.length + 1] = lineFeed
  lines.length += 2
}

/** The bytes up to `length`, as a copy; those after them move to the beginning. */
export const take = (lines: Lines, length = lines.length): Buffer => {
  const taken = Buffer.from(scratch.subarray(0, length))
  scratch.copyWithin(0, length, lines.length)
  lines.length -= length
  if (lines.length === 0 && scratch.length > kept) scratch = Buffer.allocUnsafe(256 * 1024)
  return taken
}
