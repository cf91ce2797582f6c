/** Selects the implementation of each contract from the settings. */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Admin from "../kafka/Admin.ts"
import type { KafkaError } from "../kafka/KafkaError.ts"
import * as KafkaClient from "../kafka/kafkajs/Client.ts"
import * as Producer from "../kafka/Producer.ts"
import { withTopics } from "../settings/Discovery.ts"
import * as Environment from "../settings/Environment.ts"
import { environment, isStreaming, Settings, type SettingsError, layer as settingsLayer } from "../settings/Settings.ts"
import * as DuckDb from "../warehouse/duckdb/DuckDb.ts"
import * as Snowflake from "../warehouse/snowflake/Snowflake.ts"
import * as Streaming from "../warehouse/snowflake/streaming/Streaming.ts"
import type { Warehouse } from "../warehouse/Warehouse.ts"

export const settings: Layer.Layer<Settings, SettingsError> = settingsLayer.pipe(Layer.provide(environment()))

/** The settings for a command that has no use for a warehouse: it asks for no login to one. */
export const kafkaSettings: Layer.Layer<Settings, SettingsError> = settingsLayer.pipe(
  Layer.provide(environment({ ...Environment.defined(), SINK: "duckdb" }))
)

/** The settings for a command that prints SQL: it takes the names from them, and logs in nowhere. */
export const namesOnly: Layer.Layer<Settings, SettingsError> = settingsLayer.pipe(
  Layer.provide(
    Layer.unwrap(
      Effect.sync(() => {
        const login = ["PASSWORD", "PRIVATE_KEY_PATH", "PRIVATE_KEY_PASSPHRASE", "TOKEN", "AUTHENTICATOR"]
        const isLogin = (name: string) => login.some((word) => name.startsWith(`SNOWFLAKE_${word}`))
        const others = Object.entries(Environment.defined()).filter(([name]) => !isLogin(name))
        const nobody = { SNOWFLAKE_ACCOUNT: "none", SNOWFLAKE_USER: "none", SNOWFLAKE_TOKEN: "none" }
        return environment({ ...Object.fromEntries(others), ...nobody })
      })
    )
  )
)

/**
 * The settings with a route for each topic that a template leads to. Kafka is asked for them only where there is a
 * template.
 */
export const routed = <E>(settings: Layer.Layer<Settings, E>): Layer.Layer<Settings, E | KafkaError> =>
  Layer.effect(
    Settings,
    Effect.gen(function* () {
      const read = yield* Settings
      if (read.templates.length === 0) return read
      const topics = yield* Effect.provide(
        Effect.flatMap(Admin.Admin, (admin) => admin.topics),
        kafka
      )
      return withTopics(read, topics)
    })
  ).pipe(Layer.provide(settings))

/** kafkajs, with what the commands ask of it; connects when it is used. */
export const kafka: Layer.Layer<Admin.Admin | Producer.Producer | KafkaClient.KafkaClient, never, Settings> =
  Layer.mergeAll(Admin.layer, Producer.layer).pipe(Layer.provideMerge(KafkaClient.layer))

/** The warehouse that SINK names; opened, and its driver loaded, when it is first used. */
export const warehouse: Layer.Layer<Warehouse, never, Settings> = Layer.unwrap(
  Effect.map(Settings, ({ sink }) => {
    if (sink._tag === "DuckDb") return DuckDb.layer
    return isStreaming(sink) ? Streaming.layer : Snowflake.layer
  })
)
