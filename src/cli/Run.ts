/** The command `run`: says what it reads, where it writes and as whom, checks both sides once, and consumes until it is told to stop. */
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Runtime from "effect/Runtime"
import * as Schema from "effect/Schema"
import { Batcher } from "../Batcher.ts"
import { Admin } from "../kafka/Admin.ts"
import { DeadLetterTopic } from "../kafka/DeadLetterTopic.ts"
import type { KafkaError } from "../kafka/KafkaError.ts"
import * as KafkaJs from "../kafka/KafkaJs.ts"
import * as Lag from "../Lag.ts"
import * as Logging from "../Logging.ts"
import * as Pipeline from "../Pipeline.ts"
import * as Progress from "../Progress.ts"
import * as Retry from "../Retry.ts"
import * as Services from "../Services.ts"
import { Settings } from "../Settings.ts"
import { hints } from "../SettingsHints.ts"
import * as Signals from "../Signals.ts"
import * as Telemetry from "../Telemetry.ts"
import { type Problem, Warehouse } from "../warehouse/Warehouse.ts"
import type { WarehouseError } from "../warehouse/WarehouseError.ts"

/** What stands in the way of a start, all of it, each with its remedy. Waiting would not mend it: exit code 78 (EX_CONFIG of sysexits.h). */
export class NotReady extends Schema.TaggedError<NotReady>()("NotReady", { problems: Schema.Array(Schema.String) }) {
  override readonly [Runtime.errorExitCode] = 78
  override get message(): string {
    return `${this.problems.length === 1 ? "one thing has" : `${this.problems.length} things have`} to be mended first`
  }
}

/** Consumes until it is interrupted; all that has to be there first is looked at together. */
const consume = Effect.gen(function* () {
  const settings = yield* Settings
  const warehouse = yield* Warehouse
  const batcher = yield* Batcher
  const progress = yield* Progress.Progress
  yield* introduce
  if (settings.http.port > 0) yield* Effect.forkScoped(server)
  const problems = yield* Effect.all([missingTopics, warehouseProblems], { concurrency: 2 })
  const told = problems.flat().map(({ remedy, what }) => `${what}: ${remedy}`)
  if (told.length > 0) {
    yield* Effect.forEach(told, (problem) => Effect.logError(problem), { discard: true })
    return yield* new NotReady({ problems: told })
  }
  yield* Effect.logInfo(`Consumer initialized: group=${settings.kafka.group}`)
  progress.up("warehouse")
  yield* Effect.forkScoped(Lag.watch)
  return yield* Pipeline.run.pipe(
    Effect.onInterrupt(() =>
      Effect.suspend(() => {
        // For main: an interruption has no exit code of its own.
        process.exitCode = batcher.isFlushed() ? 0 : 1
        return Effect.logInfo(`Stopped: all that was read is in ${warehouse.name} or stays uncommitted in Kafka`)
      })
    )
  )
})

/** Answers, and says what is missing, also while a side is away. Loading it takes a tenth of a second, which is left to what reads and writes. */
const server = Effect.sleep("400 millis").pipe(
  Effect.andThen(Effect.promise(() => import("../http/Server.ts"))),
  Effect.flatMap(({ run }) => run)
)

/** The service with all its parts; how it ended is the last thing in its log. */
export const run = Effect.gen(function* () {
  const { shutdownTimeout } = yield* Settings
  yield* Signals.watch(shutdownTimeout)
  yield* Effect.forEach(yield* hints, (hint) => Effect.logWarning(hint), { discard: true })
  return yield* consume.pipe(
    Effect.provide(
      Layer.mergeAll(KafkaJs.layer, Batcher.layer, DeadLetterTopic.layer).pipe(
        Layer.provideMerge(Layer.mergeAll(Services.kafka, Services.warehouse, Progress.layer))
      )
    )
  )
}).pipe(
  Effect.scoped,
  Effect.tapCause((cause) => Effect.logError("Ended", cause)),
  Effect.provide(Telemetry.layer),
  Effect.provide(Logging.layer),
  Effect.provide(Services.settings),
  Effect.tapErrorTag("SettingsError", ({ problems }) =>
    Effect.forEach(problems, (problem) => Effect.logError(problem), { discard: true }).pipe(
      Effect.provide(Logging.early)
    )
  )
)

const introduce = Effect.gen(function* () {
  const { batch, delivery, kafka, routes, write } = yield* Settings
  const warehouse = yield* Warehouse
  const user = kafka.sasl === undefined ? "" : ` as ${kafka.sasl.username}`
  yield* Effect.logInfo(`Reading from ${kafka.brokers.join(", ")}${user}, group ${kafka.group}`)
  yield* Effect.logInfo(`Writing to ${warehouse.target}, ${delivery}`)
  yield* Effect.forEach(routes, ({ table, topic }) => Effect.logInfo(`Route ${topic} -> ${table.name}`), {
    discard: true
  })
  yield* Effect.logInfo(
    `Batches of ${batch.size} events or ${Duration.toSeconds(batch.timeout)} seconds, up to ${write.maxRows} behind a backlog`
  )
})

/**
 * Without any of its topics the service has nothing to do, and most likely the wrong broker or routes; without DLQ_TOPIC it could not go on
 * after the first bad record. One routed topic among others may come later: it is named, and read as soon as it is there.
 */
const missingTopics = Effect.gen(function* () {
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
    Effect.retry(Retry.forever<KafkaError>("Kafka is away", (error) => error.isRetryable)),
    Effect.catch((error) =>
      Effect.succeed<ReadonlyArray<Problem>>([
        { what: error.message, remedy: "check KAFKA_SECURITY_PROTOCOL, KAFKA_SASL_* and KAFKA_SSL_*" }
      ])
    )
  )
})

const warehouseProblems = Effect.gen(function* () {
  const warehouse = yield* Warehouse
  const progress = yield* Progress.Progress
  return yield* warehouse.preflight.pipe(
    Effect.tapError(({ message }) => Effect.sync(() => progress.away("warehouse", message))),
    Effect.retry(Retry.forever<WarehouseError>(`${warehouse.name} is away`, (error) => error.reason === "unavailable")),
    Effect.catch((error) =>
      Effect.succeed<ReadonlyArray<Problem>>([{ what: error.message, remedy: "node dist/main.js doctor tells more" }])
    )
  )
})
