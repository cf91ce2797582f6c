/**
 * How the commands write for people: ages, numbers, colours on a terminal only; no event can control the terminal.
 */
import * as Effect from "effect/Effect"
import * as Stdio from "effect/Stdio"
import * as Terminal from "effect/Terminal"
import * as Instants from "../../domain/Instants.ts"

/** `1,234,567` */
export const count = (value: number): string => value.toLocaleString("en-US")

export const plural = (value: number, noun: string): string => `${count(value)} ${noun}${value === 1 ? "" : "s"}`

/** `12 s ago`; null is `never`. */
export const ago = (time: number | null, now: number): string => {
  if (time === null) return "never"
  const seconds = Math.max(0, Math.round((now - time) / 1000))
  if (seconds < 120) return `${seconds} s ago`
  if (seconds < 7200) return `${Math.round(seconds / 60)} min ago`
  return seconds < 172_800 ? `${Math.round(seconds / 3600)} h ago` : `${Math.round(seconds / 86_400)} days ago`
}

/**
 * What a terminal obeys: control characters (escape sequences begin with one), and what turns the direction of text.
 */
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what this is about
const obeyed = /[\u0000-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/g

const escaped = (character: string): string => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`

/** Text of an event, fit for a terminal: control characters are shown, not obeyed. */
export const harmless = (text: string): string =>
  text.replace(obeyed, (character) => (character === "\n" || character === "\t" ? " " : escaped(character)))

/**
 * One line of JSON, fit for a terminal as well: the same characters, which stand only inside of strings, are escaped.
 */
export const json = (value: unknown): string => JSON.stringify(value).replace(obeyed, escaped)

/** The same of a report of ours, with its points in time as text. */
export const report = (value: unknown): string => json(Instants.inText(value))

/**
 * The time of a record in local time; a number of which no date of four digits can be made, such as microseconds, as it
 * is.
 */
export const time = (millis: number): string => {
  const at = new Date(millis)
  const local = new Date(millis - at.getTimezoneOffset() * 60_000)
  if (!(local.getTime() >= 0) || local.getUTCFullYear() > 9999) return String(millis)
  return local.toISOString().slice(0, 19).replace("T", " ")
}

/** `[#####-----]  50 %  500/1,000` */
export const bar = (done: number, total: number): string => {
  const width = 30
  const filled = total === 0 ? width : Math.floor((done / total) * width)
  const percent = total === 0 ? 100 : Math.floor((done / total) * 100)
  return `[${"#".repeat(filled)}${"-".repeat(width - filled)}] ${String(percent).padStart(3)} %  ${count(done)}/${count(total)}`
}

const levels = "▁▂▃▄▅▆▇█"

/** Values as bars of one character each, the highest of them full. */
export const sparkline = (values: ReadonlyArray<number>): string => {
  const highest = Math.max(...values, 0)
  const levelOf = (value: number): number => (highest === 0 ? 0 : Math.round((value / highest) * (levels.length - 1)))
  return values.map((value) => levels[levelOf(value)] ?? "").join("")
}

export interface Screen {
  readonly isTerminal: boolean
  /** Whether it obeys more than text and line ends. */
  readonly isDrawable: boolean
  readonly isColoured: boolean
  /** COLUMNS, or what the terminal says; without an end in a pipe, which gets all that there is. */
  readonly columns: number
  readonly green: (text: string) => string
  readonly red: (text: string) => string
  readonly yellow: (text: string) => string
  readonly dim: (text: string) => string
}

export const screen: Effect.Effect<Screen, never, Stdio.Stdio | Terminal.Terminal> = Effect.gen(function* () {
  const isTerminal = yield* (yield* Stdio.Stdio).stdoutIsTerminal
  const columns = isTerminal
    ? Number(process.env["COLUMNS"]) || (yield* (yield* Terminal.Terminal).columns)
    : Number.POSITIVE_INFINITY
  const isDrawable = isTerminal && process.env["TERM"] !== "dumb"
  const isColoured = isDrawable && !process.env["NO_COLOR"]
  const paint = (code: number) => (text: string) => (isColoured ? `\u001b[${code}m${text}\u001b[0m` : text)
  return {
    isTerminal,
    isDrawable,
    isColoured,
    columns: columns > 0 ? columns : 80,
    green: paint(32),
    red: paint(31),
    yellow: paint(33),
    dim: paint(2)
  }
})

/**
 * A screen of its own in the terminal, drawn over in place; `last` is what is left when it closes, below what was there
 * before.
 */
export const drawing = Effect.fnUntraced(function* (last: () => string) {
  const terminal = yield* Terminal.Terminal
  const write = (text: string) => Effect.ignore(terminal.display(text))
  const control = "\u001b["
  // The other buffer, without a cursor; both are given back however it ends.
  yield* Effect.acquireRelease(write(`${control}?1049h${control}?25l${control}H`), () =>
    Effect.suspend(() => write(`${control}?25h${control}?1049l${last()}`))
  )
  const size = yield* terminal.size
  return {
    /** The size now, and then each time that it changes. */
    size,
    /**
     * Each line is cleared behind its end and the rest below the last: nothing is blank in between, so nothing
     * flickers.
     */
    draw: (lines: ReadonlyArray<string>) =>
      write(`${control}H${lines.map((line) => `${line}${control}K`).join("\r\n")}${control}J`)
  }
})

/** For what has no end of its own: a signal is how it ends, with exit code 0. */
export const untilStopped = <A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
  Effect.onInterrupt(effect, () =>
    Effect.sync(() => {
      process.exitCode = 0
    })
  )

/** Ends what follows events when the reader of our output is gone (`monitor | head`). */
export const whileRead = <A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<A | undefined, E, R> =>
  Effect.raceFirst(
    effect,
    Effect.callback<undefined>((resume) => {
      const gone = (): void => resume(Effect.succeed(undefined))
      process.stdout.once("error", gone)
      process.stdout.once("close", gone)
      return Effect.sync(() => {
        process.stdout.off("error", gone)
        process.stdout.off("close", gone)
      })
    })
  )
