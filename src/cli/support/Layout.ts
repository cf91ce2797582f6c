/**
 * Text and tables that fit the columns of a terminal: text is wrapped, and what is shortened ends or continues in an
 * ellipsis. Without a limit, as in a pipe, all is whole.
 */
import * as CliOutput from "effect/cli/CliOutput"

const gap = "  "
/** Of what continues a row below it. */
const indent = "    "
/** A column of text keeps as much before a row is folded. */
const least = 16
/** A value that is longer than this does not set the others apart. */
const mostPadding = 250

const graphemes = new Intl.Segmenter()

const widthOf = (text: string): number => (/^[ -~]*$/.test(text) ? text.length : CliOutput.displayWidth(text))

const beginning = (text: string, width: number): string => {
  let taken = ""
  let left = width
  for (const { segment } of graphemes.segment(text)) {
    left -= widthOf(segment)
    if (left < 0) break
    taken += segment
  }
  return taken
}

const ending = (text: string, width: number): string => {
  let taken = ""
  // Far more than is taken, and far less than a long text has.
  for (const { segment } of [...graphemes.segment(text.slice(-16 * width))].reverse()) {
    if (widthOf(segment + taken) > width) break
    taken = segment + taken
  }
  return taken
}

/** A sentence loses its end; a name its middle, because names differ at their ends. */
export const shorten = (text: string, width: number): string => {
  if (widthOf(text) <= width) return text
  const kept = Math.max(0, width - 1)
  const tail = /\s/.test(text) ? 0 : Math.floor(kept / 2)
  return `${beginning(text, kept - tail)}…${tail === 0 ? "" : ending(text, tail)}`
}

/** Lines of at most `columns`, broken at blanks, and inside of a word only where it does not fit a line. */
export const wrap = (text: string, columns: number, hanging = ""): ReadonlyArray<string> => {
  if (widthOf(text) <= columns) return [text]
  const hang = hanging.length < columns / 2 ? hanging : ""
  const lines: Array<string> = []
  let line = ""
  for (const word of text.split(/(?<=\S)(?= )/)) {
    const isTooLong = widthOf(word.trimStart()) > columns - hang.length
    if (line !== "" && !isTooLong && widthOf(line + word) > columns) {
      lines.push(line)
      line = `${hang}${word.trimStart()}`
    } else line += word
    while (widthOf(line) > columns) {
      const part = beginning(line, Math.max(2, columns))
      if (part === line) break
      lines.push(part)
      line = `${hang}${line.slice(part.length)}`
    }
  }
  return [...lines, line]
}

type Rows = ReadonlyArray<ReadonlyArray<string>>

/**
 * Rows in columns, the first row their names; those in `right` (by index) are numbers, aligned to the right. What does
 * not fit makes text shorter, but neither numbers nor what is in `whole`; where that is not enough, each row continues
 * below itself.
 */
export const table = (
  rows: Rows,
  right: ReadonlyArray<number> = [],
  columns = Number.POSITIVE_INFINITY,
  whole: ReadonlyArray<number> = []
): string => {
  const names = rows[0] ?? []
  const natural = names.map((_, index) => Math.max(...rows.map((row) => widthOf(row[index] ?? ""))))
  const align = (group: ReadonlyArray<number>, widths: ReadonlyArray<number>) => (row: ReadonlyArray<string>) =>
    group
      .map((index) => {
        const width = widths[index] ?? 0
        const cell = shorten(row[index] ?? "", width)
        const padding = " ".repeat(Math.max(0, Math.min(width, mostPadding) - widthOf(cell)))
        return right.includes(index) ? padding + cell : cell + padding
      })
      .join(gap)
      .trimEnd()
  const all = names.map((_, index) => index)
  const floors = natural.map((width, index) =>
    [...right, ...whole].includes(index) ? width : Math.min(width, Math.max(least, widthOf(names[index] ?? "")))
  )
  const shrunk = shrink(natural, floors, columns - gap.length * (names.length - 1))
  if (shrunk !== undefined) return rows.map(align(all, shrunk)).join("\n")
  const capped = natural.map((width) => Math.min(width, Math.max(2, columns - indent.length)))
  const groups = fold(capped, columns)
  const lines = groups.map((group, index) => {
    const line = align(group, capped)
    return (row: ReadonlyArray<string>) => (index === 0 ? line(row) : `${indent}${line(row)}`)
  })
  return rows.flatMap((row) => lines.map((line) => line(row))).join("\n")
}

/** The widest ones are made narrower until all fit; undefined where that is not possible. */
const shrink = (
  natural: ReadonlyArray<number>,
  floors: ReadonlyArray<number>,
  room: number
): ReadonlyArray<number> | undefined => {
  const sum = (widths: ReadonlyArray<number>) => widths.reduce((total, width) => total + width, 0)
  if (sum(natural) <= room) return natural
  if (sum(floors) > room) return undefined
  const at = (level: number) => natural.map((width, index) => Math.min(width, Math.max(floors[index] ?? 0, level)))
  let level = room
  while (sum(at(level)) > room) level -= 1
  return at(level)
}

/** Columns by index, as many to a line as fit. */
const fold = (widths: ReadonlyArray<number>, columns: number): ReadonlyArray<ReadonlyArray<number>> => {
  const groups: Array<Array<number>> = [[]]
  let used = 0
  widths.forEach((width, index) => {
    const group = groups.at(-1)
    if (group === undefined || (group.length > 0 && used + gap.length + width > columns)) {
      groups.push([index])
      used = indent.length + width
    } else {
      used += (group.length > 0 ? gap.length : 0) + width
      group.push(index)
    }
  })
  return groups
}
