/**
 * The part that measures what it costs to make JSON of Avro and Protobuf: the same orders in each format, read by the
 * service over the streaming API, with a registry that answers at once.
 */
import { once } from "node:events"
import { createServer } from "node:http"
import type { AddressInfo } from "node:net"
import { onSnowflake, type Part, sideBySide } from "./Bench.ts"
import { schemas } from "./Encoders.ts"
import * as Load from "./Load.ts"
import { type Format, topicOf } from "./Orders.ts"

export const subjects: Readonly<Record<Format, string>> = {
  json: "the service, streaming, JSON",
  avro: "the service, streaming, Avro",
  protobuf: "the service, streaming, Protobuf"
}

const startRegistry = async () => {
  const server = createServer(({ url = "" }, response) => {
    const found = schemas[Number(/^\/schemas\/ids\/(\d+)/.exec(url)?.[1] ?? 0) - 1]
    response.writeHead(found === undefined ? 404 : 200, { "content-type": "application/json" })
    response.end(JSON.stringify(found ?? { error_code: 40403, message: "none" }))
  }).listen(0, "127.0.0.1")
  await once(server, "listening")
  const { port } = server.address() as AddressInfo
  return { url: `http://127.0.0.1:${port}`, stop: () => server.close() }
}

const formats: Part = {
  name: "formats",
  about: "orders of 10 fields in JSON, Avro and Protobuf, over the streaming API, while the backlog lasts",
  runs: "always",
  run: async (bench) => {
    const registry = await startRegistry()
    const over = (format: Format) => async (share: number) => {
      const topic = topicOf(bench.events, { partitions: 8, format })
      await Load.fill(bench.bootstrap, topic, bench.say)
      return onSnowflake(bench, {
        ...{ topic, streaming: { durable: 0 }, steady: true },
        ...(format !== "json" && { settings: { SCHEMA_REGISTRY_URL: registry.url } }),
        events: Math.round(bench.events * share),
        seconds: 120
      })
    }
    try {
      return await sideBySide(bench, formats.name, [
        [subjects.json, over("json")],
        [subjects.avro, over("avro")],
        [subjects.protobuf, over("protobuf")]
      ])
    } finally {
      registry.stop()
    }
  }
}

export const parts: ReadonlyArray<Part> = [formats]
