/**
 * Looks for the topics that templates in BRONZE_ROUTES lead to, also while the service runs. A topic whose table cannot
 * be written is held back, and read as soon as it can: it never stops the others.
 */
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import { Admin } from "../kafka/Admin.ts"
import { HeldBack } from "../kafka/HeldBack.ts"
import { Progress } from "../observe/Progress.ts"
import * as Topics from "../settings/Discovery.ts"
import { Settings } from "../settings/Settings.ts"
import { type Problem, Warehouse } from "../warehouse/Warehouse.ts"
import { makeTables } from "./Startup.ts"

/** How often topics are looked for. */
const interval = "10 seconds"

/**
 * How long after one another tables that were missing are looked for: a look may wake a virtual warehouse, which costs a
 * minute of it.
 */
const [soonest, latest] = [Duration.seconds(10), Duration.minutes(5)]

/** A write that has taken longer may take longer still. */
const longWrite = Duration.seconds(5)

export interface Discovery {
  /** The settings with a route to each of these topics that fits a template; one that cannot have a route is named. */
  readonly route: (topics: ReadonlyArray<string>) => Effect.Effect<Settings["Service"]>
  /**
   * Waits until templates lead to a topic that has no route yet; then all topics. The flow has to end for it: so not
   * while it could not write what it holds.
   */
  readonly grown: Effect.Effect<ReadonlyArray<string>, never, Admin | HeldBack | Progress | Settings | Warehouse>
}

/** From the settings as they were read, for the life of the process. */
export const make = Effect.gen(function* () {
  const settings = yield* Settings
  const named = new Set<string>()

  const route = Effect.fnUntraced(function* (topics: ReadonlyArray<string>) {
    const expanded = Topics.expand(settings, topics)
    for (const { message, topic } of expanded.refused.filter(({ topic }) => !named.has(topic))) {
      named.add(topic)
      yield* Effect.logError(`Topic ${topic} is not read: ${message}. Other topics continue`)
    }
    return expanded.settings
  })

  const grown: Discovery["grown"] = Effect.gen(function* () {
    if (settings.templates.length === 0) return yield* Effect.never
    const admin = yield* Admin
    const here = new Set((yield* Settings).routes.map(({ topic }) => topic))
    yield* Effect.forkScoped(releases(soonest))
    while (true) {
      yield* Effect.sleep(interval)
      const topics = yield* admin.topics.pipe(
        Effect.timeout(interval),
        Effect.orElseSucceed((): ReadonlyArray<string> => [])
      )
      const { routes } = yield* route(topics)
      if (routes.some(({ topic }) => !here.has(topic)) && !(yield* isStuck)) return topics
    }
  }).pipe(Effect.scoped)

  return { route, grown } satisfies Discovery
})

/** Whether the warehouse leaves us without any answer: an event waits for its batch first. */
const isStuck = Effect.gen(function* () {
  const { batch } = yield* Settings
  const { stalled } = (yield* Progress).view()
  const waited = (yield* Clock.currentTimeMillis) - (stalled?.since ?? 0)
  const limit = Duration.sum(batch.timeout, longWrite)
  return stalled !== null && stalled.work !== "read" && waited > Duration.toMillis(limit)
})

/** Holds back the discovered topics whose tables have a problem; what is left are the problems of others. */
export const holdBack = Effect.fnUntraced(function* (problems: ReadonlyArray<Problem>) {
  const { autoCreateTables, routes } = yield* Settings
  const heldBack = yield* HeldBack
  heldBack.clear()
  const isNamed = (table: string) => routes.some((route) => route.template === undefined && route.table.name === table)
  const others: Array<Problem> = []
  for (const problem of problems) {
    const { remedy, table, what } = problem
    const topics = routes.filter((route) => route.table.name === table)
    if (table === undefined || topics.length === 0 || isNamed(table)) others.push(problem)
    const auto = autoCreateTables ? "" : "set AUTO_CREATE_TABLES=true, or "
    const message = `${what}: ${auto}${remedy.replace(/;$/, "")}`
    for (const { topic } of topics) if (!heldBack.has(topic)) heldBack.set(topic, message)
  }
  return others
})

/** What was held back and can be written by now is read. */
const release = Effect.gen(function* () {
  const { autoCreateTables } = yield* Settings
  const { preflight } = yield* Warehouse
  if ((yield* HeldBack).size === 0) return
  if (autoCreateTables) yield* Effect.ignore(makeTables)
  const problems = yield* Effect.orElseSucceed(preflight, () => undefined)
  // Where the schema itself cannot be seen, nothing is said of its tables.
  if (problems?.every(({ table }) => table !== undefined) === true) yield* holdBack(problems)
})

/** Once there is nothing more to wait for, the next one is looked for soon again. */
const releases = (pause: Duration.Duration): Effect.Effect<never, never, Effect.Services<typeof release>> =>
  Effect.sleep(pause).pipe(
    Effect.andThen(release),
    Effect.andThen(HeldBack),
    Effect.flatMap(({ size }) => releases(size === 0 ? soonest : Duration.min(Duration.times(pause, 2), latest)))
  )
