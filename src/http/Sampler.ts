/**
 * Looks at the service once a second and keeps 6 hours of it, for the live page: the last 15 minutes by the second, what
 * is older by the half minute; nothing is recomputed for each viewer.
 */
import { monitorEventLoopDelay } from "node:perf_hooks"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as PubSub from "effect/PubSub"
import * as Schedule from "effect/Schedule"
import * as Health from "../observe/Health.ts"
import { Progress } from "../observe/Progress.ts"
import { environment, Settings } from "../settings/Settings.ts"
import * as SettingsShown from "../settings/Shown.ts"
import { version } from "../Version.ts"
import { Warehouse } from "../warehouse/Warehouse.ts"
import type { Hello, Sample, Snapshot } from "./Snapshot.ts"

/** How many samples are kept by the second, which of them stay when they are older, and how many of those. */
const keepFine = 15 * 60
const coarseEvery = 30
const keepCoarse = (6 * 3600) / coarseEvery

/** How finely the event loop is watched, in milliseconds; the histogram counts it in, so it is taken off again. */
const resolution = 50

export const make = Effect.gen(function* () {
  const settings = yield* Settings
  const progress = yield* Progress
  const warehouse = yield* Warehouse
  const clock = yield* Clock.Clock
  // Read as the service reads them: a variable that is there and empty says something.
  const shown = yield* Effect.provide(SettingsShown.list, environment())
  const startedAt = Date.now() - Math.round(process.uptime() * 1000)
  const samples: Array<Sample> = []
  const coarse: Array<Sample> = []
  let aged = 0
  const changes = yield* PubSub.sliding<Snapshot>(1)
  const delay = yield* Effect.acquireRelease(
    Effect.sync(() => {
      const histogram = monitorEventLoopDelay({ resolution })
      histogram.enable()
      return histogram
    }),
    (histogram) => Effect.sync(() => histogram.disable())
  )
  let cpuBefore = process.cpuUsage()
  let measuredAt = performance.now()
  let usage: Snapshot["process"] = { cpu: 0, rssBytes: process.memoryUsage.rss(), eventLoopDelaySeconds: 0 }

  const measure = (): void => {
    const now = performance.now()
    const { system, user } = process.cpuUsage(cpuBefore)
    usage = {
      cpu: (system + user) / 1000 / Math.max(1, now - measuredAt),
      rssBytes: process.memoryUsage.rss(),
      eventLoopDelaySeconds: Math.max(0, delay.percentile(99) / 1e6 - resolution) / 1000
    }
    cpuBefore = process.cpuUsage()
    measuredAt = now
    delay.reset()
  }

  const look = (): Snapshot => {
    const at = clock.currentTimeMillisUnsafe()
    const view = progress.view()
    const { bufferBytes, freshness, lag, oldestPendingSeconds, totals, write } = view
    const { deadLetters, errors, lastWrites, member, partitions, pausedTopics, rows, stoppedTopics, tables } = view
    const ready = Health.ready(view, settings, at)
    return {
      ...{ at, totals, lag, oldestPendingSeconds, bufferBytes, write, freshness, isReady: ready.ok },
      ...{ member, partitions, pausedTopics, stoppedTopics, tables, lastWrites, deadLetters, rows, errors },
      ...{ startedAt, version, delivery: settings.delivery, bufferMaxBytes: settings.bufferMaxBytes },
      live: Health.live(view, settings, at),
      ready,
      group: settings.kafka.group,
      reads: settings.kafka.brokers.join(", "),
      writes: warehouse.target,
      credits: warehouse.credits?.(at) ?? null,
      channels: warehouse.channels?.() ?? null,
      process: usage
    }
  }

  const age = (sample: Sample | undefined): void => {
    if (sample !== undefined && aged++ % coarseEvery === 0) coarse.push(sample)
    if (coarse.length > keepCoarse) coarse.shift()
  }

  // All counts began at 0 with the process: so the first rates are of all that came.
  const { totals: counted } = progress.view()
  const zero = Object.fromEntries(Object.keys(counted).map((name) => [name, 0]))
  samples.push({
    ...{ at: startedAt, totals: { ...counted, ...zero }, lag: null },
    ...{ oldestPendingSeconds: 0, bufferBytes: 0, write: null, freshness: null, isReady: false }
  })

  yield* Effect.suspend(() => {
    measure()
    const snapshot = look()
    const { at, bufferBytes, freshness, isReady, lag, oldestPendingSeconds, totals, write } = snapshot
    samples.push({ at, bufferBytes, freshness, lag, oldestPendingSeconds, totals, write, isReady })
    if (samples.length > keepFine) age(samples.shift())
    return PubSub.publish(changes, snapshot)
  }).pipe(Effect.schedule(Schedule.spaced("1 second")), Effect.forkScoped)

  return {
    /** The service as it is now. */
    look,
    /** The service once a second. */
    changes,
    hello: (): Hello => ({ settings: shown, samples: [...coarse, ...samples] })
  }
})
