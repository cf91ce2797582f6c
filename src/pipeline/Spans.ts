/** The spans of the flow, named and described as OpenTelemetry's conventions for messaging say; a write is linked to the fetches whose records it carries. */
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type { SpanLink, SpanOptions } from "effect/Tracer"
import type { Batch } from "../domain/Batch.ts"
import { partitionKey } from "../domain/KafkaRecord.ts"
import type { Fetch } from "../kafka/ConsumerGroup.ts"

/** `receive raw.orders.v1` */
export const receive = (fetch: Fetch, group: string) => ({
  name: `receive ${fetch.topic}`,
  options: {
    root: true,
    kind: "consumer",
    attributes: {
      "messaging.system": "kafka",
      "messaging.operation.type": "receive",
      "messaging.operation.name": "fetch",
      "messaging.destination.name": fetch.topic,
      "messaging.destination.partition.id": String(fetch.partition),
      "messaging.consumer.group.name": group,
      "messaging.batch.message_count": fetch.records.length,
      "messaging.kafka.offset": fetch.from
    }
  } satisfies SpanOptions
})

/** `process ORDERS_RAW`: one batch, from being taken to its commit. */
export const process = (batch: Batch, group: string, links: ReadonlyArray<SpanLink>) => ({
  name: `process ${batch.table.name}`,
  options: {
    root: true,
    kind: "consumer",
    links: [...links],
    attributes: {
      "messaging.system": "kafka",
      "messaging.operation.type": "process",
      "messaging.consumer.group.name": group,
      "messaging.batch.message_count": batch.outcomes.length
    }
  } satisfies SpanOptions
})

/** `INSERT ORDERS_RAW`: one try. */
export const write = (batch: Batch, system: string) => ({
  name: `INSERT ${batch.table.name}`,
  options: {
    kind: "client",
    attributes: {
      "db.system.name": system.toLowerCase(),
      "db.operation.name": "INSERT",
      "db.collection.name": batch.table.name,
      "db.operation.batch.size": batch.outcomes.length
    }
  } satisfies SpanOptions
})

/** `commit`: the offsets, in Kafka. */
export const commit = {
  name: "commit",
  options: {
    kind: "client",
    attributes: {
      "messaging.system": "kafka",
      "messaging.operation.type": "settle",
      "messaging.operation.name": "commit"
    }
  } satisfies SpanOptions
}

/** Remembers for one assignment which fetch each record came with, until it is written; nothing while there is no tracing. */
export const make = () => {
  const waiting = new Map<string, Array<{ readonly next: number; readonly link: SpanLink }>>()
  return {
    /** To be run inside the span of the fetch. */
    received: (fetch: Fetch): Effect.Effect<void> =>
      Effect.map(Effect.option(Effect.currentSpan), (span) => {
        if (Option.isNone(span) || !span.value.sampled) return
        const line = waiting.get(partitionKey(fetch)) ?? []
        line.push({ next: fetch.next, link: { span: span.value, attributes: {} } })
        waiting.set(partitionKey(fetch), line)
      }),
    /** The fetches of a batch; those that are written to their end are forgotten. */
    links: (batch: Batch): ReadonlyArray<SpanLink> =>
      batch.ranges.flatMap((range) => {
        const line = waiting.get(partitionKey(range)) ?? []
        const count = line.findIndex(({ next }) => next >= range.next) + 1
        const links = line.slice(0, count === 0 ? line.length : count).map(({ link }) => link)
        while ((line[0]?.next ?? Number.POSITIVE_INFINITY) <= range.next) line.shift()
        return links
      })
  }
}
export type Spans = ReturnType<typeof make>
