/**
 * THE FLOW: records → decode → route → batch → write → commit.
 *
 * An assignment is a scope. Its statements stand in the order in which they are undone backwards: fetching stops first, then the batcher
 * flushes (write, commit), then the partitions are let go. Graceful shutdown and rebalance are both nothing but this scope closing.
 */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import * as BadRecords from "./BadRecords.ts"
import { Batcher } from "./Batcher.ts"
import * as Decode from "./Decode.ts"
import { keptBytes } from "./domain/DeadLetters.ts"
import { partitionKey } from "./domain/KafkaRecord.ts"
import type { Outcome } from "./domain/Outcome.ts"
import { type Route, tablesOf } from "./domain/Route.ts"
import { type Assignment, type Fetch, Kafka } from "./kafka/Kafka.ts"
import * as Ledger from "./Ledger.ts"
import { Progress } from "./Progress.ts"
import { Settings } from "./Settings.ts"
import * as Spans from "./Spans.ts"
import * as Writer from "./Writer.ts"

/** Runs until it is interrupted. */
export const run = Effect.gen(function* () {
  const kafka = yield* Kafka
  return yield* kafka.consume((assignment) => again(attempt(assignment), assignment.isHeld, shortest))
})

/** Milliseconds between one claim and the next, doubled while it does not help: each costs the whole group its turn at the ledger. */
const [shortest, longest] = [1_000, 30_000]

/** An assignment that went well for so long starts with the shortest again. */
const settled = 60_000

/** Not where we thought, but still in the group: claim again, in a scope of its own. Safety never depends on who wins, only progress does. */
const again = <E, R>(
  attempt: Effect.Effect<void, E, R>,
  isHeld: () => boolean,
  pause: number
): Effect.Effect<void, never, R> =>
  Effect.flatMap(Clock.currentTimeMillis, (began) =>
    Effect.catch(attempt, () =>
      Effect.flatMap(Clock.currentTimeMillis, (now) => {
        if (!isHeld()) return Effect.void
        const wait = now - began > settled ? shortest : pause
        return Effect.andThen(Effect.sleep(wait), again(attempt, isHeld, Math.min(2 * wait, longest)))
      })
    )
  )

const attempt = (assignment: Assignment) =>
  Effect.scoped(consume(assignment)).pipe(
    // A topic that stays stopped has its own ERROR each time.
    Effect.tapError((error) =>
      Effect.logWithLevel(error._tag === "StillStopped" ? "Debug" : "Warn")(
        `${error._tag}: ${error.message}. Reading the ledger again`
      )
    )
  )

/** One assignment, from claim to flush. */
const consume = Effect.fnUntraced(function* (assignment: Assignment) {
  const settings = yield* Settings
  const batcher = yield* Batcher
  const progress = yield* Progress
  const decoders = new Map(settings.routes.map((route) => [route.topic, decoder(route, settings)]))

  yield* Effect.addFinalizer(() => Effect.sync(progress.released))
  const report = yield* BadRecords.make
  const ledger = yield* Ledger.open(assignment)
  yield* Effect.logInfo(describe(ledger))
  const spans = Spans.make()
  const write = yield* Writer.make(assignment, ledger, spans)
  const queues = yield* batcher.open({ tables: tablesOf(settings.routes), write, assignment })
  const fetching = assignment.fetch(ledger.positions, (fetch) => {
    const decode = decoders.get(fetch.topic)
    if (decode === undefined) return Effect.die(new Error(`no route for topic ${fetch.topic}`))
    progress.fetched(fetch)
    const { next, partition, records, topic } = fetch
    const { name, options } = Spans.receive(fetch, settings.kafka.group)
    return Effect.logDebug(
      `Fetched ${records.length} records: topic=${topic} partition=${partition} next=${next}`
    ).pipe(
      Effect.andThen(spans.received(fetch)),
      Effect.andThen(
        Effect.sync(() => decode.outcomes(fetch)).pipe(
          // Decoding is total: this is a fault in the service, and the log has to say where to look.
          Effect.tapDefect(() =>
            Effect.logError(
              `Could not decode: topic=${topic} partition=${partition} offsets=${fetch.from}..${next - 1}`
            )
          ),
          Effect.withSpan("decode")
        )
      ),
      Effect.tap(report),
      Effect.flatMap((outcomes) => Effect.withSpan(queues.offer(decode.table, outcomes), "queue")),
      Effect.withSpan(name, options)
    )
  })
  return yield* Effect.raceFirst(fetching, queues.failure).pipe(Effect.raceFirst(reminder(ledger.stopped)))
})

/** Some topics are left alone; it is time to look at them again. */
class StillStopped extends Schema.TaggedError<StillStopped>()("StillStopped", { message: Schema.String }) {}

/** A stopped topic is mentioned again and again, and looked at again: somebody may have reset it. */
const reminder = (stopped: ReadonlyArray<string>) =>
  stopped.length === 0
    ? Effect.never
    : Effect.andThen(Effect.sleep("30 seconds"), new StillStopped({ message: stopped.join(", ") }))

/** The outcomes of a whole fetch; offsets that Kafka itself used at its end become a skip, so that they are committed as well. */
const decoder = ({ table, ...route }: Route, { sink, tombstones }: Settings["Service"]) => {
  const decode = Decode.make({ table, ...route }, { tombstones, maxKept: keptBytes[sink._tag] })
  return {
    table,
    outcomes: ({ next, partition, records, topic }: Fetch): ReadonlyArray<Outcome> => {
      const outcomes = records.map(decode)
      const last = outcomes.at(-1)
      return last !== undefined && last.offset === next - 1
        ? outcomes
        : [...outcomes, { _tag: "Skip", topic, partition, offset: next - 1, reason: "control", bytes: 0 }]
    }
  }
}

/** `Assigned 2 partitions: raw.orders.v1/0 from 250, raw.orders.v1/1 from 0`. */
const describe = ({ positions, stopped }: Ledger.Ledger): string => {
  if (stopped.length > 0 && positions.length === 0) return `Assigned, and stopped: ${stopped.join(", ")}`
  if (positions.length === 0)
    return "Assigned no partition: the group has more members than partitions, or members with other topics; standing by"
  const places = positions.map((position) => `${partitionKey(position)} from ${position.offset}`)
  return `Assigned ${positions.length} ${positions.length === 1 ? "partition" : "partitions"}: ${places.join(", ")}`
}
