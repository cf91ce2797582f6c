/** The numbers of this moment: the tiles, the counters of what went wrong, and what the process takes. */
import { byId, keyed, make, put, putNone, putQuantity, setShare } from "./dom.js"
import { bytes, count, duration, percent, perSecond, plural, say, time } from "./format.js"
import { makeTable, setCells } from "./table.js"

/** @param {string} id @param {number | null | undefined} rate @param {number} total */
const showRate = (id, rate, total) => {
  if (rate === null || rate === undefined) putNone(id, "not measured yet")
  else putQuantity(id, perSecond(rate))
  put(`${id}-sub`, `${count(total)} since the start`)
}

/** @param {string} id @param {Percentiles | null} percentiles */
const showPercentiles = (id, percentiles) => {
  if (percentiles === null) {
    putNone(id, "nothing written in the last minute")
    return put(`${id}-sub`, "")
  }
  putQuantity(id, duration(percentiles.p50))
  put(`${id}-sub`, `p95 ${say(duration(percentiles.p95))} · p99 ${say(duration(percentiles.p99))}`)
}

/** @param {Positions} positions */
const showLag = ({ knownAt, lag, partitions }) => {
  byId("lag").classList.toggle("old", knownAt !== null)
  if (lag !== null) putQuantity("lag", [count(lag), lag === 1 ? "record" : "records"])
  else putNone("lag", partitions.length === 0 ? "no partitions assigned" : "not read yet")
  if (knownAt !== null) return put("lag-sub", `as of ${time(knownAt)}`)
  const [worst] = [...partitions].sort((a, b) => (b.lag ?? 0) - (a.lag ?? 0))
  if (worst === undefined) return put("lag-sub", "")
  const isSpread = partitions.length > 1 && (worst.lag ?? 0) > 0
  const most = `most: ${count(worst.lag ?? 0)} in ${worst.topic}/${worst.partition}`
  put("lag-sub", isSpread ? most : `over ${plural(partitions.length, "partition")}`)
}

/** @param {Snapshot} snapshot @param {Lines} lines @param {Positions} positions */
export const showTiles = (snapshot, lines, positions) => {
  const { bufferBytes, bufferMaxBytes, freshness, oldestPendingSeconds, totals, write } = snapshot
  showRate("rate-in", lines.values[0]?.at(-1), totals.consumed)
  showRate("rate-out", lines.values[1]?.at(-1), totals.written)
  showLag(positions)
  showPercentiles("write", write)
  showPercentiles("freshness", freshness)
  putQuantity("buffer", bytes(bufferBytes))
  setShare(byId("buffer-bar"), bufferBytes / bufferMaxBytes)
  const age = oldestPendingSeconds > 0 ? `oldest ${say(duration(oldestPendingSeconds))}` : "nothing pending"
  put("buffer-sub", `of ${say(bytes(bufferMaxBytes))} · ${age}`)
}

const counters = /** @type {const} */ ([
  ["errors", "Write errors"],
  ["retries", "Retries of writes"],
  ["fenced", "Fenced writes"],
  ["deadLetters", "Dead letters"],
  ["skipped", "Skipped records"],
  ["rebalances", "Rebalances"],
  ["reconnects", "Reconnects"]
])

export const makeEvents = () => {
  const caption = "Counters, in the last 15 minutes and since the process started"
  const table = makeTable("counters", caption, ["(Counter)", "#15 min", "#since start"])
  return (/** @type {Store} */ store, /** @type {Snapshot} */ { errors, totals }) => {
    table.show(
      counters,
      ([name]) => name,
      (row, [name, label]) => {
        const recent = store.recent(name)
        row.classList.toggle("quiet", recent === 0)
        setCells(row, [label, count(recent), count(totals[name])])
      }
    )
    byId("no-errors").hidden = errors.length > 0
    keyed(
      byId("errors"),
      errors,
      ({ at, message }) => `${at} ${message}`,
      () => make("li", "", make("time"), make("span", "what")),
      (item, { at, message }) => setCells(item, [time(at), message])
    )
  }
}

/** @param {Snapshot} snapshot */
export const showProcess = ({ at, channels, credits, process, startedAt, totals }) => {
  const hours = Math.max(at - startedAt, 60_000) / 3_600_000
  byId("credits-row").hidden = credits === null
  if (credits !== null) put("credits", `${credits.toFixed(2)}, ${(credits / hours).toFixed(2)} an hour`)
  for (const id of ["channels-row", "rejected-row"]) byId(id).hidden = channels === null
  if (channels !== null) {
    const { offsetsBehind, open, rejectedRows, uncommittedBytes } = channels
    const sum = `${plural(offsetsBehind, "offset")}, ${say(bytes(uncommittedBytes))}`
    put("channels", `${sum}; ${plural(open, "channel")}`)
    put("rejected", count(rejectedRows))
  }
  put("cost-rows", count(totals.written / hours))
  put("cost-bytes", say(bytes(totals.bytes / hours)))
  put("cost-writes", count(totals.batches / hours))
  put("cpu", `${percent(process.cpu)} of a core`)
  put("rss", say(bytes(process.rssBytes)))
  put("loop", say(duration(process.eventLoopDelaySeconds)))
  put("bytes", say(bytes(totals.bytes)))
  put("batches-total", count(totals.batches))
}
