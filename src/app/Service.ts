/**
 * The service: logs what it reads and where it writes, checks Kafka and the warehouse once, and consumes until it is
 * stopped.
 */

import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { DeadLetterTopic } from "../kafka/DeadLetterTopic.ts"
import * as HeldBack from "../kafka/HeldBack.ts"
import * as KafkaJs from "../kafka/kafkajs/ConsumerGroup.ts"
import * as Logging from "../observe/Logging.ts"
import * as Progress from "../observe/Progress.ts"
import * as Telemetry from "../observe/Telemetry.ts"
import { Batcher } from "../pipeline/Batcher.ts"
import * as LagWatch from "../pipeline/LagWatch.ts"
import * as Pipeline from "../pipeline/Pipeline.ts"
import * as Schemas from "../schema/Schemas.ts"
import { hints } from "../settings/Hints.ts"
import { Settings } from "../settings/Settings.ts"
import * as Discovery from "./Discovery.ts"
import * as Layers from "./Layers.ts"
import * as Shutdown from "./Shutdown.ts"
import { createTables, firstTopics, introduce, missingTopics, NotReady, warehouseProblems } from "./Startup.ts"

/** How the log of a service ends that was stopped, whenever that was. */
const stopped = Effect.fnUntraced(function* (isFlushed: boolean, name: string) {
  // The line of the signal comes first: its listener is called after the runtime's, which has brought us here.
  yield* Effect.yieldNow
  // For main: an interruption has no exit code of its own.
  process.exitCode = isFlushed ? 0 : 1
  yield* Effect.logInfo(
    isFlushed
      ? `Stopped: everything that was read is in ${name}`
      : `Stopped: what was read and is not in ${name} is uncommitted in Kafka, and is read again`
  )
})

/**
 * Answers, and says what is missing, also while one side is unreachable. Loading it takes a tenth of a second, which is
 * left to what reads and writes.
 */
const serve = Effect.gen(function* () {
  const { http } = yield* Settings
  if (http.port === 0) return
  yield* Effect.sleep("400 millis").pipe(
    Effect.andThen(Effect.promise(() => import("../http/Server.ts"))),
    Effect.flatMap(({ run }) => run),
    Effect.forkScoped
  )
})

/** What is said first; and the topics that templates lead to, as soon as Kafka answers. */
const begin = Effect.gen(function* () {
  yield* introduce
  yield* serve
  return yield* firstTopics
})

/**
 * Consumes until it is interrupted, or until there are topics to read besides: they are the result. All that has to be
 * there first is looked at together. `read` are the topics that this process has read before. Only at the start a
 * problem ends the service: later it is one that a running service would wait for, too.
 */
const consume = Effect.fnUntraced(function* (discovery: Discovery.Discovery, read: Set<string>, isStart: boolean) {
  const settings = yield* Settings
  const progress = yield* Progress.Progress
  progress.routes(settings.routes)
  yield* serve
  if (settings.autoCreateTables) yield* createTables
  const found = yield* Effect.all([missingTopics, warehouseProblems], { concurrency: 2 })
  const problems = yield* Discovery.holdBack(found.flat())
  // Later on, topics that cannot be written are held back, and named there.
  const isRouted = (name: string | undefined) => settings.routes.some(({ table }) => table.name === name)
  const told = problems
    .filter(({ table }) => isStart || !isRouted(table))
    .map(({ remedy, what }) => `${what}: ${remedy}`)
  yield* Effect.forEach(told, (problem) => Effect.logError(problem), { discard: true })
  if (isStart && told.length > 0) return yield* new NotReady({ problems: told })
  if (isStart) yield* Effect.logInfo(`Consumer initialized: group=${settings.kafka.group}`)
  progress.up("warehouse")
  yield* Effect.forkScoped(LagWatch.watch)
  return yield* Effect.raceFirst(Pipeline.run(read), discovery.grown)
})

const parts = Layer.mergeAll(KafkaJs.layer, Batcher.layer, DeadLetterTopic.layer, Schemas.layer).pipe(
  Layer.provideMerge(Layer.mergeAll(Layers.kafka, Layers.warehouse, HeldBack.layer))
)

/**
 * Consumes again and again, each time with the routes that there are by then: at a new topic the flow ends as it does at
 * a stop, flushed and committed, and begins with one route more. What was counted is kept.
 */
const consumeAll = Effect.gen(function* () {
  const settings = yield* Settings
  const discovery = yield* Discovery.make
  const read = new Set<string>()
  let isFlushed = () => true
  const flow = <A, E, R>(effect: Effect.Effect<A, E, R>, routed: Settings["Service"]) =>
    Effect.gen(function* () {
      isFlushed = (yield* Batcher).isFlushed
      return yield* effect
    }).pipe(Effect.scoped, Effect.provide(parts), Effect.provideService(Settings, routed))
  const flows = Effect.gen(function* () {
    let routed = yield* discovery.route(yield* flow(begin, settings))
    for (const { table, topic } of routed.routes.slice(settings.routes.length))
      yield* Effect.logInfo(`Route ${topic} -> ${table.name}`)
    for (let isStart = true; ; isStart = false) {
      const topics = yield* flow(consume(discovery, read, isStart), routed)
      const before = new Set(routed.routes.map(({ topic }) => topic))
      routed = yield* discovery.route(topics)
      for (const { table, topic } of routed.routes.filter((route) => !before.has(route.topic))) {
        // It may have held records before it was found: AUTO_OFFSET_RESET=latest is for what was there at the start.
        read.add(topic)
        yield* Effect.logInfo(`Found topic ${topic} -> ${table.name}; rejoining the group to read it`)
      }
    }
  })
  const name = settings.sink._tag === "DuckDb" ? "DuckDB" : "Snowflake"
  return yield* Effect.onInterrupt(flows, () => stopped(isFlushed(), name))
}).pipe(Effect.provide(Progress.layer))

/** The service with all its parts; how it ended is the last thing in its log. */
export const run = Effect.gen(function* () {
  const { shutdownTimeout } = yield* Settings
  yield* Shutdown.watch(shutdownTimeout)
  yield* Effect.forEach(yield* hints, (hint) => Effect.logWarning(hint), { discard: true })
  return yield* consumeAll
}).pipe(
  Effect.scoped,
  Effect.tapCause((cause) =>
    Effect.logError(Cause.squash(cause) instanceof NotReady ? "Cannot start" : "Failed", cause)
  ),
  Effect.provide(Telemetry.layer),
  Effect.provide(Logging.layer),
  Effect.provide(Layers.settings),
  Effect.tapErrorTag("SettingsError", ({ problems }) =>
    Effect.forEach(problems, (problem) => Effect.logError(problem), { discard: true }).pipe(
      Effect.provide(Logging.early)
    )
  )
)
