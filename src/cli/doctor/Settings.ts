/**
 * What `doctor` checks in the configuration: mistakes, settings without effect, and values that are slow, expensive or
 * too large.
 */
import { totalmem } from "node:os"
import * as Duration from "effect/Duration"
import * as Result from "effect/Result"
import { describe, type Settings, type SettingsError } from "../../settings/Settings.ts"
import { told } from "../../warehouse/snowflake/Cost.ts"
import * as Screen from "../support/Screen.ts"
import { bad, type Finding, good, warning } from "./Finding.ts"

export const configuration = (
  read: Result.Result<Settings["Service"], SettingsError>,
  hints: ReadonlyArray<string>
): ReadonlyArray<Finding> => [
  ...(Result.isSuccess(read)
    ? [
        ...Object.entries(describe(read.success)).map(([name, value]) => good(`configuration: ${name}`, value)),
        ...onSnowflake(read.success)
      ]
    : // Each names its variable and what is expected of it: that is the remedy.
      read.failure.problems.map((problem) => bad("configuration", problem))),
  ...[...hints, ...(Result.isSuccess(read) ? advice(read.success) : [])].map((hint) => warning("configuration", hint))
]

/** Settings that cost money on a Snowflake account. */
const onSnowflake = ({ batch, sink }: Settings["Service"]): ReadonlyArray<Finding> => {
  if (sink._tag === "DuckDb") return []
  const cost = good("configuration: cost", told(Duration.toSeconds(batch.timeout)))
  if (sink.credentials._tag !== "Password" || sink.host !== undefined) return [cost]
  return [
    cost,
    good(
      "configuration: login",
      "SNOWFLAKE_PASSWORD is for trials: a user of TYPE = SERVICE has none, and logins with nothing but one are being switched off. Use a key pair (SNOWFLAKE_PRIVATE_KEY_PATH)"
    )
  ]
}

/** What this process may use: the machine's memory, or what its container leaves it. */
const memoryHere = (): number => Math.min(totalmem(), process.constrainedMemory() || Number.POSITIVE_INFINITY)

const MiB = 1024 * 1024

/** Settings that work, but may cause problems. */
const advice = ({ batch, bufferMaxBytes, delivery, sink, write }: Settings["Service"]): ReadonlyArray<string> => {
  const memory = memoryHere()
  const seconds = Duration.toSeconds(batch.timeout)
  const onSnowflake: ReadonlyArray<readonly [boolean, string]> =
    sink._tag === "DuckDb"
      ? []
      : [
          [
            seconds < 1,
            `BATCH_TIMEOUT ${seconds}: up to ${Screen.count(Math.round(3600 / seconds))} writes an hour and table at low traffic; each is a transaction, and they keep the warehouse awake`
          ],
          [batch.size < 10, `BATCH_SIZE ${batch.size}: a transaction for every ${batch.size} events at low traffic`],
          [
            write.maxBytes < MiB,
            `WRITE_MAX_BYTES ${Math.round(write.maxBytes / 1024)} KiB: behind a backlog a write carries no more than that, however long it takes`
          ],
          [
            write.concurrency > 8,
            `WRITE_CONCURRENCY ${write.concurrency}: a warehouse runs 8 statements at a time, the others wait`
          ]
        ]
  const everywhere: ReadonlyArray<readonly [boolean, string]> = [
    [delivery === "at-least-once", "DELIVERY at-least-once: rows may be duplicated after a failure or a rebalance"],
    [
      bufferMaxBytes > memory / 3,
      `BUFFER_MAX_BYTES ${Math.round(bufferMaxBytes / MiB)} MiB: more than a third of the ${Math.round(memory / MiB)} MiB of memory here`
    ]
  ]
  return [...onSnowflake, ...everywhere].flatMap(([applies, text]) => (applies ? [text] : []))
}
