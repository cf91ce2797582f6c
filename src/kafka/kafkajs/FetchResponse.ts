/**
 * Decodes the answer to a fetch (versions 4 to 11 of the request) as kafkajs expects it, with record batches read by
 * our own rules.
 */
import { createRequire } from "node:module"
import type { AbortedTransaction } from "./ReadCommitted.ts"
import { Reader } from "./Reader.ts"
import * as RecordBatch from "./RecordBatch.ts"

/** What the fetch asked for; kafkajs counts offsets as text. */
export interface AskedTopic {
  readonly topic: string
  readonly partitions: ReadonlyArray<{ readonly partition: number; readonly fetchOffset: string | number }>
}

interface Partition {
  readonly partition: number
  readonly errorCode: number
  readonly highWatermark: string
  readonly lastStableOffset: string
  /** kafkajs filters by this list wrongly: what belongs to an aborted transaction is taken out here. */
  readonly abortedTransactions: ReadonlyArray<never>
  readonly preferredReadReplica?: number
  readonly messages: ReadonlyArray<unknown>
}

/** kafkajs's own decoding of message sets, the formats before Kafka 0.11. */
type MessageSetDecoder = (decoder: object, size: number) => Promise<ReadonlyArray<unknown>>

const require = createRequire(import.meta.url)

/** Bytes that one answer may give out: one batch of the largest size, and half as much for its messages. */
const room = 96 * 1024 * 1024

export const decode = async (version: number, raw: Buffer, asked: ReadonlyArray<AskedTopic>) => {
  const reader = new Reader(raw)
  const throttle = reader.int32()
  const session = version >= 7 ? { errorCode: reader.int16(), sessionId: reader.int32() } : {}
  const left: RecordBatch.Room = { left: room }
  const responses: Array<{ readonly topicName: string; readonly partitions: ReadonlyArray<Partition> }> = []
  for (let topics = reader.int32(); topics > 0; topics--) {
    const topicName = reader.string()
    const partitions: Array<Partition> = []
    for (let count = reader.int32(); count > 0; count--) {
      const partition = await decodePartition(version, reader, left, (partition) =>
        offsetOf(asked, topicName, partition)
      )
      if (partition !== undefined) partitions.push(partition)
    }
    responses.push({ topicName, partitions })
  }
  // From version 8 on it is the client that has to wait, after an answer that came at once.
  return version >= 8
    ? { throttleTime: 0, clientSideThrottleTime: throttle, ...session, responses }
    : { throttleTime: throttle, ...session, responses }
}

/**
 * Undefined when there are records that found no room: to kafkajs, no messages would mean that the end of the log was
 * reached.
 */
const decodePartition = async (
  version: number,
  reader: Reader,
  room: RecordBatch.Room,
  offsetOf: (partition: number) => number
): Promise<Partition | undefined> => {
  const partition = reader.int32()
  const errorCode = reader.int16()
  const highWatermark = String(reader.int64())
  const lastStableOffset = String(reader.int64())
  // Where the log starts.
  if (version >= 5) reader.int64()
  const aborted: Array<AbortedTransaction> = []
  for (let count = reader.int32(); count > 0; count--)
    aborted.push({ producerId: reader.int64(), firstOffset: Number(reader.int64()) })
  const replica = version >= 11 ? { preferredReadReplica: reader.int32() } : {}
  const size = reader.int32()
  const records = reader.bytes(Math.max(0, size))
  const messages = RecordBatch.isCurrent(records)
    ? await RecordBatch.read(records, offsetOf(partition), aborted, room)
    : await decodeMessageSet(records)
  if (messages.length === 0 && records.length > 0 && room.left <= 0) return undefined
  return { partition, errorCode, highWatermark, lastStableOffset, abortedTransactions: [], ...replica, messages }
}

const decodeMessageSet = async (records: Buffer): Promise<ReadonlyArray<unknown>> => {
  if (records.length === 0) return []
  const Decoder: new (buffer: Buffer) => object = require("kafkajs/src/protocol/decoder.js")
  const decodeSet: MessageSetDecoder = require("kafkajs/src/protocol/messageSet/decoder.js")
  return decodeSet(new Decoder(records), records.length)
}

const offsetOf = (asked: ReadonlyArray<AskedTopic>, topic: string, partition: number): number => {
  for (const entry of asked) {
    const found = entry.topic === topic ? entry.partitions.find((one) => one.partition === partition) : undefined
    if (found !== undefined) return Number(found.fetchOffset)
  }
  return 0
}
