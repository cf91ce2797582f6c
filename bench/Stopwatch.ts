/**
 * What a subject tells the bench on stdout: the moment it begins, and at its end a line of JSON; then it waits to be
 * looked at and killed.
 */

export interface Stopwatch {
  /** The first record is asked for. */
  readonly begin: () => void
  /** The last event is handled, or durable; never returns. */
  readonly end: (events: number) => Promise<never>
}

export const make = (): Stopwatch => {
  let began = 0
  return {
    begin: () => {
      if (began > 0) return
      process.stdout.write("begin\n")
      began = performance.now()
    },
    end: (events) => {
      const seconds = (performance.now() - began) / 1000
      process.stdout.write(`${JSON.stringify({ events, seconds })}\n`)
      setInterval(() => undefined, 60_000)
      return new Promise(() => undefined)
    }
  }
}
