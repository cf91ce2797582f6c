/** How a command fails: a message for a person on stderr, and an exit code for scripts; never a stack trace. */
import * as Cause from "effect/Cause"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as Runtime from "effect/Runtime"
import * as Schema from "effect/Schema"
import { hide } from "../../domain/Secrets.ts"
import { KafkaError } from "../../kafka/KafkaError.ts"
import { SettingsError } from "../../settings/Settings.ts"
import { WarehouseError } from "../../warehouse/WarehouseError.ts"

/** A failure that was already reported; only the exit code is left. */
export class CommandFailed extends Schema.TaggedError<CommandFailed>()("CommandFailed", { code: Schema.Int }) {
  override readonly [Runtime.errorExitCode] = this.code
  override readonly [Runtime.errorReported] = false
}

/** EX_USAGE of sysexits.h. */
export const usage = new CommandFailed({ code: 64 })

/** Words that are understood each, but not together. */
export const misused = (message: string) => Effect.andThen(Console.error(message), Effect.fail(usage))

/** A command that did its work, and whose answer is no. */
export const negative = new CommandFailed({ code: 1 })

/** What to say of a failure. */
export const explain = (error: unknown): ReadonlyArray<string> => {
  if (error instanceof SettingsError)
    return [
      "The configuration cannot be used:",
      ...error.problems.map((problem) => `  ${problem}`),
      "All settings with their sources: `bronze-consumer config check`. What they mean: `bronze-consumer run --help`."
    ]
  if (error instanceof KafkaError) return [`Kafka: ${error.message}`, kafkaRemedy(error)]
  if (error instanceof WarehouseError) return [`Warehouse: ${error.message}`]
  return [error instanceof Error ? error.message : String(error)]
}

/** What fixes a failure of Kafka, as far as its reason allows. */
export const kafkaRemedy = ({ reason }: KafkaError): string => {
  switch (reason) {
    case "unavailable":
      return "Check KAFKA_BOOTSTRAP_SERVERS and that the broker runs (on this machine: npm run kafka -- start)"
    case "denied":
      return "Check KAFKA_SECURITY_PROTOCOL, KAFKA_SASL_*, KAFKA_OAUTH_*, KAFKA_SSL_* and the ACLs of this user"
    case "missing":
      return "Create the topic, or name another one (BRONZE_ROUTES, --topic)"
    case "too_large":
      return "Send smaller records, or raise max.message.bytes of the topic"
    case "refused":
      return "The topic does not take these records: look at its configuration (cleanup.policy, message.timestamp.type)"
  }
}

/** Reports every failure on stderr and leaves its exit code: 78 for the configuration, else 1. */
export const told = <A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<A, CommandFailed, R> =>
  Effect.catchCause(effect, (cause) => {
    if (Cause.hasInterruptsOnly(cause)) return Effect.interrupt
    const error = Cause.squash(cause)
    if (error instanceof CommandFailed) return Effect.fail(error)
    return Effect.andThen(
      Console.error(hide(explain(error).join("\n"))),
      Effect.fail(new CommandFailed({ code: Runtime.getErrorExitCode(error) }))
    )
  })
