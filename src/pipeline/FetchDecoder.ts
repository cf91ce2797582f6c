/**
 * Turns a fetch into the outcomes of its table, by the route of its topic: every offset that it stands for is passed by
 * one of them. The schemas that its records name are found first, which may take as long as the registry is
 * unreachable; then decoding is one step.
 */
import * as Effect from "effect/Effect"
import { keptBytes } from "../domain/DeadLetters.ts"
import { withoutRegistry } from "../domain/Format.ts"
import { heldBytes, type Outcome } from "../domain/Outcome.ts"
import type { Route, Table } from "../domain/Route.ts"
import type { Fetch } from "../kafka/ConsumerGroup.ts"
import type { Schemas } from "../schema/Schemas.ts"
import { isStreaming, type Settings } from "../settings/Settings.ts"
import * as Decode from "./Decode.ts"
import * as NamedSchemas from "./NamedSchemas.ts"
import type { SchemaLookup } from "./Payload.ts"

/** What came of one fetch, or of the next part of it. */
export interface Decoded {
  readonly table: Table
  readonly outcomes: ReadonlyArray<Outcome>
  /** What they take together in the byte budget. */
  readonly bytes: number
}

/** Decodes a fetch and hands on what came of it, part by part and in order. */
type DecodeFetch = (fetch: Fetch, hand: (decoded: Decoded) => Effect.Effect<void>) => Effect.Effect<void>

export const make = (settings: Settings["Service"], schemas: Schemas["Service"]): DecodeFetch => {
  const decoders = new Map(settings.routes.map((route) => [route.topic, decoder(route, settings)]))
  const find = NamedSchemas.finder(schemas)
  return Effect.fnUntraced(function* (fetch, hand) {
    const { from, next, partition, records, topic } = fetch
    const decode = decoders.get(topic)
    if (decode === undefined) return yield* Effect.die(new Error(`no route for topic ${topic}`))
    const lookup = yield* find(NamedSchemas.idsIn(records, settings.formats.get(topic) ?? withoutRegistry))
    let start = 0
    do {
      const { end, ...decoded } = yield* Effect.sync(() => decode(fetch, start, lookup)).pipe(
        // Decoding is total: this is a fault in the service, and the log has to say where to look.
        Effect.tapDefect(() =>
          Effect.logError(`Could not decode: topic=${topic} partition=${partition} offsets=${from}..${next - 1}`)
        ),
        Effect.withSpan("decode")
      )
      yield* hand(decoded)
      start = end
    } while (start < records.length)
  })
}

/**
 * So much is decoded before it is handed on: a schema can make much JSON of few bytes, and only what was handed on is in
 * the byte budget.
 */
const maxPart = 8 * 1024 * 1024

/** Offsets that Kafka itself used at the end of a fetch become a skip, so that they are committed as well. */
const decoder = (route: Route, { formats, sink, tombstones }: Settings["Service"]) => {
  const { table, topic } = route
  const decode = Decode.make(route, {
    tombstones,
    maxKept: keptBytes[sink._tag],
    format: formats.get(topic),
    uniqueKeys: isStreaming(sink)
  })
  return ({ next, partition, records }: Fetch, start: number, schemas: SchemaLookup) => {
    const outcomes: Array<Outcome> = []
    let bytes = 0
    let end = start
    const put = (outcome: Outcome): void => {
      outcomes.push(outcome)
      bytes += heldBytes(outcome)
    }
    while (end < records.length && bytes < maxPart) {
      const record = records[end++]
      if (record === undefined) break
      put(decode(record, schemas))
    }
    if (end === records.length && records.at(-1)?.offset !== next - 1)
      put({ _tag: "Skip", topic, partition, offset: next - 1, reason: "control", bytes: 0 })
    return { table, outcomes, bytes, end }
  }
}
