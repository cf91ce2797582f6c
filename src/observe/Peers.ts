/** Whether each side that has to answer does, and since when. */
import type { PeerView } from "./ProgressView.ts"

/** A schema registry only where one is set. */
export type Peer = "kafka" | "warehouse" | "registry"

export const make = (now: () => number, onReconnect: (peer: Peer) => void) => {
  const unknown: PeerView = { isUp: null, since: now(), message: "not connected yet" }
  const views: Record<Peer, PeerView> = { kafka: unknown, warehouse: unknown, registry: unknown }
  return {
    up: (peer: Peer): void => {
      const { isUp } = views[peer]
      if (isUp === true) return
      if (isUp === false) onReconnect(peer)
      views[peer] = { isUp: true, since: now(), message: "" }
    },
    away: (peer: Peer, message: string): void => {
      const { isUp, since } = views[peer]
      views[peer] = { isUp: false, since: isUp === false ? since : now(), message }
    },
    /** Nothing is known of it until it is needed again. */
    forget: (peer: Peer): void => {
      views[peer] = unknown
    },
    view: (peer: Peer): PeerView => views[peer]
  }
}
