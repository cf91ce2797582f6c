/**
 * Lets a connection of kafkajs rest while nothing waits to be sent: otherwise each one looks at its empty queue a thousand times a second, for its
 * timer is set to a time that has passed (kafkajs issue 1704). Pinned to kafkajs 2.2.4.
 */
import { createRequire } from "node:module"

interface RequestQueue {
  readonly pending: ReadonlyArray<unknown>
  readonly scheduleCheckPendingRequests: () => void
}

/** To be called once, before the first connection. Whatever waits later is looked at when it comes: that is what kafkajs does then. */
export const rest = (): void => {
  const require = createRequire(import.meta.url)
  const { prototype }: { readonly prototype: RequestQueue } = require("kafkajs/src/network/requestQueue/index.js")
  const { scheduleCheckPendingRequests } = prototype
  Object.assign(prototype, {
    scheduleCheckPendingRequests(this: RequestQueue) {
      if (this.pending.length > 0) scheduleCheckPendingRequests.call(this)
    }
  })
}
