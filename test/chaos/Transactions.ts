/**
 * Transactional producers beside the load: their transactions overlap in every partition, and some commit while others
 * abort.
 */
import { setTimeout as sleep } from "node:timers/promises"
import type { Kafka, Message, Producer } from "kafkajs"

export interface Transactions {
  readonly stop: () => Promise<void>
}

/** How many producers there are; two are enough to overlap, a third makes the order of their ends differ more. */
const producers = 3

/** `next` gives so many records with numbers of their own; while `isQuiet` no transaction begins. */
export const start = (
  kafka: Kafka,
  topic: string,
  next: (count: number) => ReadonlyArray<Message>,
  isQuiet: () => boolean
): Transactions => {
  let going = true

  const transact = async (producer: Producer): Promise<void> => {
    const transaction = await producer.transaction()
    try {
      for (let steps = 1 + Math.floor(Math.random() * 3); steps > 0; steps--) {
        await transaction.send({ topic, messages: [...next(1 + Math.floor(Math.random() * 8))] })
        await sleep(Math.random() * 100)
      }
      if (going && Math.random() < 0.6) await transaction.commit()
      else await transaction.abort()
    } catch (error) {
      await transaction.abort().catch(() => undefined)
      throw error
    }
  }

  const make = (index: number): Producer =>
    kafka.producer({
      ...{ transactionalId: `${topic}.${index}`, maxInFlightRequests: 1, idempotent: true },
      transactionTimeout: 10_000
    })

  /** A producer that begins ends what one of its name has left open: after that the log grows no more. */
  const end = async (index: number): Promise<void> => {
    for (let left = 60; left > 0; left--) {
      const producer = make(index)
      try {
        await producer.connect()
        return
      } catch {
        await sleep(500)
      } finally {
        await producer.disconnect().catch(() => undefined)
      }
    }
    throw new Error(`the transactions of ${topic} could not be ended`)
  }

  const run = async (index: number): Promise<void> => {
    let producer: Producer | undefined
    while (going) {
      await sleep(Math.random() * 200)
      if (isQuiet()) continue
      try {
        if (producer === undefined) {
          producer = make(index)
          await producer.connect()
        }
        await transact(producer)
      } catch {
        // A broker is unreachable. The next producer of this name ends what this one has left open.
        await producer?.disconnect().catch(() => undefined)
        producer = undefined
      }
    }
    await producer?.disconnect().catch(() => undefined)
  }

  const all = Array.from({ length: producers }, (_, index) => run(index))
  return {
    stop: async () => {
      going = false
      await Promise.all(all)
      await Promise.all(Array.from({ length: producers }, (_, index) => end(index)))
    }
  }
}
