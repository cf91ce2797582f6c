/** The reasons why a Kafka request fails, and how errors of kafkajs map to them. */
import * as Schema from "effect/Schema"
import * as Address from "./kafkajs/Address.ts"

/**
 * - `denied`: credentials, certificates or ACLs;
 * - `missing`: a topic that does not exist;
 * - `too_large`: a request, or one record of it, is larger than the topic takes: half of it may pass;
 * - `refused`: the topic does not take these records, now or later;
 * - `unavailable`: anything that time may fix.
 */
export const KafkaErrorReason = Schema.Literals(["unavailable", "denied", "missing", "too_large", "refused"])
export type KafkaErrorReason = typeof KafkaErrorReason.Type

export class KafkaError extends Schema.TaggedError<KafkaError>()("KafkaError", {
  reason: KafkaErrorReason,
  message: Schema.String,
  /** Of `unavailable`: nothing tells whether it passes. */
  isUnknown: Schema.optionalKey(Schema.Boolean),
  cause: Schema.optionalKey(Schema.Defect())
}) {
  get isRetryable(): boolean {
    return this.reason === "unavailable"
  }

  /** What went wrong while `doing` something, by the innermost error that explains it. */
  static from(doing: string, cause: unknown): KafkaError {
    const chain = chainOf(cause)
    const told = [...chain].reverse().find(({ message }) => message !== "")
    const reason = reasonOf(chain)
    return new KafkaError({
      reason,
      ...(reason === "unavailable" && !chain.some(isPassing) && { isUnknown: true }),
      message: Address.decode(`Could not ${doing}: ${told?.message ?? String(cause)}`),
      cause
    })
  }
}

interface Link {
  readonly name: string
  readonly message: string
  /** A protocol error's name in Kafka, or a code of Node's. */
  readonly code: string
  /** Kafka's protocol says of it that it passes. */
  readonly isRetriable: boolean
  /** Of an error of ours that went through kafkajs, as a login's does. */
  readonly reason: KafkaErrorReason | undefined
}

/** The error, what caused it, and so on; kafkajs wraps up to three deep, and Node gathers one per address. */
const chainOf = (error: unknown): ReadonlyArray<Link> => {
  if (!(error instanceof Error)) return []
  const errors: unknown = Reflect.get(error, "errors")
  const inner: unknown = Array.isArray(errors) ? errors[0] : error.cause
  const code: unknown = Reflect.get(error, "type") ?? Reflect.get(error, "code")
  const link = {
    ...{ name: error.name, message: error.message, code: typeof code === "string" ? code : "" },
    isRetriable: typeof code === "string" && Reflect.get(error, "retriable") === true,
    reason: error instanceof KafkaError ? error.reason : undefined
  }
  // Such an error says already what it was caused by.
  return [link, ...(inner === error || link.reason !== undefined ? [] : chainOf(inner))]
}

const isDenied = ({ code, message, name }: Link): boolean =>
  name === "KafkaJSSASLAuthenticationError" ||
  /AUTHORIZATION_FAILED|SASL|CERT|SELF_SIGNED|ERR_TLS|ERR_SSL|UNABLE_TO_/.test(code) ||
  /self.signed certificate|unable to (verify|get).*certificate|hostname\/IP does not match/i.test(message)

/** What Kafka says to a member while it shares the partitions again, and to one that it has put out of the group. */
const rebalance = new Set(["REBALANCE_IN_PROGRESS"])
const eviction = new Set(["UNKNOWN_MEMBER_ID", "ILLEGAL_GENERATION"])

const typeOf = (cause: unknown): string => {
  const type: unknown = cause instanceof Error ? Reflect.get(cause, "type") : undefined
  return typeof type === "string" ? type : ""
}

export const isRebalance = (cause: unknown): boolean => rebalance.has(typeOf(cause))
export const isEviction = (cause: unknown): boolean => eviction.has(typeOf(cause))

/** A network, a broker that restarts or moves its partitions: what kafkajs, its protocol or Node know to pass. */
const isPassing = ({ code, isRetriable, name }: Link): boolean =>
  isRetriable ||
  /^E[A-Z]{3,}/.test(code) ||
  /^KafkaJS.*(Connection|Timeout|MetadataNotLoaded|StaleTopicMetadata|BrokerNotFound|NoBrokerAvailable|CoordinatorNotFound)/.test(
    name
  )

const reasonOf = (chain: ReadonlyArray<Link>): KafkaErrorReason => {
  const own = chain.find(({ reason }) => reason !== undefined)?.reason
  if (own !== undefined) return own
  if (chain.some(isDenied)) return "denied"
  if (chain.some(({ code }) => /^(UNKNOWN_TOPIC_OR_PARTITION|UNKNOWN_TOPIC_ID|INVALID_TOPIC_EXCEPTION)$/.test(code)))
    return "missing"
  if (chain.some(({ code }) => /^(MESSAGE_TOO_LARGE|RECORD_LIST_TOO_LARGE)$/.test(code))) return "too_large"
  if (chain.some(({ code }) => refusals.has(code))) return "refused"
  return "unavailable"
}

/** What a broker answers for good to records that it does not like. */
const refusals: ReadonlySet<string> = new Set([
  "INVALID_RECORD",
  "INVALID_TIMESTAMP",
  "CORRUPT_MESSAGE",
  "UNSUPPORTED_FOR_MESSAGE_FORMAT",
  "UNSUPPORTED_COMPRESSION_TYPE",
  "INVALID_REQUIRED_ACKS",
  "INVALID_REQUEST",
  "POLICY_VIOLATION"
])
