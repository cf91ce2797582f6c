/**
 * What the null Snowflake remembers: transactions, the ledger of each group, and how many rows became durable when; the
 * rows themselves are not kept.
 */

/** As `rangesBind` of the service writes it: topic, partition, epoch, from, next, skipped. */
export interface Range {
  readonly n: string
  readonly p: number
  readonly e: number
  readonly f: number
  readonly x: number
  readonly s: number
}

/** As `positionsBind` writes it: topic, partition, offset. */
export interface Start {
  readonly n: string
  readonly p: number
  readonly o: number
}

interface Entry {
  readonly topic: string
  readonly partition: number
  readonly next: number
  readonly epoch: number
  readonly owner: string
}

/** One write that became durable. */
export interface Commit {
  /** When its transaction (or its only statement) came in, and when it was durable: milliseconds since 1970. */
  readonly began: number
  readonly at: number
  readonly rows: number
  readonly ranges: ReadonlyArray<Range>
}

export interface NullSession {
  readonly inTransaction: () => boolean
  readonly begin: (at: number) => void
  /** Durable at once when no transaction is open. */
  readonly insert: (rows: number, at: number) => void
  /** The number of partitions that stood where the ranges say, under their epoch. */
  readonly advance: (group: string, ranges: ReadonlyArray<Range>) => number
  readonly commit: () => void
  readonly rollback: () => void
}

export interface NullWarehouse {
  readonly open: () => NullSession
  readonly claim: (group: string, owner: string, starts: ReadonlyArray<Start>) => void
  readonly ledger: (group: string) => ReadonlyArray<Entry>
  readonly commits: ReadonlyArray<Commit>
  readonly rows: () => number
  /** Resolves when that many rows are durable. */
  readonly reached: (rows: number) => Promise<void>
}

export const make = (now: () => number = Date.now): NullWarehouse => {
  const ledger = new Map<string, Entry>()
  const commits: Array<Commit> = []
  const waiting = new Set<{ readonly rows: number; readonly resolve: () => void }>()
  let total = 0

  const keyOf = (group: string, topic: string, partition: number): string => `${group}/${topic}/${partition}`

  const settle = (commit: Commit): void => {
    if (commit.rows === 0 && commit.ranges.length === 0) return
    commits.push(commit)
    total += commit.rows
    for (const waiter of waiting) {
      if (waiter.rows > total) continue
      waiting.delete(waiter)
      waiter.resolve()
    }
  }

  const open = (): NullSession => {
    let transaction: { readonly began: number; rows: number; ranges: Array<Range>; undo: Array<() => void> } | undefined
    return {
      inTransaction: () => transaction !== undefined,
      begin: (at) => {
        transaction = { began: at, rows: 0, ranges: [], undo: [] }
      },
      insert: (rows, at) => {
        if (transaction === undefined) settle({ began: at, at: now(), rows, ranges: [] })
        else transaction.rows += rows
      },
      advance: (group, ranges) => {
        let moved = 0
        for (const range of ranges) {
          const key = keyOf(group, range.n, range.p)
          const entry = ledger.get(key)
          if (entry === undefined || entry.epoch !== range.e || entry.next !== range.f) continue
          ledger.set(key, { ...entry, next: range.x })
          transaction?.ranges.push(range)
          transaction?.undo.push(() => ledger.set(key, entry))
          moved += 1
        }
        return moved
      },
      commit: () => {
        if (transaction !== undefined) {
          const { began, ranges, rows } = transaction
          settle({ began, at: now(), rows, ranges })
        }
        transaction = undefined
      },
      rollback: () => {
        for (const undo of transaction?.undo.reverse() ?? []) undo()
        transaction = undefined
      }
    }
  }

  return {
    open,
    claim: (group, owner, starts) => {
      for (const { n, o, p } of starts) {
        const key = keyOf(group, n, p)
        const { epoch = 0, next = o } = ledger.get(key) ?? {}
        ledger.set(key, { topic: n, partition: p, next, epoch: epoch + 1, owner })
      }
    },
    ledger: (group) => [...ledger].flatMap(([key, entry]) => (key.startsWith(`${group}/`) ? [entry] : [])),
    commits,
    rows: () => total,
    reached: (rows) =>
      new Promise((resolve) => {
        if (total >= rows) resolve()
        else waiting.add({ rows, resolve })
      })
  }
}
