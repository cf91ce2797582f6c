/**
 * What kafkajs delivered, in the parts in which it is handed on: in order, without a gap, and a batch that could not be
 * taken by the offsets it holds.
 */
import type { KafkaMessage } from "kafkajs"
import type { KafkaRecord, Position, TopicPartition } from "../../domain/KafkaRecord.ts"
import type { Fetch } from "../ConsumerGroup.ts"
import type { BatchFault } from "./RecordBatch.ts"

/** At this offset begins a batch that cannot be read; perhaps it can later. */
export interface Unreadable extends Position {
  readonly _tag: "Unreadable"
  readonly message: string
  /** The first offset behind it, as far as can be known. */
  readonly after: number
}

interface Range extends TopicPartition {
  readonly next: number
}

interface Readable extends Fetch {
  readonly _tag?: undefined
}

/** Records of a batch that is too large, in one part at most: their number is the producer's. */
const partRecords = 10_000

/** The messages of a delivery from `start` on. */
export function* parts(
  { next, partition, topic }: Range,
  messages: ReadonlyArray<KafkaMessage>,
  start: number
): Generator<Readable | Unreadable, void> {
  const place = { topic, partition }
  let from = start
  let records: Array<KafkaRecord> = []
  for (const message of messages) {
    const offset = Number(message.offset)
    if (offset < start) continue
    const fault = faultOf(message)
    if (fault === undefined) {
      records.push(toRecord(topic, partition, offset, message))
      continue
    }
    const first = Math.max(fault.from, from)
    if (records.length > 0) yield { ...place, from, next: first, records }
    from = first
    records = []
    if (fault.cause === "unreadable")
      return yield { _tag: "Unreadable", ...place, offset: first, after: offset + 1, message: fault.message }
    for (let end = from; from <= offset; from = end) {
      end = Math.min(from + partRecords, offset + 1)
      yield { ...place, from, next: end, records: withoutContent(place, from, end, message, fault) }
    }
  }
  if (from < next) yield { ...place, from, next, records }
}

const faultOf = (message: KafkaMessage & { readonly fault?: BatchFault }): BatchFault | undefined => message.fault

const withoutContent = (
  place: TopicPartition,
  from: number,
  end: number,
  { timestamp }: KafkaMessage,
  { message }: BatchFault
): ReadonlyArray<KafkaRecord> =>
  Array.from({ length: end - from }, (_, index) => ({
    ...{ ...place, offset: from + index, timestamp: Number(timestamp) },
    ...{ key: null, value: null, headers: {}, tooLarge: message }
  }))

/** Field by field: spreading an object costs more than all else that is done to a record here. */
const toRecord = (
  topic: string,
  partition: number,
  offset: number,
  { headers, key, timestamp, value }: KafkaMessage
): KafkaRecord => ({ topic, partition, offset, timestamp: Number(timestamp), key, value, headers: headers ?? {} })
