// How the demo writes: one heading line per step, indented lines below it; with --verbose also the logs, and the SQL
// above its result. Nothing an event says can steer the terminal.
import { styleText } from "node:util"
import * as Layout from "../../src/cli/support/Layout.ts"
import * as Screen from "../../src/cli/support/Screen.ts"
import { stays, verbose } from "./options.ts"

const INDENT = "   "
const STEPS = stays ? 7 : 6
let step = 0

/** Without a terminal nobody says how wide a line may be; some terminals say 0. */
const width = (): number => Math.max(60, process.stdout.columns || 150)

// Knows NO_COLOR and TERM=dumb.
const isColoured = process.stdout.isTTY === true && process.stdout.hasColors()

export const styled = (style: "bold" | "dim" | "green" | "red", text: string): string =>
  isColoured ? styleText(style, text) : text

let hasBar = false

/** How far it is, where a terminal can draw it; the next line takes its place. */
export const progress = (done: number, total: number): void => {
  if (!isColoured || verbose) return
  process.stdout.write(`\r${INDENT}${Screen.bar(done, total)}`)
  hasBar = true
}

const write = (line: string): void => {
  if (hasBar) process.stdout.write("\r\x1b[K")
  hasBar = false
  process.stdout.write(`${line}\n`)
}

export const heading = (text: string): void => {
  step += 1
  detailBlank()
  write(styled("bold", `[${step}/${STEPS}] ${text}`))
}

export const blank = (): void => write("")

export const say = (line: string): void => write(`${INDENT}${line}`)

/** What only --verbose shows. */
export const detail = (line: string): void => {
  if (verbose) say(line)
}

export const detailBlank = (): void => {
  if (verbose) blank()
}

const KEPT = 60
/** The last lines of other programs that were not shown. */
const kept: Array<string> = []
let isLoud = verbose

/** A line of another program: shown from `showLogs` on, and kept for `showKept` before that. */
export const quote = (line: string, label: string): void => {
  const quoted = `${INDENT}${label}| ${line}`
  if (isLoud) write(quoted)
  else kept.push(quoted)
  if (kept.length > KEPT) kept.shift()
}

export const showLogs = (): void => {
  isLoud = true
}

/** When something went wrong: the logs that lead there. */
export const showKept = (): void => {
  for (const line of kept.splice(0)) write(line)
}

export const showSql = (sql: string): void => {
  blank()
  for (const line of sql.trim().split("\n")) say(line)
}

/** The first `limit` rows: in columns if they fit the width, else one below the other, whole. */
export const showRows = (
  columns: ReadonlyArray<string>,
  rows: ReadonlyArray<ReadonlyArray<string>>,
  limit = 10
): void => {
  detailBlank()
  const shown = rows.slice(0, limit).map((row) => row.map(Screen.harmless))
  const lines = inColumns(columns, shown)
  const fits = lines.every((line) => line.length + INDENT.length + 2 <= width())
  for (const line of fits ? lines : shown.flatMap((row) => ["--", ...inLines(columns, row)])) say(`  ${line}`)
  if (rows.length === 0) say("  (no rows)")
  if (rows.length > limit) say(`  … and ${Screen.plural(rows.length - limit, "more row")}`)
}

const inColumns = (columns: ReadonlyArray<string>, rows: ReadonlyArray<ReadonlyArray<string>>): Array<string> => {
  const isNumber = (index: number): boolean => rows.every((row) => /^\d+$/.test(row[index] ?? ""))
  const right = columns.flatMap((_, index) => (isNumber(index) ? [index] : []))
  return Layout.table([columns, columns.map((name) => "-".repeat(name.length)), ...rows], right).split("\n")
}

const inLines = (columns: ReadonlyArray<string>, row: ReadonlyArray<string>): ReadonlyArray<string> => {
  const names = Math.max(...columns.map((name) => name.length))
  const room = width() - INDENT.length - names - 4
  return columns.flatMap((name, index) => {
    const value = row[index] ?? ""
    const parts = Array.from({ length: Math.max(1, Math.ceil(value.length / room)) }, (_, part) =>
      value.slice(part * room, (part + 1) * room)
    )
    return parts.map((part, number) => `${(number === 0 ? name : "").padEnd(names)}  ${part}`)
  })
}

export const { count, plural } = Screen
