/**
 * Where a partition starts that the ledger does not have: by what the group has committed, by AUTO_OFFSET_RESET, and by
 * LEDGER_MISSING; and whether a ledger is out of date; pure.
 */
import type { Start } from "../domain/KafkaRecord.ts"
import type { AssignedPartition } from "../kafka/ConsumerGroup.ts"
import type { LogRange } from "../kafka/Offsets.ts"
import type { KafkaSettings } from "../settings/Model.ts"

/**
 * `why` tells what is worth a warning; `Undecided` is a partition that this service has read before, into a ledger that
 * is not here: to start at either end would lose records or write them twice.
 */
export type Decision =
  | { readonly _tag: "Start"; readonly start: Start; readonly why?: string }
  | { readonly _tag: "Undecided"; readonly why: string; readonly isOutdated?: true }

/** `isKnown`: the group has read other partitions of this topic. */
export const decide = (
  place: AssignedPartition,
  isKnown: boolean,
  { autoOffsetReset, ledgerMissing }: Pick<KafkaSettings, "autoOffsetReset" | "ledgerMissing">
): Decision => {
  const { committed, high, low, note, partition, topic, topicId } = place
  const at = (offset: number, id: string | undefined) => ({ topic, partition, offset, topicId: id })
  if (committed === undefined) {
    return { _tag: "Start", start: at(unread(place, isKnown, autoOffsetReset), topicId) }
  }
  const takenOver = at(committed, note?.topicId ?? (committed <= high ? topicId : undefined))
  if (committed <= low || note?.kind === "start") return { _tag: "Start", start: takenOver }
  const passed = `topic=${topic} partition=${partition}: the group has committed offset ${committed}, but this ledger has no row`
  const who =
    note?.kind === "ledger" ? "committed by this service with another ledger" : "committed by another consumer"
  if (ledgerMissing === "earliest")
    return {
      _tag: "Start",
      start: at(low, topicId),
      why: `${passed} (${who}); starting at ${low}, the beginning of the log (LEDGER_MISSING=earliest)`
    }
  if (ledgerMissing === "stop" && note?.kind === "ledger") return { _tag: "Undecided", why: `${passed} (${who})` }
  return {
    _tag: "Start",
    start: takenOver,
    why: `${passed} (${who}); starting there: offsets ${low} to ${committed - 1} are not read`
  }
}

/**
 * A ledger that is behind what the group has committed without one, in at-least-once delivery or through Snowpipe
 * Streaming: to go on by it would write again what is there.
 */
export const outdated = ({ committed, note, partition, topic }: AssignedPartition, next: number): string | undefined =>
  committed !== undefined && note?.kind === "rows" && committed > next
    ? `topic=${topic} partition=${partition}: the ledger is at offset ${next}, but the group has committed ${committed} since, without it (SNOWFLAKE_WRITER or DELIVERY was changed)`
    : undefined

/** Where a partition starts that nobody has read. One that was added to a known topic holds only what came later. */
export const unread = (
  { low, stable }: Pick<LogRange, "low" | "stable">,
  isKnown: boolean,
  autoOffsetReset: KafkaSettings["autoOffsetReset"]
): number => (autoOffsetReset === "earliest" || isKnown ? low : stable)
