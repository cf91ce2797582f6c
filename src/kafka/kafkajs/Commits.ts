/** Commits the offsets of one assignment, as long as it is held; one that fails is made good by the next. */
import * as Effect from "effect/Effect"
import * as Schedule from "effect/Schedule"
import type { Consumer, EachBatchPayload } from "kafkajs"
import type { Position } from "../../domain/KafkaRecord.ts"
import * as CommitNote from "../CommitNote.ts"
import { isEviction, isRebalance, KafkaError } from "../KafkaError.ts"

/** How long one attempt may take. */
const patience = "15 seconds"

export const make = (options: {
  readonly consumer: Pick<Consumer, "commitOffsets">
  readonly isHeld: () => boolean
  /** The batch that kafkajs delivered last. */
  readonly latest: () => Pick<EachBatchPayload, "commitOffsetsIfNecessary"> | undefined
  readonly topicIdOf: (topic: string) => string | undefined
  /** Called when the group's coordinator takes no commit, for no reason of ours: only rejoining finds another. */
  readonly onFailed: (error: KafkaError) => void
}) => {
  const { consumer, isHeld, latest, onFailed, topicIdOf } = options

  const commit = (kind: CommitNote.CommitNote["kind"], positions: ReadonlyArray<Position>): Effect.Effect<boolean> =>
    Effect.suspend(() => {
      if (!isHeld() || positions.length === 0) return Effect.succeed(false)
      const offsets = positions.map(({ offset, partition, topic }) => ({
        ...{ topic, partition, offset: String(offset) },
        metadata: CommitNote.encode({ kind, topicId: topicIdOf(topic) })
      }))
      // The payload's commit makes one attempt, bound to the generation of this moment; the consumer's own would retry
      // into the next one.
      const payload = latest()
      return Effect.tryPromise({
        try: () =>
          payload === undefined
            ? consumer.commitOffsets(offsets)
            : payload.commitOffsetsIfNecessary({
                topics: offsets.map(({ topic, ...offset }) => ({ topic, partitions: [offset] }))
              }),
        catch: (cause) => KafkaError.from("commit offsets", cause)
      }).pipe(
        Effect.timeoutOrElse({
          duration: patience,
          orElse: () =>
            new KafkaError({ reason: "unavailable", message: `Could not commit offsets: no answer within ${patience}` })
        }),
        // Perhaps there is no next commit for a long time.
        Effect.retry({
          schedule: Schedule.spaced("500 millis"),
          times: 3,
          while: (error) => isHeld() && !isPassing(error)
        }),
        Effect.as(true),
        Effect.catch((error) => {
          if (isHeld() && !isPassing(error)) onFailed(error)
          return Effect.as(
            Effect.logWarning(`Committing offsets failed: ${error.message}; the next commit covers them`),
            false
          )
        })
      )
    })

  return { commit }
}

/** The group is rebalancing: the next assignment commits the position of the ledger. */
const isPassing = ({ cause }: KafkaError): boolean => isRebalance(cause) || isEviction(cause)
