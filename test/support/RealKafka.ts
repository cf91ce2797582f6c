/** What tests do to a real broker: make topics of their own, produce, and read what a consumer group has committed. */
import { randomUUID } from "node:crypto"
import kafkajs, { type CompressionTypes, type KafkaMessage, type Message } from "kafkajs"

export interface RealKafka {
  readonly bootstrap: string
  readonly createTopic: (topic: string, partitions?: number) => Promise<void>
  /** What this connection does afterwards may fail: kafkajs asks for each topic that it has known. */
  readonly deleteTopic: (topic: string) => Promise<void>
  readonly produce: (topic: string, messages: ReadonlyArray<Message>, compression?: CompressionTypes) => Promise<void>
  /** The first `count` records of a topic, whatever partition they are in. */
  readonly read: (topic: string, count: number) => Promise<ReadonlyArray<KafkaMessage>>
  /** The offsets after the last record, by partition. */
  readonly ends: (topic: string) => Promise<ReadonlyArray<number>>
  /** The committed offsets by partition; -1 where there is none. */
  readonly committed: (group: string, topic: string) => Promise<ReadonlyArray<number>>
  /** Commits the same offset for each of so many partitions of a group without members. */
  readonly commit: (group: string, topic: string, partitions: number, offset: number) => Promise<void>
  readonly members: (group: string) => Promise<ReadonlyArray<string>>
  readonly close: () => Promise<void>
}

/** A name that no other test uses. */
export const unique = (name: string): string => `${name}.${randomUUID().slice(0, 8)}`

export const connect = async (bootstrap: string): Promise<RealKafka> => {
  const kafka = new kafkajs.Kafka({ brokers: [bootstrap], logLevel: kafkajs.logLevel.NOTHING, retry: { retries: 10 } })
  const producer = kafka.producer({ createPartitioner: kafkajs.Partitioners.DefaultPartitioner })
  const admin = kafka.admin()
  await Promise.all([producer.connect(), admin.connect()])
  const byPartition = (entries: ReadonlyArray<{ readonly partition: number; readonly offset: string }>) =>
    [...entries].sort((a, b) => a.partition - b.partition).map(({ offset }) => Number(offset))
  return {
    bootstrap,
    createTopic: async (topic, partitions = 1) => {
      await admin.createTopics({ topics: [{ topic, numPartitions: partitions }], waitForLeaders: false })
      // By itself kafkajs waits for leaders only, and not for brokers that have not heard of the topic yet.
      await eventually(
        () =>
          admin.fetchTopicOffsets(topic).then(
            (offsets) => offsets.length,
            () => 0
          ),
        (count) => count === partitions
      )
    },
    deleteTopic: (topic) => admin.deleteTopics({ topics: [topic] }),
    produce: async (topic, messages, compression) => {
      await producer.send({ topic, messages: [...messages], ...(compression !== undefined && { compression }) })
    },
    read: async (topic, count) => {
      const consumer = kafka.consumer({ groupId: unique("reader"), maxWaitTimeInMs: 100 })
      const found: Array<KafkaMessage> = []
      await consumer.connect()
      await consumer.subscribe({ topic, fromBeginning: true })
      await new Promise<void>((resolve, reject) => {
        const eachMessage = async ({ message }: { readonly message: KafkaMessage }) => {
          found.push(message)
          if (found.length === count) resolve()
        }
        consumer.run({ autoCommit: false, eachMessage }).catch(reject)
      })
      await consumer.disconnect()
      return found
    },
    ends: async (topic) => byPartition(await admin.fetchTopicOffsets(topic)),
    commit: async (groupId, topic, count, offset) => {
      const partitions = Array.from({ length: count }, (_, partition) => ({ partition, offset: String(offset) }))
      await admin.setOffsets({ groupId, topic, partitions })
    },
    committed: async (group, topic) => {
      const [found] = await admin.fetchOffsets({ groupId: group, topics: [topic] })
      return byPartition(found?.partitions ?? [])
    },
    members: async (group) => {
      const { groups } = await admin.describeGroups([group])
      return groups.flatMap(({ members }) => members.map(({ memberId }) => memberId))
    },
    close: async () => {
      await Promise.all([producer.disconnect(), admin.disconnect()])
    }
  }
}

export const order = (id: number): string =>
  JSON.stringify({ order_id: `order-${id}`, user_id: id, item_id: 5, item_name: "Chicken Biryani", price: 12.99 })

export const click = (id: number): string => JSON.stringify({ user_id: id, item_id: id % 7, page: "/menu" })

export const messages = (count: number, value: (id: number) => string, from = 0): ReadonlyArray<Message> =>
  Array.from({ length: count }, (_, index) => ({ key: `key-${from + index}`, value: value(from + index) }))

/** Asks again until it is so; for what happens elsewhere and tells nobody. */
export const eventually = async <A>(
  ask: () => Promise<A>,
  isSo: (answer: A) => boolean,
  timeout = 30_000
): Promise<A> => {
  const until = Date.now() + timeout
  for (;;) {
    const answer = await ask()
    if (isSo(answer)) return answer
    if (Date.now() > until) throw new Error(`still ${JSON.stringify(answer)} after ${timeout} ms`)
    await new Promise((resolve) => setTimeout(resolve, 100))
  }
}
