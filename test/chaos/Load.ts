/**
 * The load of a chaos run: records whose content follows from their number alone, broken ones and tombstones among
 * them; some of them in transactions, of which some abort.
 */
import { setTimeout as sleep } from "node:timers/promises"
import kafkajs, { type Message } from "kafkajs"
import * as Transactions from "./Transactions.ts"

export type Kind = "event" | "broken" | "tombstone"

export const kindOf = (seq: number): Kind => (seq % 97 === 13 ? "broken" : seq % 89 === 7 ? "tombstone" : "event")

/**
 * The payload of record `seq`: long integers, trailing zeros and odd spacing, which only survive when nobody re-writes
 * the text.
 */
export const payloadOf = (seq: number): string | null => {
  const kind = kindOf(seq)
  if (kind === "tombstone") return null
  const text = `{"seq":${seq}, "order_id":"order-${seq}","id":9007199254740993,"price":1.10,"note":"${"é".repeat(seq % 40)}"`
  return kind === "broken" ? text : `${text}}`
}

/** What is sent by its number, and what is to be in the table. */
export interface Content {
  readonly payloadOf: (seq: number) => Buffer | string | null
  readonly eventOf: (seq: number) => string | null
}

export const plain: Content = { payloadOf, eventOf: payloadOf }

export interface Load {
  /** Records sent so far. */
  readonly sent: () => number
  /** Sends this many at once: a backlog. */
  readonly burst: (count: number) => Promise<void>
  /** Sends without a pause from now on, `perSecond` records a second. */
  readonly trickle: (perSecond: number) => void
  readonly stop: () => Promise<void>
}

/** Sends to `topic`; a broker that is unreachable is waited for. */
export const start = async (
  brokers: ReadonlyArray<string>,
  topic: string,
  { payloadOf: valueFor }: Content
): Promise<Load> => {
  const message = (seq: number): Message => ({ key: String(seq), value: valueFor(seq) })
  const kafka = new kafkajs.Kafka({
    brokers: [...brokers],
    logLevel: kafkajs.logLevel.NOTHING,
    retry: { retries: 30, maxRetryTime: 2000 }
  })
  const producer = kafka.producer({ createPartitioner: kafkajs.Partitioners.DefaultPartitioner, metadataMaxAge: 5000 })
  await producer.connect()
  let seq = 0
  let rate = 0
  let going = true

  const next = (count: number): ReadonlyArray<Message> => Array.from({ length: count }, () => message(seq++))

  const send = async (count: number): Promise<void> => {
    const messages = [...next(count)]
    // Sent again when the broker is lost on the way: then Kafka has it twice, under two offsets, and so must the
    // warehouse.
    for (;;) {
      try {
        await producer.send({ topic, messages })
        return
      } catch {
        await sleep(500)
        await producer.connect().catch(() => undefined)
      }
    }
  }

  const transactions = Transactions.start(kafka, topic, next, () => rate === 0)

  const trickling = (async () => {
    while (going) {
      if (rate > 0) await send(Math.max(1, Math.round(rate / 10)))
      await sleep(100)
    }
  })()

  return {
    sent: () => seq,
    burst: async (count) => {
      for (let left = count; left > 0; left -= 2000) await send(Math.min(left, 2000))
    },
    trickle: (perSecond) => {
      rate = perSecond
    },
    stop: async () => {
      going = false
      await Promise.all([trickling, transactions.stop()])
      await producer.disconnect()
    }
  }
}
