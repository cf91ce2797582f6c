/**
 * The groups of one table that wait for a free writer: group commit as a data structure, without effects.
 *
 * At low traffic a write carries exactly one group, as the user configured it. Once groups have had to wait for a
 * write, the next write takes all it can, partition by partition, so that batches grow with the backlog. Within a
 * partition the order is kept: a partition whose write is in flight is left alone.
 */

import type { BatchTrigger } from "../domain/Batch.ts"
import { isSamePartition, partitionKey } from "../domain/KafkaRecord.ts"
import { heldBytes, type Outcome, writtenBytes } from "../domain/Outcome.ts"

export interface Limits {
  readonly maxRows: number
  readonly maxBytes: number
}

/** What one write takes. */
export interface Taken {
  readonly outcomes: ReadonlyArray<Outcome>
  /** What they hold of the byte budget. */
  readonly bytes: number
  readonly trigger: BatchTrigger
  /** Their keys. */
  readonly partitions: ReadonlySet<string>
}

export interface GroupCommit {
  /** Adds a group, with what closed it, and returns its bytes. */
  readonly add: (group: ReadonlyArray<Outcome>, trigger: BatchTrigger) => number
  /** Takes what one write should carry and marks its partitions as in flight; undefined while nothing can go. */
  readonly take: () => Taken | undefined
  /** Ends the flight of what was taken. */
  readonly release: (taken: Taken) => void
  /** Drops all that waits and returns its bytes. */
  readonly discard: () => number
  readonly isEmpty: () => boolean
}

/** Neighbours of one group in one partition: the unit that moves, small enough for one write. */
interface Run {
  readonly group: number
  readonly outcomes: Array<Outcome>
  /** In a write. */
  size: number
  /** Of the byte budget. */
  bytes: number
}

export const make = (limits: Limits): GroupCommit => {
  /** The runs of each partition in the order of their offsets; partitions in the order in which they began to wait. */
  const waiting = new Map<string, Array<Run>>()
  /** The runs that each waiting group still has; the first one is the oldest group. */
  const groups = new Map<number, { runs: number; readonly trigger: BatchTrigger }>()
  const inFlight = new Set<string>()
  let nextGroup = 0
  let merging = false

  const add = (group: ReadonlyArray<Outcome>, trigger: BatchTrigger): number => {
    const id = nextGroup++
    let runs = 0
    let bytes = 0
    let before: Outcome | undefined
    let run: Run = { group: id, outcomes: [], size: 0, bytes: 0 }
    for (const outcome of group) {
      const isNext = before !== undefined && isSamePartition(before, outcome)
      before = outcome
      const size = writtenBytes(outcome)
      const held = heldBytes(outcome)
      if (!isNext || run.size + size > limits.maxBytes || run.outcomes.length === limits.maxRows) {
        const here = partitionKey(outcome)
        run = { group: id, outcomes: [], size: 0, bytes: 0 }
        runs += 1
        const line = waiting.get(here)
        if (line === undefined) waiting.set(here, [run])
        else line.push(run)
      }
      run.outcomes.push(outcome)
      run.size += size
      run.bytes += held
      bytes += held
    }
    if (runs > 0) groups.set(id, { runs, trigger })
    return bytes
  }

  /** Moves runs from the waiting lines into `outcomes` while they fit; at least one, so that a large event can pass. */
  const collect = (mayTake: (run: Run) => boolean): Taken | undefined => {
    const outcomes: Array<Outcome> = []
    let size = 0
    let bytes = 0
    let trigger = [...groups.values()][0]?.trigger ?? "time"
    const taken = new Set<string>()
    fill: for (const [key, line] of [...waiting]) {
      if (inFlight.has(key)) continue
      let count = 0
      for (const run of line) {
        if (!mayTake(run)) break
        const fits = size + run.size <= limits.maxBytes
        if (outcomes.length > 0 && !(fits && outcomes.length + run.outcomes.length <= limits.maxRows)) {
          trigger = fits ? "size" : "bytes"
          settle(key, line, count)
          break fill
        }
        for (const outcome of run.outcomes) outcomes.push(outcome)
        size += run.size
        bytes += run.bytes
        count += 1
        taken.add(key)
      }
      settle(key, line, count)
    }
    for (const key of taken) inFlight.add(key)
    return outcomes.length === 0 ? undefined : { outcomes, bytes, trigger, partitions: taken }
  }

  /** Forgets the first `count` runs of a line. */
  const settle = (key: string, line: Array<Run>, count: number): void => {
    for (const { group } of line.splice(0, count)) {
      const waits = groups.get(group)
      if (waits !== undefined) waits.runs -= 1
      if (waits?.runs === 0) groups.delete(group)
    }
    // Taken from the map, so that a partition that waits again is behind those that wait already.
    if (count > 0) {
      waiting.delete(key)
      if (line.length > 0) waiting.set(key, line)
    }
  }

  const take = (): Taken | undefined => {
    const [oldest] = groups.keys()
    if (oldest === undefined) return undefined
    if (merging) return collect(() => true)
    const blocked = [...waiting].some(([key, line]) => inFlight.has(key) && line[0]?.group === oldest)
    return blocked ? undefined : collect((run) => run.group === oldest)
  }

  const release = ({ partitions }: Taken): void => {
    for (const key of partitions) inFlight.delete(key)
    merging = groups.size > 0
  }

  const discard = (): number => {
    let bytes = 0
    for (const line of waiting.values()) for (const run of line) bytes += run.bytes
    waiting.clear()
    groups.clear()
    return bytes
  }

  return { add, take, release, discard, isEmpty: () => groups.size === 0 }
}
