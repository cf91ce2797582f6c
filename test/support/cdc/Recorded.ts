/** The recorded change events, decoded at the edge. */
import { readFileSync } from "node:fs"
import * as Schema from "effect/Schema"

const Recorded = Schema.Struct({
  name: Schema.String,
  topic: Schema.String,
  key: Schema.NullOr(Schema.String),
  value: Schema.NullOr(Schema.String),
  headers: Schema.Record(Schema.String, Schema.String)
})
export type Recorded = typeof Recorded.Type

const read = <A, I>(file: string, schema: Schema.Codec<A, I>): A =>
  Schema.decodeUnknownSync(Schema.fromJsonString(schema))(readFileSync(new URL(file, import.meta.url), "utf8"))

export const plain = read("debezium-postgres.json", Schema.Array(Recorded))
export const withSchemas = read("debezium-postgres-schemas.json", Schema.Array(Recorded))
/** Keys and values in base64. */
export const avro = read(
  "debezium-postgres-avro.json",
  Schema.Struct({ schemas: Schema.Record(Schema.String, Schema.String), records: Schema.Array(Recorded) })
)

/** Those of one connector, in the order in which they were written. */
export const named = (connector: string, topic: string): ReadonlyArray<Recorded> =>
  plain.filter((record) => record.name.startsWith(`${connector}:`) && record.topic.endsWith(topic))
