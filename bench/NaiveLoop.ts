/**
 * What people write today, a subject of the benchmark: for every 100 events of `eachBatch` an INSERT with that many
 * VALUES, awaited, then the commit.
 */
import { randomUUID } from "node:crypto"
import kafkajs from "kafkajs"
import * as Driver from "./Driver.ts"
import * as Stopwatch from "./Stopwatch.ts"

const [bootstrap = "", topic = "", events = "", url = ""] = process.argv.slice(2)
const rows = 100

const run = await Driver.connect(url)
const watch = Stopwatch.make()
const kafka = new kafkajs.Kafka({ brokers: [bootstrap], logLevel: kafkajs.logLevel.NOTHING })
const consumer = kafka.consumer({ groupId: `bench-${randomUUID()}` })
consumer.on(consumer.events.GROUP_JOIN, watch.begin)
await consumer.connect()
await consumer.subscribe({ topic, fromBeginning: true })

// Snowflake takes no PARSE_JSON in VALUES itself.
const insert = (count: number): string =>
  `INSERT INTO ORDERS_RAW (ORDER_ID, USER_ID, RAW_EVENT) SELECT column1, column2, PARSE_JSON(column3) FROM VALUES ${Array(count).fill("(?,?,?)").join(",")}`

let written = 0
await consumer.run({
  autoCommit: false,
  eachBatch: async ({ batch, heartbeat }) => {
    for (let at = 0; at < batch.messages.length; at += rows) {
      const part = batch.messages.slice(at, at + rows)
      const binds = part.flatMap(({ value }) => {
        const text = value?.toString() ?? ""
        const event: { readonly order_id: string; readonly user_id: number } = JSON.parse(text)
        return [event.order_id, event.user_id, text]
      })
      await run(insert(part.length), binds)
      const offset = String(Number(part.at(-1)?.offset) + 1)
      await consumer.commitOffsets([{ topic, partition: batch.partition, offset }])
      await heartbeat()
      written += part.length
      if (written >= Number(events)) await watch.end(written)
    }
  }
})
