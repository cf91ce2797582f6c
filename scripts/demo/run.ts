// How long the processes of the demo run: until their work is done or the user stops them; always stopped in the
// orderly way, by one signal.
import { detail, say } from "./page.ts"
import { type Environment, end, type Service, start } from "./service.ts"

const LIMIT_MS = 90_000
/** npm and tsx pass on the Ctrl-C that the terminal has sent to us already; a person takes longer to press it again. */
const SAME_SIGNAL_MS = 300

const CTRL_C = 3

const interrupt = new AbortController()
const running = new Set<Service>()

/** Aborted by Ctrl-C and the like, wherever the demo is. */
export const stopped = interrupt.signal

let last = 0
/** The first one ends what runs in its order; a second one, all of it at once. */
const stop = (): void => {
  const isSecond = stopped.aborted && Date.now() - last > SAME_SIGNAL_MS
  last = Date.now()
  interrupt.abort(new Error("Interrupted."))
  if (isSecond) for (const service of running) service.signal("SIGINT")
}

export const listenToSignals = (): void => {
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.on(signal, stop)
  // The reader of our output is gone (`npm run demo | head`).
  process.stdout.on("error", () => {
    if (!stopped.aborted) stop()
  })
}

/**
 * Runs the services until `work` is done, then stops them, in this order; throws when one ends before that, or not with
 * 0.
 */
const runUntil = async (
  services: ReadonlyArray<Service>,
  signal: NodeJS.Signals,
  work: () => Promise<void>
): Promise<void> => {
  for (const service of services) running.add(service)
  try {
    await Promise.race([work(), ...services.map(endedByItself)])
  } finally {
    for (const service of services) {
      await end(service, signal)
      running.delete(service)
    }
  }
  for (const { exit, name } of services) {
    const code = await exit
    say(`\`${name}\` ended with exit code ${code}.`)
    if (code !== "0") throw new Error(`\`${name}\` should have ended with exit code 0, not ${code}.`)
  }
}

const endedByItself = async ({ exit, name }: Service): Promise<never> => {
  const code = await exit
  stopped.throwIfAborted()
  const how = /^\d+$/.test(code) ? `with exit code ${code}` : `by ${code}`
  throw new Error(`\`${name}\` ended before it was asked to, ${how}; its log is above.`)
}

/** Runs the consumer until `work` is done; throws when that takes too long. */
export const consumeUntil = async (
  settings: Environment,
  work: (limit: AbortSignal) => Promise<void>
): Promise<void> => {
  const limit = new AbortController()
  const tooLong = new Error(`Not everything was written and committed within ${LIMIT_MS / 1000} s; its log is above.`)
  const timer = setTimeout(() => limit.abort(tooLong), LIMIT_MS)
  try {
    await runUntil([start(settings, [])], "SIGTERM", async () => {
      await work(AbortSignal.any([stopped, limit.signal]))
      detail("All is committed. Stopping it with SIGTERM:")
    })
  } finally {
    clearTimeout(timer)
    limit.abort()
  }
}

/** Runs the services until the user presses Ctrl-C; `greet` may take as long as they need to be ready. */
export const runUntilStopped = async (services: ReadonlyArray<Service>, greet: () => Promise<void>): Promise<void> => {
  const isTerminal = process.stdin.isTTY === true
  // Read as a key: as a signal it would also end the shell that npm has started us in, and with it our exit code.
  const onKeys = (keys: Buffer): void => {
    if (keys.includes(CTRL_C)) stop()
  }
  if (isTerminal) process.stdin.setRawMode(true).on("data", onKeys)
  try {
    await runUntil(services, "SIGINT", async () => {
      stopped.throwIfAborted()
      const asked = new Promise<void>((resolve) => stopped.addEventListener("abort", () => resolve(), { once: true }))
      await Promise.race([greet().then(() => asked), asked])
    })
  } finally {
    if (isTerminal) process.stdin.off("data", onKeys).setRawMode(false).pause()
  }
}
