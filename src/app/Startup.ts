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

/**
 * Without any of its topics the service has nothing to do, and most likely the wrong broker or routes; without
 * DLQ_TOPIC it could not continue after the first bad record. One routed topic among others may come later: it is
 * named, and read as soon as it is there.
 */
export const missingTopics = Effect.gen(function* () {
  const { dlqTopic, kafka, routes } = yield* Settings
  const admin = yield* Admin
  const progress = yield* Progress.Progress
  const routed = routes.map(({ topic }) => topic)
  return yield* admin.describe([...routed, ...(dlqTopic === undefined ? [] : [dlqTopic])]).pipe(
    Effect.map((states) => {
      const missing = states.filter(({ problem }) => problem !== undefined && problem.reason !== "unavailable")
      const isNoneThere = routed.every((topic) => missing.some((state) => state.topic === topic))
      return missing
        .filter(({ topic }) => topic === dlqTopic || isNoneThere)
        .map(
          ({ topic }): Problem => ({
            what: `Kafka has no topic ${topic} that this user may see`,
            remedy: `kafka-topics.sh --bootstrap-server ${kafka.brokers[0]} --create --topic ${topic}, or change ${topic === dlqTopic ? "DLQ_TOPIC" : "BRONZE_ROUTES"}`
          })
        )
    }),
    Effect.tapError(({ message }) => Effect.sync(() => progress.away("kafka", message))),
    Effect.retry(Retry.forever<KafkaError>("Kafka is unreachable", (error) => error.isRetryable)),
    Effect.catch((error) =>
      Effect.succeed<ReadonlyArray<Problem>>([
        { what: error.message, remedy: "check KAFKA_SECURITY_PROTOCOL, KAFKA_SASL_*, KAFKA_OAUTH_* and KAFKA_SSL_*" }
      ])
    )
  )
})

/** What `init` does; what it may not do is found by the look at the tables that follows. */
export const createTables = Effect.gen(function* () {
  const warehouse = yield* Warehouse
  const progress = yield* Progress.Progress
  yield* warehouse.init.pipe(
    Effect.tap(({ added, created }) =>
      created.length + added.length > 0
        ? Effect.logInfo(`Created in ${warehouse.name}: ${[...created, ...added].join(", ")} (AUTO_CREATE_TABLES=true)`)
        : Effect.void
    ),
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
