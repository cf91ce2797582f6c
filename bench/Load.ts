/** Fills the topics of the benchmark, once: a topic that holds what its name says is used again by later runs. */
import { setTimeout as sleep } from "node:timers/promises"
import kafkajs, { type Admin, type Message, type Producer } from "kafkajs"
import * as Codecs from "../src/kafka/kafkajs/Codecs.ts"
import { encoders } from "./Encoders.ts"
import { order, type Topic, userOf } from "./Orders.ts"

/** What producers with some linger send at once for a partition; the broker hands such batches on as they are. */
const batchBytes = 50_000
/** Requests on their way at the same time. */
const lanes = 4

export const fill = async (bootstrap: string, topic: Topic, say: (line: string) => void): Promise<void> => {
  Codecs.register()
  const kafka = new kafkajs.Kafka({ brokers: [bootstrap], logLevel: kafkajs.logLevel.NOTHING })
  const admin = kafka.admin()
  const producer = kafka.producer({ createPartitioner: kafkajs.Partitioners.DefaultPartitioner })
  await Promise.all([admin.connect(), producer.connect()])
  try {
    if ((await recordsOf(admin, topic.name)) === topic.events) return
    await make(admin, topic)
    const began = Date.now()
    await send(producer, topic)
    const seconds = (Date.now() - began) / 1000
    say(`Filled ${topic.name}: ${topic.events} events in ${seconds.toFixed(1)} s`)
  } finally {
    await Promise.all([admin.disconnect(), producer.disconnect()])
  }
}

const recordsOf = async (admin: Admin, name: string): Promise<number> =>
  (await admin.listTopics()).includes(name)
    ? (await admin.fetchTopicOffsets(name)).reduce((sum, { high }) => sum + Number(high), 0)
    : -1

/** Again, when a run that was broken off has left a part of it behind. */
const make = async (admin: Admin, { name, partitions }: Topic): Promise<void> => {
  while ((await admin.listTopics()).includes(name)) {
    await admin.deleteTopics({ topics: [name] }).catch(() => undefined)
    await sleep(200)
  }
  const configEntries = [{ name: "retention.ms", value: "-1" }]
  await admin.createTopics({
    topics: [{ topic: name, numPartitions: partitions, configEntries }],
    waitForLeaders: true
  })
}

const send = async (
  producer: Producer,
  { bytes, compression, events, format, name, partitions }: Topic
): Promise<void> => {
  const encode = encoders()[format]
  const perBatch = Math.max(1, Math.floor(batchBytes / bytes))
  let sent = 0
  const lane = async (): Promise<void> => {
    while (sent < events) {
      const from = sent
      const size = Math.min(perBatch * partitions, events - from)
      sent += size
      const messages = Array.from(
        { length: size },
        (_, index): Message => ({
          key: String(userOf(from + index)),
          value: encode(order(from + index, bytes)),
          partition: index % partitions
        })
      )
      const { LZ4, None } = kafkajs.CompressionTypes
      await producer.send({ topic: name, messages, compression: compression === "lz4" ? LZ4 : None })
    }
  }
  await Promise.all(Array.from({ length: lanes }, lane))
}
