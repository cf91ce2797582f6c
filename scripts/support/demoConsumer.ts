// The consumer of the demo: runs until its work is done or the user stops it, and is always stopped in the orderly way, by one signal.
import { say } from "./demoPage.ts"
import { type Environment, end, type Service, start } from "./demoService.ts"

const LIMIT_MS = 90_000
/** npm and tsx pass on the Ctrl-C that the terminal has sent to us already; a person takes longer to press it again. */
const SAME_SIGNAL_MS = 300

const CTRL_C = 3

const interrupt = new AbortController()
let consumer: Service | undefined

/** Aborted by Ctrl-C and the like, wherever the demo is. */
export const stopped = interrupt.signal

let last = 0
const stop = (): void => {
  interrupt.abort(new Error("Interrupted."))
  if (Date.now() - last > SAME_SIGNAL_MS) consumer?.signal("SIGINT")
  last = Date.now()
}

export const listenToSignals = (): void => {
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.on(signal, stop)
  // The reader of our output is gone (`npm run demo | head`).
  process.stdout.on("error", () => {
    if (!stopped.aborted) stop()
  })
}

/** Runs it until `work` is done, then stops it; throws when it ends before that, takes too long, or does not exit with 0. */
export const consumeUntil = async (
  settings: Environment,
  work: (limit: AbortSignal) => Promise<void>
): Promise<void> => {
  const running = start(settings, [])
  consumer = running
  const limit = new AbortController()
  const tooLong = new Error(`Not everything was written and committed within ${LIMIT_MS / 1000} s; its log is above.`)
  const timer = setTimeout(() => limit.abort(tooLong), LIMIT_MS)
  try {
    await Promise.race([work(AbortSignal.any([stopped, limit.signal])), running.exit.then(endedByItself)])
    say("All is committed. Stopping it with SIGTERM:")
  } finally {
    clearTimeout(timer)
    limit.abort()
    await end(running, "SIGTERM")
  }
  expectZero(await running.exit)
}

/** Runs it until the user presses Ctrl-C. */
export const consumeUntilStopped = async (settings: Environment): Promise<void> => {
  consumer = start(settings, [])
  // Read as a key: as a signal it would also end the shell that npm has started us in, and with it our exit code.
  const onKeys = (keys: Buffer): void => {
    if (keys.includes(CTRL_C)) stop()
  }
  process.stdin.setRawMode(true).on("data", onKeys)
  const code = await consumer.exit
  process.stdin.off("data", onKeys).setRawMode(false).pause()
  if (!stopped.aborted) endedByItself(code)
  expectZero(code)
}

const endedByItself = (code: string): void => {
  stopped.throwIfAborted()
  const how = /^\d+$/.test(code) ? `with exit code ${code}` : `by ${code}`
  throw new Error(`The consumer ended before it was asked to, ${how}; its log is above.`)
}

const expectZero = (code: string): void => {
  say(`Exit code ${code}`)
  if (code !== "0") throw new Error(`The consumer should have ended with exit code 0, not ${code}.`)
}
