/**
 * Which of the routed topics can be read: each is checked separately, so that a missing or broken one stops only
 * itself.
 */
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { Progress } from "../observe/Progress.ts"
import { Settings } from "../settings/Settings.ts"
import { Admin } from "./Admin.ts"
import { HeldBack } from "./HeldBack.ts"
import type { KafkaError } from "./KafkaError.ts"
import type { TopicState } from "./kafkajs/TopicMetadata.ts"
import * as Rights from "./Rights.ts"

/** The topics that can be read are others than before: the group has to be joined again. */
export class TopicsChanged extends Schema.TaggedError<TopicsChanged>()("TopicsChanged", { message: Schema.String }) {}

/** How often topics are looked at: a topic that comes back is read again within this time. */
const interval = "5 seconds"

export const make = Effect.gen(function* () {
  const { routes } = yield* Settings
  const admin = yield* Admin
  const progress = yield* Progress
  const rights = yield* Rights.make
  const heldBack = yield* HeldBack
  const topics = [...new Set(routes.map(({ topic }) => topic))]
  let told: ReadonlyMap<string, string> = new Map()
  let isDenied = false

  const look: Effect.Effect<ReadonlyArray<TopicState>, KafkaError> = Effect.flatMap(admin.describe(topics), (states) =>
    Effect.forEach(states, (state) => {
      const message = heldBack.get(state.topic)
      if (message !== undefined && state.problem === undefined)
        return Effect.succeed<TopicState>({ ...state, problem: { reason: "missing", message } })
      if (!isDenied || state.problem !== undefined) return Effect.succeed(state)
      return Effect.map(rights.mayRead(state.topic), (mayRead): TopicState => {
        const problem = { reason: "denied", message: "this user may see it, but not read it" } as const
        return mayRead ? state : { ...state, problem }
      })
    })
  )

  /** The topics that can be read, as soon as there is one; the others are named. */
  const readable: Effect.Effect<ReadonlyArray<TopicState>, KafkaError> = Effect.gen(function* () {
    const states = yield* look
    const unread = states.flatMap(({ problem, topic }) => (problem ? [{ topic, message: problem.message }] : []))
    progress.unread(unread)
    const untold = unread.filter(({ message, topic }) => told.get(topic) !== message)
    told = new Map(unread.map(({ message, topic }) => [topic, message]))
    for (const { message, topic } of untold)
      yield* Effect.logError(
        `Topic ${topic} is not read: ${message}. Other topics continue; it is read as soon as possible. See: bronze-consumer doctor`
      )
    const found = states.filter(({ problem }) => problem === undefined)
    return found.length > 0 ? found : yield* Effect.andThen(Effect.sleep(interval), readable)
  })

  /** What has changed since `before` was read; `away` are the topics that looked lost a moment ago. */
  const changeOf = (
    before: ReadonlyMap<string, TopicState>,
    { id, problem, topic }: TopicState,
    away: Set<string>
  ): string | undefined => {
    const old = before.get(topic)
    if (old === undefined) return problem === undefined ? `topic ${topic} can be read now` : undefined
    if (problem === undefined) {
      away.delete(topic)
      return id !== undefined && old.id !== undefined && id !== old.id ? `topic ${topic} was recreated` : undefined
    }
    // A broker that has just started may not know it yet; a partition without a leader mostly gets one.
    if (problem.reason === "unavailable" || !away.has(topic)) {
      if (problem.reason !== "unavailable") away.add(topic)
      return undefined
    }
    return `topic ${topic} can no longer be read: ${problem.message}`
  }

  return {
    readable,
    /** Fails once the topics that can be read are others than `states`. */
    changed: (states: ReadonlyArray<TopicState>): Effect.Effect<never, TopicsChanged> => {
      const before = new Map(states.map((state) => [state.topic, state]))
      const away = new Set<string>()
      return Effect.sleep(interval).pipe(
        Effect.andThen(Effect.orElseSucceed(look, () => [])),
        Effect.flatMap((now) => {
          const [change] = now.flatMap((state) => changeOf(before, state, away) ?? [])
          return change === undefined ? Effect.void : Effect.fail(new TopicsChanged({ message: change }))
        }),
        Effect.forever
      )
    },
    /** Kafka has refused something: from now on the right to read is asked for as well. */
    denied: Effect.sync(() => {
      isDenied = true
    })
  }
})
