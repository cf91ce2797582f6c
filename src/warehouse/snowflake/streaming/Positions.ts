/** What the offset tokens of channels say without opening them: up to where each partition is durable. */
import * as Effect from "effect/Effect"
import type { Position } from "../../../domain/KafkaRecord.ts"
import type { LogPlace } from "../../Warehouse.ts"
import type { WarehouseError } from "../../WarehouseError.ts"
import type { Api } from "./Api.ts"
import * as Channel from "./Channel.ts"
import * as Names from "./Names.ts"

export const make =
  (api: Api, group: string, tables: ReadonlyMap<string, string>) =>
  (places: ReadonlyArray<LogPlace>): Effect.Effect<ReadonlyArray<Position>, WarehouseError> => {
    const wanted = places.flatMap(({ partition, topic, topicId }) => {
      const table = tables.get(topic)
      if (table === undefined) return []
      return [{ topic, partition, ...Names.channelsOf({ group, topic, partition, topicId }, table).rows }]
    })
    const ofPipe = Effect.fnUntraced(function* (pipe: string) {
      const channels = wanted.filter((channel) => channel.pipe === pipe)
      const names = channels.map(({ name }) => name)
      const statuses = yield* api.status(pipe, names)
      return channels.flatMap(({ name, partition, topic }): ReadonlyArray<Position> => {
        const last = Channel.offsetOf(statuses.get(name)?.token ?? null)
        return last === undefined || last < 0 ? [] : [{ topic, partition, offset: last + 1 }]
      })
    })
    return Effect.map(Effect.forEach(new Set(wanted.map(({ pipe }) => pipe)), ofPipe, { concurrency: 4 }), (found) =>
      found.flat()
    )
  }
