// Kafka as the shop sees it: where its events go, whether it is there, and a send that is over in ten seconds, one way
// or the other.
import * as Effect from "effect/Effect"
import { kindOf } from "../../src/cli/support/Samples.ts"
import { Admin } from "../../src/kafka/Admin.ts"
import { KafkaError } from "../../src/kafka/KafkaError.ts"
import { Producer } from "../../src/kafka/Producer.ts"
import * as Retry from "../../src/Retry.ts"
import { Settings, SettingsError } from "../../src/settings/Settings.ts"
import type { Event } from "./events.ts"

const patience = "10 seconds"

export interface Topics {
  readonly orders: string
  readonly clicks: string
}

/** The first topic of BRONZE_ROUTES for each kind: what the shop sends is what the service reads. */
export const topics = Effect.gen(function* () {
  const { routes } = yield* Settings
  const ofKind = (kind: "order" | "click") => routes.find(({ topic }) => kindOf(topic) === kind)?.topic
  const [orders, clicks] = [ofKind("order"), ofKind("click")]
  if (orders === undefined || clicks === undefined)
    return yield* new SettingsError({
      problems: ["BRONZE_ROUTES: expected a topic for clicks, with `click` in its name, and one for orders"]
    })
  return { orders, clicks } satisfies Topics
})

/** The same failure, with what fixes it. */
const explained = ({ message, reason }: KafkaError) =>
  reason === "unavailable"
    ? new KafkaError({ reason, message: `${message} (to start a Kafka on this machine: npm run kafka -- start)` })
    : new KafkaError({ reason, message })

/** Fails with what is to be done when Kafka or one of the topics is not there. */
export const check = Effect.fnUntraced(function* ({ clicks, orders }: Topics) {
  const admin = yield* Admin
  const present = yield* Effect.mapError(admin.topics, explained)
  const missing = [orders, clicks].filter((topic) => !present.includes(topic))
  if (missing.length > 0)
    return yield* new KafkaError({
      reason: "missing",
      message: `Kafka has no topic ${missing.join(" and no topic ")} (npm run kafka -- start creates those of the default routes)`
    })
})

/** Returns once Kafka is there; until then the log says what is missing. */
export const untilThere = (topics: Topics) =>
  Effect.retry(check(topics), Retry.forever<KafkaError>("Kafka is unreachable; until it is back, the shop answers 503"))

/** Succeeds once Kafka has acknowledged the event, with its place where the broker tells it. */
export const send = Effect.fnUntraced(function* (topic: string, { key, value }: Event) {
  const producer = yield* Producer
  const [place] = yield* producer.send(topic, [{ key, value }]).pipe(
    Effect.mapError(explained),
    Effect.timeoutOrElse({
      duration: patience,
      orElse: () =>
        new KafkaError({
          reason: "unavailable",
          message: `Kafka did not acknowledge within ${patience}; the event may still arrive`
        })
    })
  )
  return place
})
