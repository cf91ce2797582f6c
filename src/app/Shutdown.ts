/**
 * What a stop signal means (SIGTERM, SIGINT, and SIGHUP when the terminal is closed): the first one starts the graceful
 * stop and its deadline, a second one ends the process at once.
 */
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"

/** Exit code of a process that a signal ended, as shells count: 128 + SIGINT. */
const interrupted = 130
/**
 * One Ctrl-C reaches a process twice when npm passes it on as well as the terminal: what follows so soon, in
 * milliseconds, is no second one.
 */
const sameGesture = 300
/** The graceful stop took longer than SHUTDOWN_TIMEOUT. */
const overdue = 1

/** Watches the signals for the length of the scope; interrupting the program is the runtime's part. */
export const watch = Effect.fnUntraced(function* (shutdownTimeout: Duration.Duration) {
  const run = Effect.runForkWith(yield* Effect.context<never>())
  let askedAt: number | undefined
  const onSignal = (signal: NodeJS.Signals): void => {
    if (askedAt !== undefined) {
      if (Date.now() - askedAt > sameGesture) process.exit(interrupted)
      return
    }
    askedAt = Date.now()
    run(Effect.logInfo(`${signal}: stopping; flushing buffered events (repeat to exit at once)`))
    const limit = Duration.toMillis(shutdownTimeout)
    setTimeout(() => process.exit(overdue), limit).unref()
  }
  // The runtime ends the program for the other two only.
  const onHangUp = (signal: NodeJS.Signals): void => {
    onSignal(signal)
    process.kill(process.pid, "SIGTERM")
  }
  yield* Effect.acquireRelease(
    Effect.sync(() => {
      process.on("SIGHUP", onHangUp)
      process.on("SIGINT", onSignal)
      process.on("SIGTERM", onSignal)
    }),
    () =>
      Effect.sync(() => {
        process.off("SIGHUP", onHangUp)
        process.off("SIGINT", onSignal)
        process.off("SIGTERM", onSignal)
      })
  )
})
