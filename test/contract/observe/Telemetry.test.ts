/** Telemetry that is set up wrongly is reported, and stops nothing. */
import { afterEach, assert, describe, it } from "vitest"
import { killAll, start } from "../../../scripts/support/bronzeProcess.ts"

afterEach(killAll)

describe("OTEL_ variables that cannot be used", () => {
  for (const [name, value] of [
    ["OTEL_EXPORTER_OTLP_HEADERS", "api-key=hunter2,x=%zz"],
    ["OTEL_RESOURCE_ATTRIBUTES", "a=%zz"],
    ["OTEL_EXPORTER_OTLP_TIMEOUT", "soon"]
  ] as const)
    it(`are named, and the service starts without them: ${name}`, async () => {
      const service = start({
        SINK: "duckdb",
        DUCKDB_PATH: "/tmp/nobody-makes-this.duckdb",
        KAFKA_BOOTSTRAP_SERVERS: "127.0.0.1:1",
        OTEL_EXPORTER_OTLP_ENDPOINT: "http://127.0.0.1:1",
        [name]: value
      })
      await service.line(new RegExp(`WARNING - No traces and logs are sent: .*${name}`))
      await service.line(/Reading from 127.0.0.1:1/)
      assert.notInclude(service.output(), "hunter2")
    })
})
