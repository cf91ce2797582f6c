/** What the service logs and checks at start; all problems are reported together. */
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Runtime from "effect/Runtime"
import * as Schema from "effect/Schema"
import { Admin } from "../kafka/Admin.ts"
import type { KafkaError } from "../kafka/KafkaError.ts"
import * as Progress from "../observe/Progress.ts"
import * as Retry from "../Retry.ts"
import { loginName } from "../settings/Model.ts"
import { Settings } from "../settings/Settings.ts"
import { place, SettingsFiles } from "../settings/SettingsFile.ts"
import { type Problem, Warehouse } from "../warehouse/Warehouse.ts"
import type { WarehouseError } from "../warehouse/WarehouseError.ts"

/**
 * Every problem that prevents the start, each with its fix. Waiting would not help: exit code 78 (EX_CONFIG of
 * sysexits.h).
 */
export class NotReady extends Schema.TaggedError<NotReady>()("NotReady", { problems: Schema.Array(Schema.String) }) {
  override readonly [Runtime.errorExitCode] = 78
  override get message(): string {
    return `${this.problems.length === 1 ? "1 problem" : `${this.problems.length} problems`} must be fixed`
  }
}

export const introduce = Effect.gen(function* () {
  const { batch, delivery, kafka, registry, routes, templates, write } = yield* Settings
  const warehouse = yield* Warehouse
  for (const { lines, path } of yield* SettingsFiles)
    yield* Effect.logInfo(`Settings from ${place(path)}: ${lines.size}`)
  const user = kafka.sasl === undefined ? "" : ` as ${loginName(kafka.sasl)}`
  yield* Effect.logInfo(`Reading from ${kafka.brokers.join(", ")}${user}, group ${kafka.group}`)
  if (registry !== undefined) yield* Effect.logInfo(`Schemas from ${registry.url}`)
  yield* Effect.logInfo(`Writing to ${warehouse.target}, ${delivery}`)
  const said = [...templates, ...routes].map(({ table, topic }) => `Route ${topic} -> ${table.name}`)
  yield* Effect.forEach(said, (route) => Effect.logInfo(route), { discard: true })
  yield* Effect.logInfo(
    `Batches of ${batch.size} events or ${Duration.toSeconds(batch.timeout)} seconds, up to ${write.maxRows} behind a backlog`
  )
})

/** Asks Kafka until it answers; with a refusal that no waiting changes if there is one. */
const asking = <A>(ask: Effect.Effect<A, KafkaError>) =>
  Effect.gen(function* () {
    const progress = yield* Progress.Progress
    return yield* ask.pipe(
      Effect.tapError(({ message }) => Effect.sync(() => progress.away("kafka", message))),
      Effect.retry(Retry.forever<KafkaError>("Kafka is unreachable", (error) => error.isRetryable)),
      Effect.mapError(
        ({ message }): Problem => ({
          what: message,
          remedy: "check KAFKA_SECURITY_PROTOCOL, KAFKA_SASL_*, KAFKA_OAUTH_* and KAFKA_SSL_*"
        })
      )
    )
  })

/** The topics of the cluster, where a template may lead to some of them. */
export const firstTopics = Effect.gen(function* () {
  const { templates } = yield* Settings
  if (templates.length === 0) return []
  const { topics } = yield* Admin
  return yield* asking(topics).pipe(
    Effect.catch(({ remedy, what }) => {
      const problem = `${what}: ${remedy}`
      return Effect.andThen(Effect.logError(problem), new NotReady({ problems: [problem] }))
    })
  )
})

/**
 * Without any of its topics the service has nothing to do, and most likely the wrong broker or routes, unless a template
 * waits for them; without DLQ_TOPIC it could not continue after the first bad record. One routed topic among others may
 * come later: it is named, and read as soon as it is there.
 */
export const missingTopics = Effect.gen(function* () {
  const { dlqTopic, kafka, routes, templates } = yield* Settings
  const admin = yield* Admin
  const routed = routes.map(({ topic }) => topic)
  return yield* asking(admin.describe([...routed, ...(dlqTopic === undefined ? [] : [dlqTopic])])).pipe(
    Effect.map((states) => {
      const missing = states.filter(({ problem }) => problem !== undefined && problem.reason !== "unavailable")
      const isNoneThere =
        templates.length === 0 && routed.every((topic) => missing.some((state) => state.topic === topic))
      return missing
        .filter(({ topic }) => topic === dlqTopic || isNoneThere)
        .map(
          ({ topic }): Problem => ({
            what: `Kafka has no topic ${topic} that this user may see`,
            remedy: `kafka-topics.sh --bootstrap-server ${kafka.brokers[0]} --create --topic ${topic}, or change ${topic === dlqTopic ? "DLQ_TOPIC" : "BRONZE_ROUTES"}`
          })
        )
    }),
    Effect.catch((problem) => Effect.succeed<ReadonlyArray<Problem>>([problem]))
  )
})

/** What `init` does. */
export const makeTables = Effect.gen(function* () {
  const { init, name } = yield* Warehouse
  const { added, created } = yield* init
  if (created.length + added.length > 0)
    yield* Effect.logInfo(`Created in ${name}: ${[...created, ...added].join(", ")} (AUTO_CREATE_TABLES=true)`)
})

/** What it may not do is found by the look at the tables that follows. */
export const createTables = Effect.gen(function* () {
  const warehouse = yield* Warehouse
  const progress = yield* Progress.Progress
  yield* makeTables.pipe(
    Effect.tapError(({ message }) => Effect.sync(() => progress.away("warehouse", message))),
    Effect.retry(
      Retry.forever<WarehouseError>(`${warehouse.name} is unreachable`, (error) => error.reason === "unavailable")
    ),
    Effect.catch(({ message }) => Effect.logWarning(`Cannot create tables: ${message}`))
  )
})

export const warehouseProblems = Effect.gen(function* () {
  const warehouse = yield* Warehouse
  const progress = yield* Progress.Progress
  return yield* warehouse.preflight.pipe(
    Effect.tapError(({ message }) => Effect.sync(() => progress.away("warehouse", message))),
    Effect.retry(
      Retry.forever<WarehouseError>(`${warehouse.name} is unreachable`, (error) => error.reason === "unavailable")
    ),
    Effect.catch((error) =>
      Effect.succeed<ReadonlyArray<Problem>>([{ what: error.message, remedy: "see bronze-consumer doctor" }])
    )
  )
})
