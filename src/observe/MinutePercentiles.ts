/**
 * The measurements of the last minute, for percentiles that a person looks at; a bounded number of them, the newest.
 */
export interface Percentiles {
  readonly p50: number
  readonly p95: number
  readonly p99: number
}

export interface MinutePercentiles {
  readonly add: (value: number) => void
  /** Null when nothing was measured in the last minute. */
  readonly percentiles: () => Percentiles | null
}

const length = 60_000
const maxCount = 4000

export const make = (now: () => number): MinutePercentiles => {
  let entries: Array<{ readonly at: number; readonly value: number }> = []
  return {
    add: (value) => {
      entries.push({ at: now(), value })
      if (entries.length > 2 * maxCount) entries = entries.slice(-maxCount)
    },
    percentiles: () => {
      const since = now() - length
      entries = entries.filter(({ at }) => at >= since)
      if (entries.length === 0) return null
      const sorted = Float64Array.from(entries, ({ value }) => value).sort()
      const at = (share: number): number => sorted[Math.ceil(share * sorted.length) - 1] ?? 0
      return { p50: at(0.5), p95: at(0.95), p99: at(0.99) }
    }
  }
}
