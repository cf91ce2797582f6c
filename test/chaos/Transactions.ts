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

  const run = async (index: number): Promise<void> => {
    const make = () =>
      kafka.producer({
        ...{ transactionalId: `${topic}.${index}`, maxInFlightRequests: 1, idempotent: true },
        transactionTimeout: 10_000
      })
    let producer: Producer | undefined
    while (going) {
      await sleep(Math.random() * 200)
      if (isQuiet()) continue
      try {
        if (producer === undefined) {
          producer = make()
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
    }
  }
}
