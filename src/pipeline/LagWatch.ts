/**
 * Reads the log ends every few seconds, so that lag is right for idle partitions too; reconnects when there are records
 * to read and none arrive, or when nobody can tell because the ends cannot be read.
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

/** How long a reading may take: longer than one question, so that who asks learns that it failed. */
const patience = Duration.seconds(25)

/** Runs until it is interrupted. */
export const watch = Effect.gen(function* () {
  const { progressTimeout } = yield* Settings
  const admin = yield* Admin
  const kafka = yield* ConsumerGroup
  const progress = yield* Progress
  const limit = Duration.toMillis(progressTimeout)
  let reopenedFor: number | undefined
  /** When the end of a log was read last, or was not asked for. */
  let readAt = yield* Clock.currentTimeMillis
  const answered = Effect.map(Clock.currentTimeMillis, (now) => {
    readAt = now
  })

  const read = Effect.suspend(() => {
    const topics = new Set(progress.view().partitions.map(({ topic }) => topic))
    if (topics.size === 0) return answered
    // One at a time: a topic that cannot be read leaves the lag of the others.
    return Effect.forEach([...topics], (topic) =>
      admin.ranges([topic]).pipe(
        Effect.map(progress.ends),
        Effect.andThen(answered),
        // Kafka has answered, if only that there is no such topic.
        Effect.tapError(({ reason }) => (reason === "unavailable" ? Effect.void : answered)),
        Effect.catch((error) => Effect.logDebug(`Lag could not be read: ${error.message}`))
      )
    )
  }).pipe(Effect.timeoutOption(patience))

  /** Once for each time that nothing moves. What waits to be written has its own limit: the writer gives its try up. */
  const reopen = Effect.flatMap(Clock.currentTimeMillis, (now) => {
    const { stalled } = progress.view()
    if (stalled?.work !== "read" || now - stalled.since < limit || reopenedFor === stalled.since) return Effect.void
    reopenedFor = stalled.since
    return Effect.logWarning(
      `Kafka has unread records, but none arrived for ${Math.round((now - stalled.since) / 1000)} s: rejoining the group`
    ).pipe(Effect.andThen(kafka.reopen))
  })

  /** What cannot be asked for its lag may be read no more either: kafkajs does not always find a broker again. */
  const reopenBlind = Effect.flatMap(Clock.currentTimeMillis, (now) => {
    if (now - readAt < Math.max(limit, Duration.toMillis(patience))) return Effect.void
    const seconds = Math.round((now - readAt) / 1000)
    readAt = now
    return Effect.logWarning(`The log ends could not be read from Kafka for ${seconds} s: rejoining the group`).pipe(
      Effect.andThen(kafka.reopen)
    )
  })

  return yield* Effect.all([read, reopen, reopenBlind], { discard: true }).pipe(
    Effect.repeat(Schedule.spaced(interval)),
    Effect.andThen(Effect.never)
  )
})
