/**
 * The rows of the benchmark's events in memory, as the service's own decoder makes them, for the subjects that are fed
 * from memory.
 */

import type { BronzeRow } from "../src/domain/Outcome.ts"
import type { Table } from "../src/domain/Route.ts"
import { parseRoutes } from "../src/domain/RouteText.ts"
import * as Decode from "../src/pipeline/Decode.ts"
import { order, routeOf, topicOf, userOf } from "./Orders.ts"

const { bytes, name: topic } = topicOf(1_000_000)
const [route] = parseRoutes(routeOf(topic)).routes
if (route === undefined) throw new Error("the benchmark's route is no route")

export const table: Table = route.table

/** Rows of one partition, from this offset on. */
export const make = (count: number, from: number): ReadonlyArray<BronzeRow> => {
  const decode = Decode.make(route, { tombstones: "insert" })
  return Array.from({ length: count }, (_, index) =>
    decode({
      ...{ topic, partition: 0, offset: from + index, timestamp: 1_770_000_000_000 + index, headers: {} },
      key: Buffer.from(String(userOf(from + index))),
      value: Buffer.from(order(from + index, bytes))
    })
  ).flatMap((outcome) => (outcome._tag === "BronzeRow" ? [outcome] : []))
}
