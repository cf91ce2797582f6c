/** The in-memory double keeps the contract too, or tests that use it would prove nothing. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Queue from "effect/Queue"
import type { BronzeRow, DeadLetter } from "../../../src/domain/Outcome.ts"
import * as MemoryWarehouse from "../../support/MemoryWarehouse.ts"
import { routes, textOf } from "../../support/Outcomes.ts"
import { batchOf, claimAll } from "../../support/warehouse/batches.ts"
import { Inspector, testRoutes } from "../../support/warehouse/Subject.ts"
import { suite } from "../../support/warehouse/WarehouseSuite.ts"

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
  widest: "9".repeat(38),
  hasTables: false,
  refusedEvent,
  open: ({ delivery = "exactly-once", routes: given = testRoutes } = {}) =>
    Layer.unwrap(
      Effect.gen(function* () {
        const memory = yield* MemoryWarehouse.make({
          routes: routes(given),
          delivery,
          refuses: ({ event }) => textOf(event) === refusedEvent
        })
        const inspector = Inspector.of({
          rows: (table) =>
            Effect.sync(() =>
              memory
                .rows(table)
                .map((row) => ({ ...place(row), event: textOf(row.event), columns: row.columns }))
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
          // Its writes are whole or not there, so that is where one can be held.
          holdCommit: Effect.map(memory.hangNext, (release) => ({
            reached: Effect.asVoid(Queue.take(memory.attempts)),
            release
          })),
          run: () => Effect.void
        })
        return Layer.merge(memory.layer, Layer.succeed(Inspector, inspector))
      })
    )
})

describe("Memory", () => {
  it.effect("fails as told: before anything is applied, or after it, when only the reply is lost", () =>
    Effect.gen(function* () {
      const memory = yield* MemoryWarehouse.make()
      const write = Effect.gen(function* () {
        const claimed = yield* claimAll()
        return yield* Effect.flip(memory.warehouse.write(batchOf("ORDERS_RAW", claimed, [{ offset: 0 }])))
      }).pipe(Effect.provide(memory.layer))
      const away = MemoryWarehouse.error("unavailable")
      yield* memory.failNext(away, { error: away, applied: true })
      assert.strictEqual((yield* write).reason, "unavailable")
      assert.strictEqual(memory.rows("ORDERS_RAW").length, 0)
      assert.strictEqual((yield* write).reason, "unavailable")
      assert.strictEqual(memory.rows("ORDERS_RAW").length, 1)
      assert.strictEqual(memory.ledger()[0]?.next, 1)
    })
  )

  it.effect("hangs as told, until it is let go", () =>
    Effect.gen(function* () {
      const memory = yield* MemoryWarehouse.make()
      const claimed = yield* Effect.provide(claimAll(), memory.layer)
      const letGo = yield* memory.hangNext
      const writing = yield* Effect.forkChild(memory.warehouse.write(batchOf("ORDERS_RAW", claimed, [{ offset: 0 }])))
      yield* Queue.take(memory.attempts)
      assert.strictEqual(memory.rows("ORDERS_RAW").length, 0)
      yield* letGo
      yield* Fiber.join(writing)
      yield* Queue.take(memory.landed)
      assert.strictEqual(memory.rows("ORDERS_RAW").length, 1)
    })
  )
})
