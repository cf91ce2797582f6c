/** Whether the service is ready and whether it is alive, judged by progress, with reasons; pure. */
import * as Duration from "effect/Duration"
import type { Settings } from "../settings/Settings.ts"
import type { ProgressView } from "./ProgressView.ts"

/** Whether a probe holds, and why not. */
export interface Verdict {
  readonly ok: boolean
  readonly reasons: ReadonlyArray<string>
}

/** What is as somebody wanted it is said, too, and does not count. */
const verdict = (reasons: ReadonlyArray<string | undefined>, wanted: ReadonlyArray<string> = []): Verdict => {
  const told = reasons.filter((reason) => reason !== undefined)
  return { ok: told.length === 0, reasons: [...told, ...wanted] }
}

/** `45 s`, `3 min 38 s`, `2 h 5 min`. */
const span = (millis: number): string => {
  const seconds = Math.round(millis / 1000)
  if (seconds < 120) return `${seconds} s`
  const minutes = Math.floor(seconds / 60)
  return minutes < 120 ? `${minutes} min ${seconds % 60} s` : `${Math.floor(minutes / 60)} h ${minutes % 60} min`
}

/**
 * Ready: all sides answer, the group gave us an assignment (an empty one counts: there are more members than
 * partitions) unless there is no topic yet, no topic is stopped or missing, and nothing has waited in memory for longer than BATCH_TIMEOUT +
 * READY_MAX_PENDING.
 */
export const ready = (view: ProgressView, settings: Settings["Service"], now: number): Verdict => {
  const {
    awaitsTopics,
    kafka,
    lastingFaults,
    member,
    oldestPendingSeconds,
    pausedTopics,
    registry,
    stoppedTopics,
    unreadablePartitions,
    unreadTopics,
    warehouse
  } = view
  const limit = Duration.toSeconds(settings.batch.timeout) + Duration.toSeconds(settings.readyMaxPending)
  return verdict(
    [
      kafka.isUp === true ? undefined : `Kafka: ${kafka.message} (for ${span(now - kafka.since)})`,
      warehouse.isUp === true ? undefined : `warehouse: ${warehouse.message} (for ${span(now - warehouse.since)})`,
      // It is asked only when a schema is needed, so that not yet is as good as yes.
      registry?.isUp === false ? `schema registry: ${registry.message} (for ${span(now - registry.since)})` : undefined,
      ...lastingFaults.map(({ message, write }) => `writing to ${write}: ${message}`),
      member === null && kafka.isUp === true && !awaitsTopics
        ? `no assignment from the consumer group yet; a member that ended without leaving has to expire first, after up to ${Duration.toSeconds(settings.kafka.sessionTimeout)} s`
        : undefined,
      stoppedTopics.length === 0
        ? undefined
        : `stopped: ${stoppedTopics.join(", ")}; see the log for what was lost and the command to continue`,
      ...unreadTopics.map(({ message, topic }) => `topic ${topic} is not read: ${message}`),
      ...unreadablePartitions.map(({ message, partition }) => `${partition} is not read: ${message}`),
      oldestPendingSeconds <= limit
        ? undefined
        : `the oldest record in memory has waited for ${span(1000 * oldestPendingSeconds)}; the limit is ${limit} s`
    ],
    pausedTopics.map((topic) => `topic ${topic} is paused by request`)
  )
}

/**
 * Alive: unless there is work and nothing has moved for twice PROGRESS_TIMEOUT. At the end of the first one the current
 * attempt was given up and a new connection opened; when that did not help either, a restart is what is left. A peer
 * that answers with an error within half a minute counts as movement: it is out of order, we are not.
 */
export const live = ({ stalled }: ProgressView, settings: Settings["Service"], now: number): Verdict => {
  const limit = 2 * Duration.toMillis(settings.progressTimeout)
  return verdict([
    stalled === null || now - stalled.since < limit
      ? undefined
      : `there is something to ${stalled.work}, but no progress for ${span(now - stalled.since)}, even after a reconnect`
  ])
}
