/** The place of a record in a request: `topic/partition@offset`. */
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import * as Coordinates from "../domain/Coordinates.ts"
import type { Position } from "../domain/KafkaRecord.ts"

/** `?at=topic/partition@offset` */
export const Asked = Schema.Struct({ at: Schema.String })

export const parse = (at: string): Effect.Effect<Position, string> => {
  const place = Coordinates.parse(at)
  return place === undefined ? Effect.fail("`at` is topic/partition@offset") : Effect.succeed(place)
}
