/**
 * Every setting of the service: its variable, type, default and meaning; read once, before anything connects, with all
 * mistakes reported together.
 */
import * as NodeFileSystem from "@effect/platform-node/NodeFileSystem"
import * as ConfigProvider from "effect/ConfigProvider"
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type * as Redacted from "effect/Redacted"
import * as Runtime from "effect/Runtime"
import * as Schema from "effect/Schema"
import type { Format } from "../domain/Format.ts"
import type { Route } from "../domain/Route.ts"
import { hide } from "../domain/Secrets.ts"
import type { Template } from "../domain/Template.ts"
import * as EnvFile from "./EnvFile.ts"
import { type KafkaSettings, loginName, type RegistrySettings, type SinkSettings } from "./Model.ts"
import { showBytes } from "./Parse.ts"
import * as Reader from "./Reader.ts"
import * as Registry from "./Registry.ts"
import { kafka, sink } from "./Sections.ts"
import { variables } from "./Variables.ts"

export class Settings extends Context.Service<
  Settings,
  {
    readonly kafka: KafkaSettings
    readonly routes: ReadonlyArray<Route>
    /** Routes to topics that are not known before Kafka is asked: `Discovery.withTopics` makes routes of them. */
    readonly templates: ReadonlyArray<Template>
    /** Whether the service makes the tables that are missing. */
    readonly autoCreateTables: boolean
    /** Of every routed topic, and of every template. */
    readonly formats: ReadonlyMap<string, Format>
    readonly registry: RegistrySettings | undefined
    readonly batch: { readonly size: number; readonly timeout: Duration.Duration }
    readonly write: { readonly maxRows: number; readonly maxBytes: number; readonly concurrency: number }
    readonly bufferMaxBytes: number
    readonly delivery: "exactly-once" | "at-least-once"
    readonly tombstones: "insert" | "skip"
    readonly dlqTopic: string | undefined
    readonly sink: SinkSettings
    readonly log: {
      readonly level: "Trace" | "Debug" | "Info" | "Warn" | "Error" | "Fatal"
      readonly format: "text" | "json"
      readonly file: string | undefined
    }
    readonly http: {
      readonly host: string
      readonly port: number
      readonly showEvents: boolean
      readonly token: Redacted.Redacted | undefined
    }
    readonly readyMaxPending: Duration.Duration
    readonly progressTimeout: Duration.Duration
    readonly shutdownTimeout: Duration.Duration
  }
>()("bronze/settings/Settings") {}

export const isStreaming = (sink: SinkSettings): boolean => sink._tag === "Snowflake" && sink.writer === "streaming"

/**
 * Whether CONSUMER_OFFSETS keeps the offsets, in the same transaction as the rows; otherwise what the group has committed
 * in Kafka says where reading starts.
 */
export const keepsLedger = ({ delivery, sink }: Pick<Settings["Service"], "delivery" | "sink">): boolean =>
  delivery === "exactly-once" && !isStreaming(sink)

/** The configuration cannot be used; it lists everything that is wrong with it. */
export class SettingsError extends Schema.TaggedError<SettingsError>()("SettingsError", {
  /** Each begins with the name of its variable. */
  problems: Schema.Array(Schema.String)
}) {
  /** EX_CONFIG of sysexits.h: restarting will not help. */
  override readonly [Runtime.errorExitCode] = 78

  override get message(): string {
    return `${this.problems.length} problem(s) in the configuration: ${this.problems.join("; ")}`
  }
}

/** Reads every variable of the current ConfigProvider. */
export const load: Effect.Effect<Settings["Service"], SettingsError> = Effect.gen(function* () {
  const reader = yield* Reader.make
  const { get, note } = reader
  const registry = yield* Registry.registry(reader)
  const routing = yield* get(variables.routes)
  const routes = Registry.withSchemaIds(routing.routes, registry !== undefined)
  const templates = Registry.withSchemaIds(routing.templates, registry !== undefined)
  const settings = {
    kafka: yield* kafka(reader),
    routes,
    templates,
    autoCreateTables: yield* get(variables.autoCreateTables),
    formats: yield* Registry.formats(reader, { routes, templates }, registry !== undefined),
    registry,
    batch: { size: yield* get(variables.batchSize), timeout: yield* get(variables.batchTimeout) },
    write: {
      maxRows: yield* get(variables.writeMaxRows),
      maxBytes: yield* get(variables.writeMaxBytes),
      concurrency: yield* get(variables.writeConcurrency)
    },
    bufferMaxBytes: yield* get(variables.bufferMaxBytes),
    delivery: yield* get(variables.delivery),
    tombstones: yield* get(variables.tombstones),
    dlqTopic: yield* get(variables.dlqTopic),
    log: {
      level: yield* get(variables.logLevel),
      format: yield* get(variables.logFormat),
      file: (yield* get(variables.logFile)) || undefined
    },
    http: {
      host: yield* get(variables.httpHost),
      port: yield* get(variables.httpPort),
      showEvents: yield* get(variables.httpShowEvents),
      token: yield* get(variables.httpToken)
    },
    readyMaxPending: yield* get(variables.readyMaxPending),
    progressTimeout: yield* get(variables.progressTimeout),
    shutdownTimeout: yield* get(variables.shutdownTimeout)
  }
  const { batch, bufferMaxBytes, dlqTopic, write } = settings
  if (write.maxBytes > bufferMaxBytes)
    note(
      variables.writeMaxBytes,
      `expected at most ${variables.bufferMaxBytes.name} (${showBytes(bufferMaxBytes)}), got ${showBytes(write.maxBytes)}`
    )
  if (write.maxRows < batch.size)
    note(variables.writeMaxRows, `expected at least ${variables.batchSize.name} (${batch.size}), got ${write.maxRows}`)
  if (routes.some(({ topic }) => topic === dlqTopic))
    note(variables.dlqTopic, `expected a topic that is not consumed, got "${dlqTopic}"`)
  const into = yield* sink(reader)
  if (into !== undefined && isStreaming(into) && settings.delivery === "at-least-once")
    note(variables.delivery, `expected exactly-once with ${variables.writer.name}=streaming, where it costs nothing`)
  if (reader.problems.length > 0 || into === undefined) {
    const envFile = yield* EnvFile.EnvFile
    return yield* new SettingsError({ problems: [...new Set(reader.problems)].map(EnvFile.placed(envFile)) })
  }
  return { ...settings, sink: into }
}).pipe(Effect.provide(NodeFileSystem.layer))

/** The settings of the current ConfigProvider. */
export const layer: Layer.Layer<Settings, SettingsError> = Layer.effect(Settings, load)

/**
 * Variables by name, an empty one being there and empty (as LOG_FILE may be); without an argument, those of the
 * process.
 */
export const environment = (env?: Record<string, string>): Layer.Layer<never> =>
  ConfigProvider.layer(ConfigProvider.fromEnv({ ...(env && { env }), preserveEmptyStrings: true }))

/** What a log or a screen may show of the settings: what is read, where it goes, and as whom; never a secret. */
export const describe = (settings: Settings["Service"]): Record<string, string> =>
  Object.fromEntries(Object.entries(said(settings)).map(([name, value]) => [name, hide(value)]))

const said = ({ batch, delivery, kafka, registry, routes, sink, templates }: Settings["Service"]) => ({
  kafka: `${kafka.brokers.join(",")}${kafka.ssl ? " over TLS" : ""}${kafka.sasl ? ` as ${loginName(kafka.sasl)}` : ""}`,
  group: kafka.group,
  routes: [...routes, ...templates].map(({ table, topic }) => `${topic} -> ${table.name}`).join(", "),
  ...(registry && { registry: registry.url }),
  sink:
    sink._tag === "DuckDb"
      ? `DuckDB ${sink.path}`
      : `Snowflake ${sink.host ?? sink.account}, ${sink.database}.${sink.schema} as ${sink.user} (${sink.credentials._tag})${sink.writer === "streaming" ? ", Snowpipe Streaming" : ""}${sink.role ? `, role ${sink.role}` : ""}${sink.warehouse ? `, warehouse ${sink.warehouse}` : ""}`,
  batch: `${batch.size} events or ${Duration.toSeconds(batch.timeout)} seconds`,
  delivery
})
