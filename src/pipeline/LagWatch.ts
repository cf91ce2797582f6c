/**
 * Reads the log ends every few seconds, so that lag is right for idle partitions too; reconnects when there are records
 * to read and none arrive.
 */
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Schedule from "effect/Schedule"
import { Admin } from "../kafka/Admin.ts"
import { ConsumerGroup } from "../kafka/ConsumerGroup.ts"
import { Progress } from "../observe/Progress.ts"
import { Settings } from "../settings/Settings.ts"

/** How old a lag that is shown may be. */
const interval = Duration.seconds(5)

/** Runs until it is interrupted. */
export const watch = Effect.gen(function* () {
  const { progressTimeout } = yield* Settings
  const admin = yield* Admin
  const kafka = yield* ConsumerGroup
  const progress = yield* Progress
  const limit = Duration.toMillis(progressTimeout)
  let reopenedFor: number | undefined

  const read = Effect.suspend(() => {
    const topics = new Set(progress.view().partitions.map(({ topic }) => topic))
    // One at a time: a topic that cannot be read leaves the lag of the others.
    return Effect.forEach([...topics], (topic) =>
      admin.ranges([topic]).pipe(
        Effect.map(progress.ends),
        Effect.catch((error) => Effect.logDebug(`Lag could not be read: ${error.message}`))
      )
    )
  }).pipe(Effect.timeoutOption(interval))

  /** Once for each time that nothing moves. What waits to be written has its own limit: the writer gives its try up. */
  const reopen = Effect.flatMap(Clock.currentTimeMillis, (now) => {
    const { stalled } = progress.view()
    if (stalled?.work !== "read" || now - stalled.since < limit || reopenedFor === stalled.since) return Effect.void
    reopenedFor = stalled.since
    return Effect.logWarning(
      `Kafka has unread records, but none arrived for ${Math.round((now - stalled.since) / 1000)} s: rejoining the group`
    ).pipe(Effect.andThen(kafka.reopen))
  })

  return yield* Effect.andThen(read, reopen).pipe(
    Effect.repeat(Schedule.spaced(interval)),
    Effect.andThen(Effect.never)
  )
})
