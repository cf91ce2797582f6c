/** A record as Kafka delivered it, and the places it can be in; nothing here interprets its bytes. */

export interface Start extends Position {
  /** Kafka's id of the topic that the offset counts in; undefined where it is not known. */
  readonly topicId?: string | undefined
}

export interface TopicPartition {
  readonly topic: string
  readonly partition: number
}

/** A place in a partition. Offsets are numbers: 2^53 records in one partition are out of reach. */
export interface Position extends TopicPartition {
  readonly offset: number
}

/**
 * A header value as the client hands it over: null is one that Kafka allows, and a header that is sent twice is a list.
 */
export type HeaderValue = Uint8Array | string | null | ReadonlyArray<Uint8Array | string | null> | undefined

export interface KafkaRecord extends Position {
  /** Milliseconds since 1970. */
  readonly timestamp: number
  readonly key: Uint8Array | null
  readonly value: Uint8Array | null
  readonly headers: Readonly<Record<string, HeaderValue>>
  /** Why nothing of it but its coordinates was taken: the batch that it came in is too large unpacked. */
  readonly tooLarge?: string
}

export const isSamePartition = (a: TopicPartition, b: TopicPartition): boolean =>
  a.partition === b.partition && a.topic === b.topic

/** A key for maps and sets. */
export const partitionKey = ({ partition, topic }: TopicPartition): string => `${topic}/${partition}`
