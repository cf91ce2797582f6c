/**
 * What Kafka says of topics, each by itself: whether it can be read, its id and its partitions. kafkajs's own metadata
 * fails as a whole when one topic does, and has no ids: those came with version 10 of the request (Kafka 2.8), which is
 * encoded here.
 */
import { type Exchange, encoded, type RawBroker } from "./RawCluster.ts"

export interface TopicState {
  readonly topic: string
  /**
   * Kafka's id of the topic, which a topic that is created again does not share; undefined where the broker gives none.
   */
  readonly id: string | undefined
  readonly partitions: ReadonlyArray<number>
  /** Why it cannot be read as a whole; undefined when it can. */
  readonly problem: TopicProblem | undefined
}

export interface TopicProblem {
  readonly reason: "missing" | "denied" | "unavailable"
  readonly message: string
}

const apiKey = 3
const oldest = 10
const newest = 12

const missing: TopicProblem = {
  reason: "missing",
  message: "Kafka has no such topic, or this user may not see it"
}

/** By the numbers of Kafka's errors; those of partitions that are readable nevertheless are not in it. */
const problems: Readonly<Record<number, TopicProblem>> = {
  3: missing,
  5: { reason: "unavailable", message: "a partition has no leader: the broker that has it is down" },
  17: { reason: "missing", message: "Kafka does not allow this topic name" },
  29: { reason: "denied", message: "this user may not see it (DESCRIBE)" },
  100: missing
}

const problemOf = (code: number): TopicProblem | undefined =>
  code === 0 ? undefined : (problems[code] ?? { reason: "unavailable", message: `Kafka answers with error ${code}` })

/** Of the topics that are asked for, in their order. */
export const describe = async (
  broker: RawBroker,
  topics: ReadonlyArray<string>
): Promise<ReadonlyArray<TopicState>> => {
  const version = Math.min(broker.versions[apiKey]?.maxVersion ?? 0, newest)
  const states = new Map<string, TopicState>()
  if (version >= oldest) {
    for (const state of await broker.connectionPool.send(exchange(version, topics))) states.set(state.topic, state)
  } else {
    for (const topic of topics) states.set(topic, await describeOld(broker, topic))
  }
  return topics.map((topic) => states.get(topic) ?? { topic, id: undefined, partitions: [], problem: missing })
}

/** For brokers that give no ids: one topic a time, because the answer is an error as a whole. */
const describeOld = async (broker: RawBroker, topic: string): Promise<TopicState> => {
  try {
    const { topicMetadata } = await broker.metadata([topic])
    const partitions = topicMetadata
      .filter((found) => found.topic === topic)
      .flatMap(({ partitionMetadata }) => partitionMetadata.map(({ partitionId }) => partitionId))
    return { topic, id: undefined, partitions, problem: partitions.length === 0 ? missing : undefined }
  } catch (error) {
    const code: unknown = error instanceof Error ? Reflect.get(error, "code") : undefined
    if (typeof code !== "number") throw error
    return { topic, id: undefined, partitions: [], problem: problemOf(code) }
  }
}

const exchange = (apiVersion: number, topics: ReadonlyArray<string>): Exchange<ReadonlyArray<TopicState>> => ({
  request: {
    apiKey,
    apiVersion,
    apiName: "Metadata",
    encode: () => Promise.resolve(encoded(encodeRequest(apiVersion, topics)))
  },
  response: {
    decode: (raw) => Promise.resolve(decodeResponse(raw)),
    parse: (decoded) => Promise.resolve(decoded)
  }
})

/**
 * No tagged fields. The first one of a request belongs to its header: kafkajs writes the older form, which ends before
 * it.
 */
const noTags = Buffer.of(0)
const noId = Buffer.alloc(16)
const no = Buffer.of(0)

export const encodeRequest = (version: number, topics: ReadonlyArray<string>): Buffer =>
  Buffer.concat([
    noTags,
    varint(topics.length + 1),
    ...topics.flatMap((topic) => {
      const name = Buffer.from(topic)
      return [noId, varint(name.length + 1), name, noTags]
    }),
    // allow_auto_topic_creation, include_cluster_authorized_operations (until version 10),
    // include_topic_authorized_operations
    no,
    ...(version <= 10 ? [no] : []),
    no,
    noTags
  ])

const varint = (value: number): Buffer => {
  const bytes: Array<number> = []
  let rest = value
  for (; rest >= 0x80; rest = Math.floor(rest / 0x80)) bytes.push((rest % 0x80) | 0x80)
  return Buffer.of(...bytes, rest)
}

/** Reads version 10 to 12; what follows the topics is not looked at. */
export const decodeResponse = (raw: Buffer): ReadonlyArray<TopicState> => {
  const reader = new Reader(raw)
  reader.tags()
  reader.skip(4)
  reader.array(() => {
    reader.skip(4)
    reader.text()
    reader.skip(4)
    reader.text()
    reader.tags()
  })
  reader.text()
  reader.skip(4)
  return reader.array(() => {
    const code = reader.int16()
    const topic = reader.text() ?? ""
    const id = reader.bytes(16)
    reader.skip(1)
    const partitions = reader.array(() => {
      const error = reader.int16()
      const partition = reader.int32()
      reader.skip(8)
      for (let list = 0; list < 3; list++) reader.array(() => reader.skip(4))
      reader.tags()
      return { partition, problem: isReadable(error) ? undefined : problemOf(error) }
    })
    reader.skip(4)
    reader.tags()
    return {
      topic,
      id: id.equals(noId) ? undefined : id.toString("base64url"),
      partitions: partitions.map(({ partition }) => partition).sort((a, b) => a - b),
      problem: problemOf(code) ?? partitions.find(({ problem }) => problem !== undefined)?.problem
    }
  })
}

/** A replica that is down (9) does not stop a partition that has a leader. */
const isReadable = (code: number): boolean => code === 0 || code === 9

/** Kafka's flexible encoding. */
class Reader {
  readonly #raw: Buffer
  #at = 0

  constructor(raw: Buffer) {
    this.#raw = raw
  }

  bytes(length: number): Buffer {
    const from = this.#at
    this.skip(length)
    return this.#raw.subarray(from, this.#at)
  }

  skip(length: number): void {
    this.#at += length
    if (this.#at > this.#raw.length) throw new RangeError("Kafka's response is truncated")
  }

  int16(): number {
    return this.bytes(2).readInt16BE()
  }

  int32(): number {
    return this.bytes(4).readInt32BE()
  }

  varint(): number {
    let value = 0
    for (let factor = 1; ; factor *= 0x80) {
      const byte = this.bytes(1).readUInt8()
      value += (byte & 0x7f) * factor
      if (byte < 0x80) return value
    }
  }

  text(): string | null {
    const length = this.varint()
    return length === 0 ? null : this.bytes(length - 1).toString()
  }

  array<A>(element: () => A): ReadonlyArray<A> {
    const found: Array<A> = []
    for (let left = this.varint(); left > 1; left--) found.push(element())
    return found
  }

  tags(): void {
    for (let left = this.varint(); left > 0; left--) {
      this.varint()
      this.skip(this.varint())
    }
  }
}
