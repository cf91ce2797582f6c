/** How a command ends: lost output is a failure, a signal sets the exit code, a closed pipe is neither. */

/** As shells count: 128 and the number of the signal. */
const codes: Partial<Record<NodeJS.Signals, number>> = { SIGINT: 130, SIGTERM: 143 }

export interface Watch {
  /** The exit code of a command that was interrupted. */
  readonly interrupted: () => number
  /** The exit code in place of this one, once all that was written has arrived or failed. */
  readonly settle: (code: number, done: (code: number) => void) => void
}

const isReaderGone = (error: NodeJS.ErrnoException): boolean => error.code === "EPIPE"

/** Watches stdout and the signals for as long as the process lives. */
export const watch = (): Watch => {
  let lost: Error | undefined
  let interrupted = 0
  process.stdout.on("error", (error: NodeJS.ErrnoException) => {
    if (!isReaderGone(error)) lost ??= error
  })
  // Unheard, it would end the process with a stack trace that nobody gets to see.
  process.stderr.on("error", () => {})
  for (const signal of ["SIGINT", "SIGTERM"] as const)
    process.on(signal, () => {
      interrupted ||= codes[signal] ?? 1
    })
  return {
    interrupted: () => interrupted,
    settle: (code, done) => {
      // A failed write is reported in the next turn.
      setImmediate(() => {
        if (lost === undefined) return done(code)
        process.stderr.write(`The output could not be written: ${lost.message}\n`)
        done(code === 0 ? 1 : code)
      })
    }
  }
}
