/**
 * Looks for the topics that templates in BRONZE_ROUTES lead to, also while the service runs. A topic whose table cannot
 * be written is held back, and read as soon as it can: it never stops the others.
 */
import * as Effect from "effect/Effect"
import { Admin } from "../kafka/Admin.ts"
import { HeldBack } from "../kafka/HeldBack.ts"
import * as Discovery from "../settings/Discovery.ts"
import { Settings } from "../settings/Settings.ts"
import { type Problem, Warehouse } from "../warehouse/Warehouse.ts"

/** How often topics are looked for, and tables that were missing. */
const interval = "10 seconds"

/** The topics of the cluster, if a template may lead to some of them; none while Kafka does not answer. */
export const topics = Effect.gen(function* () {
  const { templates } = yield* Settings
  if (templates.length === 0) return []
  const admin = yield* Admin
  return yield* admin.topics.pipe(
    Effect.timeout("10 seconds"),
    Effect.orElseSucceed((): ReadonlyArray<string> => [])
  )
})

/** Waits until templates lead to a topic that has no route yet; then all topics. */
export const grown = Effect.gen(function* () {
  const settings = yield* Settings
  const here = new Set(settings.routes.map(({ topic }) => topic))
  const look = Effect.flatMap(topics, (now) =>
    Discovery.withTopics(settings, now).routes.some(({ topic }) => !here.has(topic))
      ? Effect.succeed(now)
      : Effect.as(release, undefined)
  )
  let found: ReadonlyArray<string> | undefined
  while (found === undefined) {
    yield* Effect.sleep(interval)
    found = yield* look
  }
  return found
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
  const heldBack = yield* HeldBack
  if (heldBack.size === 0) return
  const { preflight } = yield* Warehouse
  yield* Effect.ignore(Effect.flatMap(preflight, holdBack))
})
