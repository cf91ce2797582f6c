/** Outcomes and records for tests, with only what matters to the test spelled out. */
import type { KafkaRecord } from "../../src/domain/KafkaRecord.ts"
import type { BronzeRow } from "../../src/domain/Outcome.ts"
import type { Route } from "../../src/domain/Route.ts"
import { parseRoutes } from "../../src/domain/RouteText.ts"

/** A row whose payload may be given as text. */
export type GivenRow = Partial<Omit<BronzeRow, "event">> & { readonly event?: string | Uint8Array | null }

export const row = ({ event = "{}", ...given }: GivenRow): BronzeRow => ({
  _tag: "BronzeRow",
  topic: "raw.orders.v1",
  partition: 0,
  offset: 0,
  timestamp: Date.UTC(2026, 1, 7, 10, 30),
  key: null,
  headers: null,
  event: typeof event === "string" ? Buffer.from(event) : event,
  columns: [null, null],
  bytes: 100,
  ...given
})

/** The text of a payload. */
export const textOf = (event: Uint8Array | null): string | null =>
  event === null ? null : Buffer.from(event).toString("utf8")

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
