/** A connection of kafkajs with nothing to send leaves the processor alone. */
import { createRequire } from "node:module"
import { assert, describe, it } from "@effect/vitest"
import * as Patches from "../../../../src/kafka/kafkajs/patches.ts"

interface Queue {
  pending: Array<object>
  /** Kafka asked for nothing before then. */
  throttledUntil: number
  readonly throttleCheckTimeoutId: unknown
  readonly checkPendingRequests: () => void
  readonly destroy: () => void
}

const makeQueue = (): Queue => {
  const RequestQueue: new (options: object) => Queue = createRequire(import.meta.url)(
    "kafkajs/src/network/requestQueue/index.js"
  )
  const quiet = { debug: () => undefined, namespace: () => quiet }
  return new RequestQueue({
    ...{ maxInFlightRequests: 1, requestTimeout: 1000, enforceRequestTimeout: false, clientId: "a", broker: "b" },
    logger: quiet
  })
}

describe("the queue of a connection", () => {
  it("sets no timer while it is empty, and one while something waits", () => {
    Patches.apply()
    const empty = makeQueue()
    empty.checkPendingRequests()
    assert.isNull(empty.throttleCheckTimeoutId)

    const waiting = makeQueue()
    waiting.throttledUntil = Date.now() + 60_000
    waiting.pending = [{}]
    waiting.checkPendingRequests()
    assert.isNotNull(waiting.throttleCheckTimeoutId)
    waiting.destroy()
  })
})
