/**
 * OpenTelemetry, when the OTEL_ variables ask for it: the spans of the flow and the log, as a collector receives them;
 * nothing without them.
 */
import { once } from "node:events"
import { mkdtemp, rm } from "node:fs/promises"
import { createServer } from "node:http"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterAll, afterEach, assert, beforeAll, describe, inject, it } from "vitest"
import { killAll, start } from "../../scripts/support/bronzeProcess.ts"
import { makeJob } from "../support/Job.ts"
import { connect, eventually, messages, order, type RealKafka } from "../support/RealKafka.ts"

interface Attribute {
  readonly key: string
  readonly value: { readonly stringValue?: string; readonly intValue?: number }
}
interface Span {
  readonly name: string
  readonly spanId: string
  readonly parentSpanId?: string
  readonly attributes: ReadonlyArray<Attribute>
  readonly links: ReadonlyArray<{ readonly spanId: string }>
}

let kafka: RealKafka
let folder: string
/** What a collector got, by path. */
const received = new Map<string, Array<string>>()
const collector = createServer((request, response) => {
  let body = ""
  request.on("data", (chunk) => {
    body += chunk
  })
  request.on("end", () => {
    received.set(request.url ?? "", [...(received.get(request.url ?? "") ?? []), body])
    response.setHeader("content-type", "application/json").end("{}")
  })
})

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "bronze-otel-"))
  kafka = await connect(inject("kafka"))
  collector.listen(0, "127.0.0.1")
  await once(collector, "listening")
})
afterEach(killAll)
afterAll(async () => {
  collector.close()
  await kafka?.close()
  await rm(folder, { recursive: true, force: true })
})

const spans = (): ReadonlyArray<Span> =>
  (received.get("/v1/traces") ?? []).flatMap((body) => {
    const sent: { resourceSpans: ReadonlyArray<{ scopeSpans: ReadonlyArray<{ spans: ReadonlyArray<Span> }> }> } =
      JSON.parse(body)
    return sent.resourceSpans.flatMap(({ scopeSpans }) => scopeSpans.flatMap(({ spans }) => spans))
  })

const attribute = (span: Span | undefined, name: string): string =>
  Object.values(span?.attributes.find(({ key }) => key === name)?.value ?? {}).join()

describe("OpenTelemetry", () => {
  it("gets spans from the fetch to the commit, linked to each other, and the log", async () => {
    const address = collector.address()
    const port = typeof address === "object" ? address?.port : undefined
    const job = await makeJob(
      kafka,
      { SINK: "duckdb", DUCKDB_PATH: join(folder, "raw.duckdb") },
      {
        extra: {
          BATCH_TIMEOUT: "0.2",
          OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${port}`,
          OTEL_EXPORTER_OTLP_PROTOCOL: "http/json"
        }
      }
    )
    await kafka.produce(job.orders, messages(5, order))
    const service = start({ ...job.env, CONSUMER_GROUP_ID: `${job.group}?token=hunter2` })
    await service.line(/Kafka offsets committed/)
    service.signal("SIGTERM")
    assert.strictEqual(await service.exit, 0, service.output())

    const all = await eventually(
      async () => spans(),
      (found) => found.some(({ name }) => name === "commit")
    )
    const named = (name: string) => all.find((span) => span.name === name)
    const receive = named(`receive ${job.orders}`)
    const process = named(`process ${job.ordersTable}`)
    const insert = named(`INSERT ${job.ordersTable}`)
    assert.strictEqual(named("decode")?.parentSpanId, receive?.spanId)
    assert.deepStrictEqual(
      process?.links.map(({ spanId }) => spanId),
      [receive?.spanId]
    )
    assert.strictEqual(insert?.parentSpanId, process?.spanId)
    assert.strictEqual(named("commit")?.parentSpanId, process?.spanId)
    assert.strictEqual(attribute(receive, "messaging.system"), "kafka")
    assert.strictEqual(attribute(receive, "messaging.batch.message_count"), "5")
    assert.strictEqual(attribute(insert, "db.collection.name"), job.ordersTable)
    const logs = (received.get("/v1/logs") ?? []).join("\n")
    assert.include(logs, "Inserted 5 orders")
    assert.include(logs, "bronze-consumer")
    assert.include(logs, `group ${job.group}?token=<redacted>`)
    assert.notInclude(logs + JSON.stringify(all), "Biryani")
    assert.notInclude(logs, "hunter2")
  })

  it("is not asked without its variables", async () => {
    received.clear()
    const job = await makeJob(kafka, { SINK: "duckdb", DUCKDB_PATH: join(folder, "quiet.duckdb") })
    const service = start({ ...job.env, BATCH_TIMEOUT: "0.2" })
    await kafka.produce(job.orders, messages(1, order))
    await service.line(/Kafka offsets committed/)
    service.signal("SIGTERM")
    await service.exit
    assert.strictEqual(received.size, 0)
  })
})
