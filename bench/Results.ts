/**
 * The figures of a run, and the questions that the tables ask of them: medians over the counted rounds, ratios within
 * one round.
 */

export type Figure =
  | "events"
  | "seconds"
  /** Events per second. */
  | "rate"
  | "cpuPerMillion"
  /** Megabytes. */
  | "peakRss"
  | "rss"
  | "rowsPerWrite"
  /** Cores that the whole machine had at work. */
  | "busyCores"
  /** Seconds. */
  | "p50"
  | "p99"
  | "write"
  | "assigned"
  | "fetched"
  /** Percent of one core. */
  | "cpuPercent"
  /** Peak RSS of the second half of a long backlog, against the first. */
  | "growth"

/** One subject, measured once. */
export interface Measurement {
  readonly part: string
  readonly subject: string
  readonly round: number
  readonly figures: Readonly<Partial<Record<Figure, number>>>
}

export const median = (values: ReadonlyArray<number>): number | undefined => {
  const sorted = [...values].sort((a, b) => a - b)
  const [low, high] = [sorted[Math.ceil(sorted.length / 2) - 1], sorted[Math.floor(sorted.length / 2)]]
  return low === undefined || high === undefined ? undefined : (low + high) / 2
}

export const percentile = (values: ReadonlyArray<number>, share: number): number | undefined =>
  [...values].sort((a, b) => a - b)[Math.max(0, Math.ceil(share * values.length) - 1)]

/** Undefined where nothing of it was measured. */
export interface Results {
  readonly figure: (part: string, subject: string, figure: Figure) => number | undefined
  /** The median of the ratios of each round, for rounds differ more than what is measured side by side. */
  readonly ratio: (part: string, subject: string, to: string, figure: Figure) => number | undefined
  readonly subjects: (part: string) => ReadonlyArray<string>
}

export const make = (measurements: ReadonlyArray<Measurement>): Results => {
  const rounds = (part: string, subject: string, figure: Figure): ReadonlyMap<number, number> =>
    new Map(
      measurements.flatMap((one) => {
        const value = one.part === part && one.subject === subject ? one.figures[figure] : undefined
        return value === undefined ? [] : [[one.round, value] as const]
      })
    )
  return {
    figure: (part, subject, figure) => median([...rounds(part, subject, figure).values()]),
    ratio: (part, subject, to, figure) => {
      const others = rounds(part, to, figure)
      return median(
        [...rounds(part, subject, figure)].flatMap(([round, value]) => {
          const other = others.get(round)
          return other === undefined ? [] : [value / other]
        })
      )
    },
    subjects: (part) => [...new Set(measurements.flatMap((one) => (one.part === part ? [one.subject] : [])))]
  }
}
