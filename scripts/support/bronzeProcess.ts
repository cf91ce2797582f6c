/**
 * The service as a real process, `node dist/main.js`, seen as its user sees it: by its log, its exit code and what it
 * answers to signals.
 */
import { type ChildProcess, spawn } from "node:child_process"
import { once } from "node:events"
import { fileURLToPath } from "node:url"

const main = fileURLToPath(new URL("../../dist/main.js", import.meta.url))

export interface LogLine {
  readonly text: string
  /** When it was seen, in milliseconds since 1970. */
  readonly at: number
}

export interface BronzeProcess {
  readonly lines: ReadonlyArray<LogLine>
  /** Resolves with the first line that matches, also one that was already written; `from` skips the lines before it. */
  readonly line: (pattern: RegExp, options?: { readonly timeout?: number; readonly from?: number }) => Promise<LogLine>
  /** Resolves once `count` lines match. */
  readonly count: (pattern: RegExp, count: number, timeout?: number) => Promise<void>
  readonly signal: (signal: NodeJS.Signals) => void
  /** The exit code, or the signal's name. */
  readonly exit: Promise<number | string>
  readonly output: () => string
  readonly pid: number
}

const running = new Set<ChildProcess>()

/** Ends what a failed test left behind. */
export const killAll = (): void => {
  for (const child of running) child.kill("SIGKILL")
}

/**
 * Starts a command of the service with exactly these variables (and PATH, HOME); `program` may be another build of it.
 */
export const start = (
  env: Readonly<Record<string, string>>,
  args: ReadonlyArray<string> = [],
  program: string = main
): BronzeProcess => {
  const { HOME = "/tmp", PATH = "" } = process.env
  const child = spawn(process.execPath, [program, ...args], {
    env: { HOME, PATH, LOG_FILE: "", HTTP_PORT: "0", ...env },
    stdio: ["ignore", "pipe", "pipe"]
  })
  running.add(child)
  const lines: Array<LogLine> = []
  const watchers = new Set<() => void>()
  let rest = ""
  const read = (chunk: Buffer): void => {
    const parts = (rest + chunk.toString("utf8")).split("\n")
    rest = parts.pop() ?? ""
    for (const text of parts) lines.push({ text, at: Date.now() })
    for (const watcher of watchers) watcher()
  }
  child.stdout.on("data", read)
  child.stderr.on("data", read)
  const output = () => lines.map(({ text }) => text).join("\n")
  const exit = once(child, "close").then(([code, signal]) => {
    running.delete(child)
    const end: number | string = typeof code === "number" ? code : String(signal)
    for (const watcher of watchers) watcher()
    return end
  })

  const until = <A>(look: () => A | undefined, what: string, timeout: number): Promise<A> =>
    new Promise((resolve, reject) => {
      const finish = (act: () => void) => {
        watchers.delete(watcher)
        clearTimeout(timer)
        act()
      }
      const watcher = () => {
        const found = look()
        if (found !== undefined) finish(() => resolve(found))
        else if (!running.has(child)) finish(() => reject(new Error(`the process ended before ${what}:\n${output()}`)))
      }
      const timer = setTimeout(
        () => finish(() => reject(new Error(`no ${what} within ${timeout} ms:\n${output()}`))),
        timeout
      )
      watchers.add(watcher)
      watcher()
    })

  return {
    lines,
    line: (pattern, { from = 0, timeout = 30_000 } = {}) =>
      until(() => lines.slice(from).find(({ text }) => pattern.test(text)), `line ${pattern}`, timeout),
    count: async (pattern, count, timeout = 30_000) => {
      await until(
        () => (lines.filter(({ text }) => pattern.test(text)).length >= count ? true : undefined),
        `${count} lines ${pattern}`,
        timeout
      )
    },
    signal: (signal) => {
      child.kill(signal)
    },
    exit,
    output,
    pid: child.pid ?? -1
  }
}
