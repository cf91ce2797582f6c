/** The in-memory double keeps the contract too, or tests that use it would prove nothing. */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type { BronzeRow, DeadLetter } from "../../src/domain/Outcome.ts"
import * as MemoryWarehouse from "../support/MemoryWarehouse.ts"
import { routes } from "../support/Outcomes.ts"
import { Inspector, testRoutes } from "./Subject.ts"
import { suite } from "./WarehouseSuite.ts"

const refusedEvent = '{"refused":true}'

const time = (millis: number): string => new Date(millis).toISOString().replace("T", " ").replace("Z", "")

const place = ({ headers, key, offset, partition, timestamp, topic }: BronzeRow | DeadLetter) => ({
  topic,
  partition,
  offset,
  timestamp: time(timestamp),
  key,
  headers
})

suite({
  name: "Memory",
  keepsText: true,
  hasTables: false,
  refusedEvent,
  open: ({ delivery = "exactly-once", routes: given = testRoutes } = {}) =>
    Layer.unwrap(
      Effect.gen(function* () {
        const memory = yield* MemoryWarehouse.make({
          routes: routes(given),
          delivery,
          refuses: (row) => row.event === refusedEvent
        })
        const inspector = Inspector.of({
          rows: (table) =>
            Effect.sync(() =>
              memory
                .rows(table)
                .map((row) => ({ ...place(row), event: row.event, columns: row.columns }))
                .sort((a, b) => a.partition - b.partition || a.offset - b.offset)
            ),
          deadLetters: Effect.sync(() =>
            memory.deadLetters().map((letter) => ({
              ...place(letter),
              table: letter.table,
              payload: letter.payload,
              cause: letter.cause,
              message: letter.message
            }))
          ),
          run: () => Effect.void
        })
        return Layer.merge(memory.layer, Layer.succeed(Inspector, inspector))
      })
    )
})
