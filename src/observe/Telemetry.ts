/**
 * Traces and logs by OpenTelemetry, switched on by its own OTEL_ variables; without them no span is made and nothing of
 * it is loaded.
 */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as References from "effect/References"

const endpoints = ["", "TRACES_", "LOGS_"].map((signal) => `OTEL_EXPORTER_OTLP_${signal}ENDPOINT`)

const off = Layer.succeed(References.TracerEnabled, false)

/** What is wrong with the variables is reported, without their values, and stops nothing. */
const unusable = Layer.unwrap(
  Effect.as(
    Effect.logWarning(
      `No traces and logs are sent: ${names().join(", ")} cannot be used as they are (an address is http://host:port, headers are name=value,… with percent-encoding)`
    ),
    off
  )
)

/** To be provided inside the log's own layer, whose lines then go to both. */
export const layer: Layer.Layer<never> = Layer.unwrap(
  Effect.suspend(() =>
    endpoints.some((name) => (process.env[name] ?? "") !== "")
      ? Effect.promise(() => import("./OtlpExporters.ts")).pipe(
          Effect.map(({ layer }) => Layer.catchCause(layer, () => unusable))
        )
      : Effect.succeed(off)
  )
)

function names(): ReadonlyArray<string> {
  return Object.keys(process.env).filter((name) => name.startsWith("OTEL_") && process.env[name] !== "")
}
