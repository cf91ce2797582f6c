/** What every command but `run` needs: the settings, a log that leaves stdout to the output, and readable failures. */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Layers from "../../app/Layers.ts"
import * as Logging from "../../observe/Logging.ts"
import { Settings, type SettingsError } from "../../settings/Settings.ts"
import { type CommandFailed, told } from "./Failure.ts"

/** Warnings and worse go to stderr; everything does at LOG_LEVEL=DEBUG. */
const log = Layer.unwrap(
  Effect.map(Settings, ({ log }) => Logging.stderr(log.level === "Debug" || log.level === "Trace" ? log.level : "Warn"))
)

export const quietly = <A, E, R>(
  effect: Effect.Effect<A, E, R>,
  settings: Layer.Layer<Settings, SettingsError> = Layers.settings
): Effect.Effect<A, CommandFailed, Exclude<R, Settings>> => alone(effect, Layers.routed(settings))

/** The same for a command that has no use for routes: it asks Kafka for nothing. */
export const alone = <A, E, R, E2 = SettingsError>(
  effect: Effect.Effect<A, E, R>,
  settings: Layer.Layer<Settings, E2 | SettingsError> = Layers.settings
): Effect.Effect<A, CommandFailed, Exclude<R, Settings>> =>
  told(Effect.provide(effect, Layer.provideMerge(log, settings)))
