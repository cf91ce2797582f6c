/** What `doctor` looks at; every check ends in a finding, whatever is away or wrong, and a finding that is bad says what mends it. */
import { access, constants, open } from "node:fs/promises"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import { Admin } from "../kafka/Admin.ts"
import type { KafkaError } from "../kafka/KafkaError.ts"
import * as Services from "../Services.ts"
import { describe, Settings, type SettingsError } from "../Settings.ts"
import { Warehouse } from "../warehouse/Warehouse.ts"
import type { WarehouseError } from "../warehouse/WarehouseError.ts"
import { kafkaRemedy } from "./Report.ts"

export interface Finding {
  readonly check: string
  readonly state: "good" | "bad" | "warning" | "skipped"
  readonly detail: string
  readonly remedy?: string
}

const good = (check: string, detail: string): Finding => ({ check, state: "good", detail })
const bad = (check: string, detail: string, remedy: string): Finding => ({ check, state: "bad", detail, remedy })
const warning = (check: string, detail: string): Finding => ({ check, state: "warning", detail })
export const skipped = (check: string, detail: string): Finding => ({ check, state: "skipped", detail })

export const configuration = (
  read: Result.Result<Settings["Service"], SettingsError>,
  hints: ReadonlyArray<string>
): ReadonlyArray<Finding> => [
  ...(Result.isSuccess(read)
    ? Object.entries(describe(read.success)).map(([name, value]) => good(`configuration: ${name}`, value))
    : read.failure.problems.map((problem): Finding => ({ check: "configuration", state: "bad", detail: problem }))),
  ...hints.map((hint) => warning("configuration", hint))
]

const kafkaFailed = (check: string, error: KafkaError): Finding => bad(check, error.message, kafkaRemedy(error))

/** Broker, topics, and what the ACLs let this user see; that it may read the topics shows only when it does. */
export const kafka: Effect.Effect<ReadonlyArray<Finding>, never, Admin | Settings> = Effect.gen(function* () {
  const { dlqTopic, kafka, routes } = yield* Settings
  const admin = yield* Admin
  const cluster = yield* Effect.result(admin.cluster)
  if (Result.isFailure(cluster))
    return [
      kafkaFailed("broker", cluster.failure),
      skipped("topics", "no broker to ask"),
      skipped("consumer group", "no broker to ask")
    ]
  const found = good("broker", `cluster ${cluster.success.id}: ${cluster.success.brokers.join(", ")}`)
  const wanted = [...new Set([...routes.map(({ topic }) => topic), ...(dlqTopic === undefined ? [] : [dlqTopic])])]
  const partitions = yield* Effect.result(admin.partitions(wanted))
  if (Result.isFailure(partitions)) return [found, kafkaFailed("topics", partitions.failure)]
  const present = wanted.filter((topic) => partitions.success.some((partition) => partition.topic === topic))
  const topics = yield* Effect.forEach(wanted, (topic) => {
    const size = partitions.success.filter((partition) => partition.topic === topic).length
    if (size === 0)
      return Effect.succeed(
        bad(
          `topic ${topic}`,
          "is not there, or this user may not see it",
          `kafka-topics.sh --bootstrap-server ${kafka.brokers[0]} --create --topic ${topic} --partitions 3, or grant DESCRIBE and READ on it`
        )
      )
    return Effect.map(Effect.result(admin.ranges([topic])), (ranges) =>
      Result.isFailure(ranges)
        ? kafkaFailed(`topic ${topic}`, ranges.failure)
        : good(
            `topic ${topic}`,
            `${size} partition(s), ${ranges.success.reduce((sum, { high, low }) => sum + high - low, 0)} records`
          )
    )
  })
  const committed = yield* Effect.result(admin.committed(kafka.group, present))
  return [
    found,
    ...topics,
    Result.isFailure(committed)
      ? kafkaFailed("consumer group", committed.failure)
      : good("consumer group", `${kafka.group}, offsets in ${committed.success.length} partition(s)`)
  ]
})

const warehouseFailed = ({ message, reason }: WarehouseError): Finding =>
  bad(
    "warehouse",
    message,
    reason === "denied"
      ? "Check the SNOWFLAKE_* settings of the login, and the grants of its role (sql/)"
      : "Check the address of the warehouse (SNOWFLAKE_ACCOUNT, SNOWFLAKE_HOST; DUCKDB_PATH) and the way to it"
  )

/** Login, role, schema and tables. */
export const warehouse: Effect.Effect<ReadonlyArray<Finding>, never, Settings> = Effect.gen(function* () {
  const { preflight, target } = yield* Warehouse
  const problems = yield* Effect.result(preflight)
  if (Result.isFailure(problems)) return [warehouseFailed(problems.failure)]
  if (problems.success.length > 0) return problems.success.map(({ remedy, what }) => bad("warehouse", what, remedy))
  return [good("warehouse", target)]
}).pipe(Effect.provide(Services.warehouse))

/** Beyond a minute, logins with a key pair are refused. */
const tolerated = 30_000

/** This machine's clock against the warehouse's, to the second, by the Date header of its answer. */
export const clock: Effect.Effect<Finding, never, Settings> = Effect.gen(function* () {
  const { sink } = yield* Settings
  if (sink._tag === "DuckDb") return skipped("clock", "nothing to compare it with")
  const host = sink.host ?? `${sink.account}.snowflakecomputing.com`
  const url = /^https?:/.test(host) ? host : `https://${host}/`
  const answer = yield* Effect.tryPromise((signal) => fetch(url, { method: "HEAD", redirect: "manual", signal })).pipe(
    Effect.timeout("5 seconds"),
    Effect.result
  )
  const date = Result.isSuccess(answer) ? Date.parse(answer.success.headers.get("date") ?? "") : Number.NaN
  if (Number.isNaN(date)) return skipped("clock", `${url} did not tell the time`)
  const skew = (yield* Clock.currentTimeMillis) - date
  const seconds = Math.round(Math.abs(skew) / 1000)
  return Math.abs(skew) <= tolerated
    ? good("clock", `within ${Math.max(1, seconds)} s of ${new URL(url).host}`)
    : bad(
        "clock",
        `${seconds} s ${skew > 0 ? "ahead of" : "behind"} ${new URL(url).host}`,
        "Set this machine's clock (NTP): logins are refused beyond a minute"
      )
})

export const logFile: Effect.Effect<Finding, never, Settings> = Effect.gen(function* () {
  const { file } = (yield* Settings).log
  if (file === undefined) return skipped("log file", "LOG_FILE is empty: stdout only")
  const writable = yield* Effect.result(
    Effect.tryPromise({
      try: () => access(file, constants.W_OK).catch(async () => (await open(file, "a")).close()),
      catch: (error) => (error instanceof Error ? error.message : String(error))
    })
  )
  return Result.isSuccess(writable)
    ? good("log file", file)
    : bad("log file", writable.failure, "Name a file in LOG_FILE that may be written, or set it empty")
})
