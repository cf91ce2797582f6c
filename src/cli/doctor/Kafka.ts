/** What `doctor` checks in Kafka: every broker, the topics, the consumer group, and the ACLs. */
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import { Admin, type Cluster } from "../../kafka/Admin.ts"
import type { KafkaError } from "../../kafka/KafkaError.ts"
import * as Rights from "../../kafka/Rights.ts"
import { loginName } from "../../settings/Model.ts"
import { Settings } from "../../settings/Settings.ts"
import { kafkaRemedy } from "../support/Failure.ts"
import * as Screen from "../support/Screen.ts"
import { bad, type Finding, good, skipped, warning } from "./Finding.ts"
import { speaksTls, unreachable } from "./Reach.ts"
import { allow, connection } from "./Remedies.ts"
import { consumedTopic, deadLetterTopic, type Positions } from "./Topics.ts"

export const kafka = Effect.fnUntraced(function* (positions: Positions) {
  const { kafka } = yield* Settings
  const refusals = yield* Effect.forEach(kafka.brokers, unreachable, { concurrency: "unbounded" })
  const open = kafka.brokers.find((_, index) => refusals[index] === undefined)
  const closed = refusals.filter((refusal) => refusal !== undefined)
  const later = ["topics", "consumer group"].map((check) => skipped(check, "skipped: fix the broker first"))
  if (open === undefined)
    return [
      bad(
        "broker",
        closed.join("; "),
        "Set KAFKA_BOOTSTRAP_SERVERS, or start the broker (on this machine: npm run kafka -- start)"
      ),
      ...later
    ]
  const admin = yield* Admin
  const cluster = yield* Effect.result(admin.cluster)
  if (Result.isFailure(cluster)) {
    const { failure } = cluster
    return [bad("broker", failure.message, ...connection(failure, kafka, open, yield* speaksTls(open))), ...later]
  }
  return [
    ...(yield* brokers(cluster.success)),
    ...closed.map((refusal) =>
      warning(
        "broker",
        `${refusal}; others of the cluster answer`,
        "Remove it from KAFKA_BOOTSTRAP_SERVERS, or start it"
      )
    ),
    ...(yield* contents(cluster.success.brokers.length, positions))
  ]
})

/** Each broker leads partitions, so each has to be within reach under the name that the cluster gives it. */
const brokers = Effect.fnUntraced(function* ({ brokers, id }: Cluster) {
  const refusals = yield* Effect.forEach(brokers, unreachable, { concurrency: "unbounded" })
  const away = refusals.flatMap((refusal) => (refusal === undefined ? [] : [refusal]))
  const { kafka } = yield* Settings
  const login = kafka.sasl === undefined ? "" : ` as ${loginName(kafka.sasl)}`
  if (away.length === 0) return [good("broker", `cluster ${id}${login}: ${brokers.join(", ")}`)]
  return away.map((refusal) =>
    bad(
      "broker",
      `of cluster ${id}: ${refusal}`,
      "Allow connections to it, or set advertised.listeners in its server.properties to an address that is reachable from here"
    )
  )
})

const contents = Effect.fnUntraced(function* (brokers: number, positions: Positions) {
  const { dlqTopic, routes } = yield* Settings
  const rights = yield* Rights.make
  const topics = [...new Set(routes.map(({ topic }) => topic))]
  const [consumed, deadLetters, group] = yield* Effect.all(
    [
      Effect.forEach(topics, (topic) => orFailed(`topic ${topic}`, consumedTopic(rights, topic, brokers, positions))),
      dlqTopic === undefined
        ? Effect.succeed([])
        : orFailed(`topic ${dlqTopic}`, deadLetterTopic(rights, dlqTopic, brokers)),
      orFailed("consumer group", consumerGroup(rights, topics))
    ],
    { concurrency: "unbounded" }
  )
  return [...consumed.flat(), ...deadLetters, ...group]
}, Effect.scoped)

/** A question that fails is a finding, too. */
const orFailed = <R>(check: string, look: Effect.Effect<ReadonlyArray<Finding>, KafkaError, R>) =>
  Effect.catch(look, (error) => Effect.succeed([bad(check, error.message, kafkaRemedy(error))]))

const consumerGroup = Effect.fnUntraced(function* (rights: Rights.Rights, topics: ReadonlyArray<string>) {
  const { kafka, routes } = yield* Settings
  const admin = yield* Admin
  const check = "consumer group"
  if (!(yield* rights.mayJoin(kafka.group)))
    return [bad(check, `this user may not join group ${kafka.group}`, yield* allow("READ", "group", kafka.group))]
  const { members, state } = yield* admin.group(kafka.group)
  const partitions = yield* admin.partitions(topics)
  const present = new Set(partitions.map(({ topic }) => topic))
  // A topic that a template leads to may not have been found yet, or wait for its table.
  const required = routes.filter(({ template, topic }) => template === undefined && present.has(topic))
  const isOther = (subscribed: ReadonlyArray<string>) =>
    subscribed.some((topic) => !topics.includes(topic)) || required.some(({ topic }) => !subscribed.includes(topic))
  const stranger = members.find((subscribed) => subscribed.length > 0 && isOther(subscribed))
  if (stranger !== undefined)
    return [
      bad(
        check,
        `a member of group ${kafka.group} reads other topics (${stranger.join(", ")}): partitions are assigned to members that do not read them, and make no progress`,
        "Give each set of routes its own CONSUMER_GROUP_ID"
      )
    ]
  const committed = yield* admin.committed(kafka.group, [...present])
  const who = members.length === 0 ? "no active members" : `${Screen.plural(members.length, "member")} (${state})`
  const detail = `${kafka.group}: ${who}; offsets in ${committed.length} of ${Screen.plural(partitions.length, "partition")}`
  const idle = members.length - partitions.length
  return idle > 0 && partitions.length > 0
    ? [warning(check, `${detail}; ${idle} of them idle`, "Add partitions to use more of them")]
    : [good(check, detail)]
})
