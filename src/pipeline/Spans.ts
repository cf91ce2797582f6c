/**
 * The spans of the flow, named and described as OpenTelemetry's conventions for messaging say; a write is linked to the
 * fetches whose records it carries.
 */
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type { SpanLink } from "effect/Tracer"
import type { Batch } from "../domain/Batch.ts"
import { partitionKey } from "../domain/KafkaRecord.ts"
import type { Fetch } from "../kafka/ConsumerGroup.ts"

/**
 * Spans around the steps of one assignment; it remembers which fetch each record came with, until it is written, while
 * there is tracing.
 */
export const make = (group: string) => {
  const waiting = new Map<string, Array<{ readonly next: number; readonly link: SpanLink }>>()

  /** To be run inside the span of the fetch. */
  const received = (fetch: Fetch): Effect.Effect<void> =>
    Effect.map(Effect.option(Effect.currentSpan), (span) => {
      if (Option.isNone(span) || !span.value.sampled) return
      const line = waiting.get(partitionKey(fetch)) ?? []
      line.push({ next: fetch.next, link: { span: span.value, attributes: {} } })
      waiting.set(partitionKey(fetch), line)
    })

  /** The fetches of a batch; those that are written to their end are forgotten. */
  const links = (batch: Batch): ReadonlyArray<SpanLink> =>
    batch.ranges.flatMap((range) => {
      const line = waiting.get(partitionKey(range)) ?? []
      const count = line.findIndex(({ next }) => next >= range.next) + 1
      const links = line.slice(0, count === 0 ? line.length : count).map(({ link }) => link)
      while ((line[0]?.next ?? Number.POSITIVE_INFINITY) <= range.next) line.shift()
      return links
    })

  return {
    /** `receive raw.orders.v1`: one fetch, until it is queued. */
    aroundFetch:
      (fetch: Fetch) =>
      <A, E, R>(handling: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
        Effect.andThen(received(fetch), handling).pipe(
          Effect.withSpan(`receive ${fetch.topic}`, {
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
          })
        ),

    /** `process ORDERS_RAW`: one batch, until it is accepted; what is left to do with it then has this span above it. */
    aroundBatch:
      (batch: Batch) =>
      <A, E, E2, R>(processing: Effect.Effect<Effect.Effect<A, E2>, E, R>): Effect.Effect<Effect.Effect<A, E2>, E, R> =>
        Effect.suspend(() =>
          Effect.withSpan(Effect.flatMap(processing, withSpanOfHere), `process ${batch.table.name}`, {
            root: true,
            kind: "consumer",
            // What is left to do keeps its span, and the frames of a stack would keep the batch.
            captureStackTrace: false,
            links: [...links(batch)],
            attributes: {
              "messaging.system": "kafka",
              "messaging.operation.type": "process",
              "messaging.consumer.group.name": group,
              "messaging.batch.message_count": batch.outcomes.length
            }
          })
        )
  }
}

const withSpanOfHere = <A, E>(later: Effect.Effect<A, E>): Effect.Effect<Effect.Effect<A, E>> =>
  Effect.map(Effect.context<never>(), (context) => Effect.provide(later, context))

export type Spans = ReturnType<typeof make>

/** `INSERT ORDERS_RAW`: one attempt to write. */
export const aroundTry = (batch: Batch, system: string) =>
  Effect.withSpan(`INSERT ${batch.table.name}`, {
    kind: "client",
    attributes: {
      "db.system.name": system.toLowerCase(),
      "db.operation.name": "INSERT",
      "db.collection.name": batch.table.name,
      "db.operation.batch.size": batch.outcomes.length
    }
  })

/** `commit`: the offsets, in Kafka. */
export const aroundCommit = Effect.withSpan("commit", {
  kind: "client",
  attributes: {
    "messaging.system": "kafka",
    "messaging.operation.type": "settle",
    "messaging.operation.name": "commit"
  }
})
