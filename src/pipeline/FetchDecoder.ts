/**
 * Turns a fetch into the outcomes of its table, by the route of its topic: every offset that it stands for is passed by
 * one of them. The schemas that its records name are found first, which may take as long as the registry is
 * unreachable; then decoding is one step.
 */
import * as Effect from "effect/Effect"
import { keptBytes } from "../domain/DeadLetters.ts"
import { withoutRegistry } from "../domain/Format.ts"
import type { Outcome } from "../domain/Outcome.ts"
import type { Route, Table } from "../domain/Route.ts"
import type { Fetch } from "../kafka/ConsumerGroup.ts"
import type { Schemas } from "../schema/Schemas.ts"
import type { Settings } from "../settings/Settings.ts"
import * as Decode from "./Decode.ts"
import * as NamedSchemas from "./NamedSchemas.ts"
import type { SchemaLookup } from "./Payload.ts"

/** What came of one fetch. */
export interface Decoded {
  readonly table: Table
  readonly outcomes: ReadonlyArray<Outcome>
  /** What they take together in the byte budget. */
  readonly bytes: number
}

export const make = (
  settings: Settings["Service"],
  schemas: Schemas["Service"]
): ((fetch: Fetch) => Effect.Effect<Decoded>) => {
  const decoders = new Map(settings.routes.map((route) => [route.topic, decoder(route, settings)]))
  const find = NamedSchemas.finder(schemas)
  return (fetch) => {
    const { from, next, partition, topic } = fetch
    const decode = decoders.get(topic)
    if (decode === undefined) return Effect.die(new Error(`no route for topic ${topic}`))
    const format = settings.formats.get(topic) ?? withoutRegistry
    return find(NamedSchemas.idsIn(fetch.records, format)).pipe(
      Effect.map((lookup) => decode(fetch, lookup)),
      // Decoding is total: this is a fault in the service, and the log has to say where to look.
      Effect.tapDefect(() =>
        Effect.logError(`Could not decode: topic=${topic} partition=${partition} offsets=${from}..${next - 1}`)
      ),
      Effect.withSpan("decode")
    )
  }
}

/** Offsets that Kafka itself used at the end of a fetch become a skip, so that they are committed as well. */
const decoder = (route: Route, { formats, sink, tombstones }: Settings["Service"]) => {
  const decode = Decode.make(route, { tombstones, maxKept: keptBytes[sink._tag], format: formats.get(route.topic) })
  return ({ next, partition, records, topic }: Fetch, schemas: SchemaLookup): Decoded => {
    const outcomes = records.map((record) => decode(record, schemas))
    let bytes = 0
    for (const outcome of outcomes) bytes += outcome.bytes
    if (outcomes.at(-1)?.offset !== next - 1)
      outcomes.push({ _tag: "Skip", topic, partition, offset: next - 1, reason: "control", bytes: 0 })
    return { table: route.table, outcomes, bytes }
  }
}
