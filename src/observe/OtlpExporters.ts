/**
 * Sends spans and log lines to where the OTEL_ variables say, in the protocol that they name: http/protobuf, or
 * http/json.
 */
import * as ConfigProvider from "effect/ConfigProvider"
import * as Effect from "effect/Effect"
import * as FetchHttpClient from "effect/http/FetchHttpClient"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import * as OtlpLogger from "effect/observability/OtlpLogger"
import * as OtlpSerialization from "effect/observability/OtlpSerialization"
import * as OtlpTracer from "effect/observability/OtlpTracer"
import * as Environment from "../settings/Environment.ts"
import { version } from "../Version.ts"
import * as Logging from "./Logging.ts"

/** What the specification says for a variable that is not set, where Effect says otherwise. */
const defaults = { OTEL_TRACES_EXPORTER: "otlp", OTEL_LOGS_EXPORTER: "otlp" }

/** An empty variable counts as absent, as the specification has it. */
const variables = Object.fromEntries(
  Object.entries(Environment.defined()).filter(([name, value]) => name.startsWith("OTEL_") && value !== "")
)

const resource = { serviceName: process.env["OTEL_SERVICE_NAME"] || "bronze-consumer", serviceVersion: version }

const serialization =
  process.env["OTEL_EXPORTER_OTLP_PROTOCOL"] === "http/json"
    ? OtlpSerialization.layerJson
    : OtlpSerialization.layerProtobuf

/** The exporter has a form of its own for an event. */
const safely = Layer.effect(
  Logger.CurrentLoggers,
  Effect.map(Effect.service(Logger.CurrentLoggers), (loggers) => new Set([...loggers].map(Logging.withoutSecrets)))
)

export const layer = Layer.mergeAll(
  OtlpTracer.layerFromConfig({ resource }),
  safely.pipe(Layer.provideMerge(OtlpLogger.layerFromConfig({ resource })))
).pipe(
  Layer.provide([
    serialization,
    FetchHttpClient.layer,
    ConfigProvider.layer(ConfigProvider.fromEnv({ env: { ...defaults, ...variables } }))
  ])
)
