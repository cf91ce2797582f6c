/** Outcomes and records for tests, with only what matters to the test spelled out. */
import type { KafkaRecord } from "../../src/domain/KafkaRecord.ts"
import type { BronzeRow } from "../../src/domain/Outcome.ts"
import { parseRoutes, type Route } from "../../src/domain/Route.ts"

export const row = (given: Partial<BronzeRow>): BronzeRow => ({
  _tag: "BronzeRow",
  topic: "raw.orders.v1",
  partition: 0,
  offset: 0,
  timestamp: Date.UTC(2026, 1, 7, 10, 30),
  key: null,
  headers: null,
  event: "{}",
  columns: [null, null],
  bytes: 100,
  ...given
})

export const record = (
  given: Partial<Omit<KafkaRecord, "value">> & { readonly value?: string | Uint8Array | null }
): KafkaRecord => ({
  topic: "raw.orders.v1",
  partition: 0,
  offset: 0,
  timestamp: Date.UTC(2026, 1, 7, 10, 30),
  key: null,
  headers: {},
  ...given,
  value: typeof given.value === "string" ? Buffer.from(given.value) : (given.value ?? null)
})

export const routes = (text: string): ReadonlyArray<Route> => parseRoutes(text).routes

export const route = (text: string): Route => {
  const [first] = routes(text)
  if (first === undefined) throw new Error(`no route in ${text}`)
  return first
}
