/**
 * What the page knows: the last snapshot and up to 6 hours of samples, which outlive a restart of the service; and what
 * follows from them.
 */

/** Samples that are older than 15 minutes are kept by the half minute. */
const FINE_MS = 15 * 60_000
const KEPT_MS = 6 * 3_600_000
const COARSE_MS = 30_000
/** Writes come in bursts, every BATCH_TIMEOUT at low traffic: a shorter mean would jump between nothing and much. */
const RATE_MS = 10_000
/** Samples come every second; more than this between two of them is a hole, more than that between two older ones. */
const HOLE_MS = 5_000
const COARSE_HOLE_MS = 2.5 * COARSE_MS

export const makeStore = () => {
  /** @type {Snapshot | null} */
  let snapshot = null
  /** @type {Hello["settings"]} */
  let settings = []
  /** @type {Array<Sample>} */
  let samples = []
  /** When the processes that are seen here were started. @type {ReadonlyArray<number>} */
  let starts = []
  /** The last snapshot with partitions: what is shown, greyed, while an outage takes them away. @type {Snapshot | null} */
  let held = null

  /** @param {number} from @param {number} to */
  const startedBetween = (from, to) => starts.some((start) => start > from && start <= to)

  /** Drops of what has aged all but one sample each half minute. @param {number} now */
  const thin = (now) => {
    let slot = -1
    samples = samples.filter(({ at }) => {
      if (at >= now - FINE_MS) return true
      const mine = Math.floor(at / COARSE_MS)
      if (at < now - KEPT_MS || mine === slot) return false
      slot = mine
      return true
    })
  }

  /** The rate of a count at each sample; null where it cannot be known, never negative. @param {keyof Totals} name */
  const rates = (name) => {
    let first = 0
    return samples.map((sample, index) => {
      const before = samples[index - 1]
      if (before === undefined || isBroken(before, sample)) first = index
      while (first < index && (samples[first]?.at ?? 0) < sample.at - RATE_MS) first += 1
      const base = samples[first]
      if (base === undefined || first === index) return null
      return Math.max(0, (sample.totals[name] - base.totals[name]) / ((sample.at - base.at) / 1000))
    })
  }

  /** @param {Sample} before @param {Sample} after */
  const isBroken = (before, after) =>
    after.at - before.at > (after.at < (samples.at(-1)?.at ?? 0) - FINE_MS ? COARSE_HOLE_MS : HOLE_MS) ||
    startedBetween(before.at, after.at) ||
    after.totals.consumed < before.totals.consumed

  return {
    /** @param {Hello} hello */
    hello: (hello) => {
      settings = hello.settings
      const [first] = hello.samples
      if (first === undefined) return
      samples = [...samples.filter(({ at }) => at < first.at), ...hello.samples]
    },
    /** @param {Snapshot} next */
    add: (next) => {
      snapshot = next
      if (next.partitions.length > 0 || next.ready.ok) held = next
      const { at, bufferBytes, freshness, isReady, lag, oldestPendingSeconds, totals, write } = next
      const kept = samples.filter((sample) => sample.at < at)
      samples = [...kept, { at, bufferBytes, freshness, isReady, lag, oldestPendingSeconds, totals, write }]
      thin(at)
      starts = [...new Set([...starts, next.startedAt])].filter((start) => start > at - KEPT_MS)
    },
    snapshot: () => snapshot,
    /**
     * The partitions and their lag as they are, or as they were last known when an outage has taken them away.
     * @param {Snapshot} now
     */
    positions: (now) => {
      const isOld = !now.ready.ok && now.partitions.length === 0 && held !== null && held.startedAt === now.startedAt
      const { at, lag, partitions } = isOld && held !== null ? held : now
      return { partitions, lag, knownAt: isOld ? at : null }
    },
    settings: () => settings,
    starts: () => starts,
    /** How many were counted in the last 15 minutes, over all processes seen. @param {keyof Totals} name */
    recent: (name) => {
      const fine = samples.filter(({ at }) => at >= (samples.at(-1)?.at ?? 0) - FINE_MS)
      return fine.reduce((sum, { at, totals }, index) => {
        const before = fine[index - 1]
        const isFresh = startedBetween(before?.at ?? at - FINE_MS, at)
        if (isFresh || (before !== undefined && totals[name] < before.totals[name])) return sum + totals[name]
        return before === undefined ? sum : sum + totals[name] - before.totals[name]
      }, 0)
    },
    /** When the service was not ready, or did not answer this page: from and to, in milliseconds. */
    outages: () => {
      /** @type {Array<[from: number, to: number]>} */
      const outages = []
      samples.forEach((sample, index) => {
        const before = samples[index - 1]
        if (before === undefined || (sample.isReady && !isBroken(before, sample))) return
        const last = outages.at(-1)
        if (last !== undefined && last[1] === before.at) last[1] = sample.at
        else outages.push([before.at, sample.at])
      })
      return outages
    },
    /** The lines of the charts, point by point; nulls make the gaps. */
    lines: () => {
      const incoming = rates("consumed")
      const outgoing = rates("written")
      /** @type {{ at: Array<number>, values: Array<Array<number | null>> }} */
      const lines = { at: [], values: Array.from({ length: 7 }, () => []) }
      /** @param {number} at @param {ReadonlyArray<number | null>} values */
      const point = (at, values) => {
        lines.at.push(at / 1000)
        lines.values.forEach((line, index) => {
          line.push(values[index] ?? null)
        })
      }
      samples.forEach((sample, index) => {
        const before = samples[index - 1]
        if (before !== undefined && isBroken(before, sample)) point(before.at + 1, [])
        const { freshness, lag, write } = sample
        point(sample.at, [
          ...[incoming[index] ?? null, outgoing[index] ?? null, lag],
          ...[write?.p50 ?? null, write?.p99 ?? null, freshness?.p50 ?? null, freshness?.p99 ?? null]
        ])
      })
      return lines
    }
  }
}
