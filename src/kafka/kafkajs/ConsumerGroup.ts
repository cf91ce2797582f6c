/**
 * The consumer on kafkajs: joins the group, opens a scope per assignment, and restarts under a Schedule whenever
 * kafkajs gives up.
 */
import * as Clock from "effect/Clock"
import * as Deferred from "effect/Deferred"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Queue from "effect/Queue"
import * as Schedule from "effect/Schedule"
import type { EachBatchPayload } from "kafkajs"
import type { TopicPartition } from "../../domain/KafkaRecord.ts"
import { Progress } from "../../observe/Progress.ts"
import * as Retry from "../../Retry.ts"
import { keepsLedger, Settings } from "../../settings/Settings.ts"
import { Admin } from "../Admin.ts"
import { type Assignment, ConsumerGroup } from "../ConsumerGroup.ts"
import { isEviction, isRebalance, KafkaError } from "../KafkaError.ts"
import * as RoutedTopics from "../RoutedTopics.ts"
import * as KafkaJsAssignment from "./Assignment.ts"
import { KafkaClient } from "./Client.ts"
import type { Unreadable } from "./Faults.ts"

/**
 * How the consumer fetches. 256 KiB per partition measured 20 % faster than 1 MiB at half the memory; the wait for more
 * data governs how fast it stops and rejoins, not its throughput. Metadata is renewed often enough to notice new
 * partitions soon.
 */
const fetching = { maxBytesPerPartition: 256 * 1024, maxWaitTimeInMs: 200, metadataMaxAge: 30_000 }

/**
 * How long joining may take: the members of a group have `rebalanceTimeout` milliseconds to come back when it rebalances,
 * and kafkajs may look for a lost coordinator for ever.
 */
const rebalanceTimeout = 60_000
const patience = "90 seconds"

/**
 * How often a handler that waits reports to the group, in milliseconds; kafkajs sends no more heartbeats than its own
 * interval allows.
 */
const heartbeatEvery = 500

export const layer = Layer.effect(
  ConsumerGroup,
  Effect.gen(function* () {
    const settings = yield* Settings
    const { kafka } = settings
    const committing = keepsLedger(settings) ? "ledger" : "rows"
    const sessionTimeout = Duration.toMillis(kafka.sessionTimeout)
    const heartbeatInterval = Math.min(3000, sessionTimeout / 4)
    const client = yield* KafkaClient
    const admin = yield* Admin
    const progress = yield* Progress
    const topics = yield* RoutedTopics.make
    const mentioned: Retry.Mentioned = new Map()
    const mention = (message: string) =>
      Effect.flatMap(Clock.currentTimeMillis, (now) =>
        Retry.isDue(mentioned, message, now) ? Effect.logWarning(message) : Effect.void
      )
    let giveUp = (_: KafkaError): void => {}
    /** By request; kept through rebalances and reconnects, and when topics are found. */
    const paused = new Set(progress.view().pausedTopics)
    let current: KafkaJsAssignment.KafkaJsAssignment | undefined
    const repause = (change: () => void) =>
      Effect.sync(() => {
        change()
        progress.paused([...paused])
        current?.repause()
      })

    const onUnreadable = Effect.fnUntraced(function* ({ after, message, offset, partition, topic }: Unreadable) {
      progress.unreadable({ topic, partition }, `the batch at offset ${offset} cannot be read: ${message}`)
      const text = `Cannot read topic=${topic} partition=${partition} offset=${offset}: ${message}`
      if (Retry.isDue(mentioned, text, yield* Clock.currentTimeMillis))
        yield* Effect.logError(
          `${text}. Other partitions continue; retrying every 30 seconds. To skip it: bronze-consumer reset ${topic}/${partition}@${after}`
        )
    })

    /** From connecting until kafkajs gives up. */
    const session = Effect.fnUntraced(function* <R>(use: (assignment: Assignment) => Effect.Effect<void, never, R>) {
      const crashed = yield* Deferred.make<never, KafkaError>()
      const joined = yield* Queue.unbounded<KafkaJsAssignment.KafkaJsAssignment>()
      current = undefined
      giveUp = (error) => {
        current?.lose()
        Deferred.doneUnsafe(crashed, Effect.fail(error))
      }

      const consumer = yield* Effect.acquireRelease(
        Effect.sync(() =>
          client.kafka.consumer({
            groupId: kafka.group,
            sessionTimeout,
            heartbeatInterval,
            rebalanceTimeout,
            ...fetching,
            allowAutoTopicCreation: false,
            // By itself kafkajs would start a crashed consumer again: beside ours it would be a member that nobody
            // reads from.
            retry: { ...client.retry, restartOnFailure: () => Promise.resolve(false) }
          })
        ),
        (consumer) =>
          client
            .use("leave the group", () => consumer.disconnect())
            .pipe(Effect.timeoutOption("3 seconds"), Effect.ignore)
      )
      consumer.on(consumer.events.GROUP_JOIN, ({ payload }) => {
        current?.lose()
        const assigned = Object.entries(payload.memberAssignment).flatMap(([topic, partitions]) =>
          partitions.map((partition): TopicPartition => ({ topic, partition }))
        )
        const partitions = admin.positions(kafka.group, assigned)
        current = KafkaJsAssignment.make({
          ...{ consumer, memberId: payload.memberId, assigned, partitions, committing },
          isPaused: (topic) => paused.has(topic),
          onCommitFailed: giveUp,
          onUnreadable
        })
        Queue.offerUnsafe(joined, current)
      })
      // The group rebalances: what is held may be written and committed until the new assignment comes.
      consumer.on(consumer.events.REBALANCING, () => {
        if (current?.isHeld() === true) progress.rebalanced()
        current?.end()
      })
      consumer.on(consumer.events.START_BATCH_PROCESS, ({ payload }) => {
        if (payload.batchSize === 0) current?.pass(payload)
      })
      consumer.on(consumer.events.CRASH, ({ payload }) => giveUp(KafkaError.from("read from Kafka", payload.error)))

      const present = yield* client
        .use("connect to Kafka", () => consumer.connect())
        .pipe(
          Effect.andThen(topics.readable),
          Effect.tap((states) =>
            client.use("subscribe", () =>
              consumer.subscribe({ topics: states.map(({ topic }) => topic), fromBeginning: true })
            )
          ),
          Effect.tapError(({ message }) => Effect.sync(() => progress.away("kafka", message))),
          Effect.retry(Retry.forever("Kafka is unreachable"))
        )
      // It answers; what is missing from now on is the group.
      progress.up("kafka")
      yield* Effect.logInfo(`Joining group ${kafka.group}`)
      const started = client.use("join the group", () =>
        consumer.run({
          autoCommit: false,
          eachBatchAutoResolve: false,
          eachBatch: (payload) => eachBatch(payload, () => current, sessionTimeout)
        })
      )
      const assignments = Effect.gen(function* () {
        const assignment = yield* Queue.take(joined).pipe(
          Effect.timeoutOrElse({
            duration: patience,
            orElse: () =>
              new KafkaError({
                reason: "unavailable",
                message: `Could not join the group: no assignment within ${patience}`
              })
          })
        )
        if (!assignment.isHeld()) return
        yield* Effect.raceFirst(Effect.scoped(use(assignment)), assignment.ended).pipe(
          Effect.ensuring(assignment.close)
        )
      })
      return yield* Effect.andThen(started, Effect.never).pipe(
        Effect.raceFirst(Deferred.await(crashed)),
        Effect.raceFirst(topics.changed(present)),
        Effect.raceFirst(Effect.forever(assignments))
      )
    })

    return ConsumerGroup.of({
      pause: (topic) => repause(() => void paused.add(topic)),
      resume: (topic) => repause(() => void paused.delete(topic)),
      reopen: Effect.sync(() => {
        progress.reopening()
        giveUp(new KafkaError({ reason: "unavailable", message: "no records arrive, although there are some to read" }))
      }),
      consume: (use) =>
        Effect.scoped(session(use)).pipe(
          Effect.catchTag("TopicsChanged", ({ message }) => Effect.logWarning(`Rejoining the group: ${message}`)),
          // A topic that was deleted while it was read; Kafka itself is there.
          Effect.catchIf(
            ({ reason }) => reason === "missing",
            ({ message }) => mention(`Rejoining the group: ${message}`)
          ),
          Effect.tapError(({ message }) => Effect.sync(() => progress.away("kafka", message))),
          Effect.tapError(({ reason }) => (reason === "denied" ? topics.denied : Effect.void)),
          Effect.catch(({ message }) =>
            mention(`Lost connection to Kafka: ${message}; reconnecting. If it persists: bronze-consumer doctor`)
          ),
          Effect.repeat(Schedule.spaced("1 second")),
          Effect.andThen(Effect.never)
        )
    })
  })
)

/** What kafkajs calls: it waits until the records are taken care of, and reports to the group meanwhile. */
const eachBatch = async (
  payload: EachBatchPayload,
  current: () => KafkaJsAssignment.KafkaJsAssignment | undefined,
  sessionTimeout: number
): Promise<void> => {
  const assignment = current()
  if (assignment === undefined) return
  let heardAt = Date.now()
  const beat = setInterval(() => {
    payload.heartbeat().then(
      () => {
        heardAt = Date.now()
      },
      (error: unknown) => {
        if (isRebalance(error)) assignment.end()
        else if (isEviction(error) || Date.now() - heardAt > sessionTimeout) assignment.lose()
      }
    )
  }, heartbeatEvery)
  try {
    const handled = await assignment.deliver(payload)
    // Resolved into another generation it would skip records that nobody has handled.
    if (handled && assignment.isHeld() && assignment === current()) payload.resolveOffset(payload.batch.lastOffset())
  } finally {
    clearInterval(beat)
  }
}
