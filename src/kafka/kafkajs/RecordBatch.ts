/**
 * Reads the record batches of one partition out of a fetch (format 2, Kafka 0.11 and later). Total: a batch that cannot
 * be read, or that would be too large, becomes a message that says so, and what a fetch gives out is bounded whatever a
 * producer packed into it.
 */
import * as Bytes from "../../domain/Bytes.ts"
import type { HeaderValue } from "../../domain/KafkaRecord.ts"
import * as Codecs from "./Codecs.ts"
import * as ReadCommitted from "./ReadCommitted.ts"
import { Reader } from "./Reader.ts"

/** A record in the shape in which kafkajs hands it over. Control records take up an offset and are handed to nobody. */
export interface Message {
  readonly offset: string
  readonly timestamp: string
  readonly attributes: number
  readonly key: Buffer | null
  readonly value: Buffer | null
  readonly headers: Readonly<Record<string, HeaderValue>>
  readonly isControlRecord: boolean
  readonly fault?: BatchFault
}

/** Stands for all records of a batch, from this offset to that of its message. */
export interface BatchFault {
  readonly from: number
  /** `unreadable` may be otherwise tomorrow: a broker or a network was at fault. */
  readonly cause: "too_large" | "unreadable"
  readonly message: string
}

/** What one fetch may still give out, in bytes; shared by its partitions. */
export interface Room {
  left: number
}

/** What a message takes besides its bytes. */
const messageOverhead = 256

const compressionMask = 0x07
const logAppendTimeFlag = 0x08
const transactionalFlag = 0x10
const controlFlag = 0x20

interface Header {
  readonly baseOffset: number
  readonly lastOffset: number
  readonly attributes: number
  readonly baseTimestamp: bigint
  readonly maxTimestamp: bigint
  readonly producerId: bigint
  readonly count: number
  readonly body: Buffer
}

/** The first byte of a batch's body after its length: epoch of the leader, magic. */
const magicAt = 16

/** Whether these bytes are batches of format 2; else they are a message set of an older one. */
export const isCurrent = (records: Buffer): boolean => records.length > magicAt && records.readInt8(magicAt) === 2

/**
 * The messages from `from` on; the last batch may be cut off by the broker. Ends early when the room is spent, never
 * within nothing.
 */
export const read = async (
  records: Buffer,
  from: number,
  aborted: ReadonlyArray<ReadCommitted.AbortedTransaction>,
  room: Room
): Promise<ReadonlyArray<Message>> => {
  const reader = new Reader(records)
  const isAborted = ReadCommitted.make(aborted)
  const messages: Array<Message> = []
  let next = from
  while (room.left > 0) {
    let range = { from: next, to: next }
    try {
      const header = readHeader(reader)
      if (header === undefined) break
      const { attributes, baseOffset, lastOffset, producerId } = header
      range = { from: baseOffset, to: lastOffset }
      next = lastOffset + 1
      const body = await unpacked(attributes & compressionMask, header.body)
      room.left -= body.length
      const isControl = (attributes & controlFlag) !== 0
      const isTransactional = (attributes & transactionalFlag) !== 0
      const isAbortMarker = isControl && abortsTransaction(body)
      if (isAborted({ producerId, lastOffset, isTransactional, isAbortMarker }) || isControl)
        messages.push(filler(lastOffset))
      else readRecords(header, body, from, room, messages)
    } catch (error) {
      const cause = error instanceof Codecs.TooLarge ? "too_large" : "unreadable"
      const message = error instanceof Error ? error.message : String(error)
      messages.push({ ...filler(range.to), isControlRecord: false, fault: { from: range.from, cause, message } })
      // What comes behind it has to wait for it.
      if (cause === "unreadable") break
    }
  }
  // kafkajs tells where a fetch without records began by its first message: then it has to be where it was asked to.
  const [first] = messages
  return first?.isControlRecord === true && Number(first.offset) > from ? [filler(from), ...messages] : messages
}

/** In memory of its own, so that its records, which are views of it, do not keep the whole fetch. */
const unpacked = async (compression: number, body: Buffer): Promise<Buffer> => {
  const plain = await Codecs.unpack(compression, body)
  return plain === body ? Buffer.from(body) : plain
}

/** Undefined at the end, and for a batch that is not all there. */
const readHeader = (reader: Reader): Header | undefined => {
  if (reader.remaining < 12) return undefined
  const baseOffset = Number(reader.int64())
  const length = reader.int32()
  if (reader.remaining < length) return undefined
  const batch = new Reader(reader.bytes(length))
  // Epoch of the leader, magic and checksum: kafkajs never looked at them, and TCP has a checksum of its own.
  batch.bytes(9)
  const attributes = batch.int16()
  const lastOffset = baseOffset + batch.int32()
  const baseTimestamp = batch.int64()
  const maxTimestamp = batch.int64()
  const producerId = batch.int64()
  // Epoch and sequence of the producer.
  batch.bytes(6)
  const count = batch.int32()
  return {
    ...{ baseOffset, lastOffset, attributes, baseTimestamp, maxTimestamp, producerId, count },
    body: batch.bytes(batch.remaining)
  }
}

/** A control record's key is its version and its type, of which 0 aborts and 1 commits. */
const abortsTransaction = (body: Buffer): boolean => {
  const record = new Reader(body)
  record.varint()
  record.int8()
  record.varlong()
  record.varint()
  const key = record.varbytes()
  return key !== null && key.length >= 4 && key.readInt16BE(2) === 0
}

/**
 * Takes up an offset, so that what is between is known to hold nothing: compaction and aborts leave gaps at both ends
 * of a batch.
 */
const filler = (offset: number): Message => ({
  ...{ offset: String(offset), timestamp: "0", attributes: 0, key: null, value: null, headers: {} },
  isControlRecord: true
})

const readRecords = (
  { attributes, baseOffset, baseTimestamp, count, lastOffset, maxTimestamp }: Header,
  body: Buffer,
  from: number,
  room: Room,
  messages: Array<Message>
): void => {
  const reader = new Reader(body)
  const appended = (attributes & logAppendTimeFlag) !== 0 ? String(maxTimestamp) : undefined
  const base = Number(baseTimestamp)
  const begun = messages.length
  let last = -1
  try {
    for (let index = 0; index < count; index++) {
      if (room.left <= 0) return
      const length = reader.varint()
      const end = reader.offset + length
      if (length < 0 || end > body.length) throw new RangeError("a record reaches beyond its batch")
      const attributes = reader.int8()
      const timestamp = readTimestamp(reader, base, baseTimestamp)
      last = baseOffset + reader.varint()
      if (last < from) {
        reader.offset = end
        continue
      }
      const key = reader.varbytes()
      const value = reader.varbytes()
      messages.push({
        offset: String(last),
        timestamp: appended ?? timestamp,
        attributes,
        key,
        value,
        headers: readHeaders(reader),
        isControlRecord: false
      })
      if (reader.offset > end) throw new RangeError("a field reaches beyond its record")
      reader.offset = end
      room.left -= messageOverhead
    }
  } catch (error) {
    // Nothing of a batch that is broken somewhere is believed.
    messages.length = begun
    throw error
  }
  if (last < lastOffset) messages.push(filler(lastOffset))
}

/** Times of this age are exact as numbers, which cost a tenth of 64-bit integers. */
const readTimestamp = (reader: Reader, base: number, exactBase: bigint): string => {
  const start = reader.offset
  const time = base + reader.varnumber()
  if (Math.abs(base) < 2 ** 52 && Math.abs(time) < 2 ** 52) return String(time)
  reader.offset = start
  return String(exactBase + reader.varlong())
}

const noHeaders: Readonly<Record<string, HeaderValue>> = Object.freeze({})

/**
 * By name; a name that comes again is a list, in the order of the record. Without a prototype, because names are the
 * producer's.
 */
const readHeaders = (record: Reader): Readonly<Record<string, HeaderValue>> => {
  let count = record.varint()
  if (count <= 0) return noHeaders
  const headers: Record<string, HeaderValue> = Object.create(null)
  const lists = new Map<string, Array<Buffer | null>>()
  for (; count > 0; count--) {
    const name = Bytes.textOf(record.varbytes() ?? Buffer.alloc(0))
    const value = record.varbytes()
    const list = lists.get(name)
    if (list === undefined) {
      lists.set(name, [value])
      headers[name] = value
    } else {
      list.push(value)
      headers[name] = list
    }
  }
  return headers
}
