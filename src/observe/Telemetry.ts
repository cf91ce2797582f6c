/**
 * Traces and logs by OpenTelemetry, switched on by its own OTEL_ variables; without them no span is made and nothing of
 * it is loaded.
 */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as References from "effect/References"

const endpoints = ["", "TRACES_", "LOGS_"].map((signal) => `OTEL_EXPORTER_OTLP_${signal}ENDPOINT`)

/** To be provided inside the log's own layer, whose lines then go to both. */
export const layer: Layer.Layer<never> = Layer.unwrap(
  Effect.suspend(() =>
    endpoints.some((name) => (process.env[name] ?? "") !== "")
      ? Effect.promise(() => import("./OtlpExporters.ts")).pipe(Effect.map(({ layer }) => layer))
      : Effect.succeed(Layer.succeed(References.TracerEnabled, false))
  )
)
