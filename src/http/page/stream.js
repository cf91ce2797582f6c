/**
 * The connection to the service: opens `/api/events`, notices when it has gone silent, and retries until it is back.
 */

const RETRY_MS = 2_000
/** A snapshot comes every second; a peer that is gone without a word sends none. */
const SILENCE_MS = 8_000

/**
 * @param {object} listener
 * @param {(hello: Hello) => void} listener.onHello
 * @param {(snapshot: Snapshot) => void} listener.onSnapshot
 * @param {() => void} listener.onLost
 */
export const connect = (listener) => {
  const source = new EventSource("/api/events")
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let watchdog
  // An EventSource gives up for good when a proxy answers 502 in the meantime, so that retrying is done here.
  const giveUp = () => {
    clearTimeout(watchdog)
    source.close()
    listener.onLost()
    setTimeout(() => connect(listener), RETRY_MS)
  }
  const wait = () => {
    clearTimeout(watchdog)
    watchdog = setTimeout(giveUp, SILENCE_MS)
  }
  source.addEventListener("hello", ({ data }) => {
    wait()
    listener.onHello(JSON.parse(data))
  })
  source.addEventListener("snapshot", ({ data }) => {
    wait()
    listener.onSnapshot(JSON.parse(data))
  })
  source.addEventListener("error", giveUp)
  wait()
}
