/**
 * The ceiling of the Kafka client, a subject of the benchmark: a bare kafkajs loop that counts the events, or parses
 * each of them.
 */
import { randomUUID } from "node:crypto"
import kafkajs from "kafkajs"
import * as Codecs from "../src/kafka/kafkajs/Codecs.ts"
import * as Stopwatch from "./Stopwatch.ts"

const [bootstrap = "", topic = "", events = "", mode = ""] = process.argv.slice(2)

Codecs.register()
const watch = Stopwatch.make()
const kafka = new kafkajs.Kafka({ brokers: [bootstrap], logLevel: kafkajs.logLevel.NOTHING })
// The fetch size that measured fastest, which is also the service's.
const consumer = kafka.consumer({ groupId: `bench-${randomUUID()}`, maxBytesPerPartition: 256 * 1024 })
consumer.on(consumer.events.GROUP_JOIN, watch.begin)
await consumer.connect()
await consumer.subscribe({ topic, fromBeginning: true })

let seen = 0
let users = 0
await consumer.run({
  autoCommit: false,
  eachBatch: async ({ batch }) => {
    if (mode === "parse")
      for (const { value } of batch.messages) {
        const event: { readonly user_id: number } = JSON.parse(value?.toString() ?? "{}")
        users += event.user_id
      }
    seen += batch.messages.length
    if (seen >= Number(events)) await watch.end(seen)
    // Whoever parses wants something of it: so nothing of the work can be left out.
    if (Number.isNaN(users)) throw new Error("an event without user_id")
  }
})
