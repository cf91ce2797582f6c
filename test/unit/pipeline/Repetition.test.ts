/**
 * The log stays readable when the same thing goes wrong again and again: said when it begins, then now and then, and
 * counted.
 */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { partition, pass, records, start } from "../../support/Flow.ts"
import * as Lines from "../../support/Lines.ts"
import * as MemoryWarehouse from "../../support/MemoryWarehouse.ts"
import { record } from "../../support/Outcomes.ts"

describe("the log", () => {
  it.effect("of a warehouse that is unreachable for ten minutes has tens of lines, however many writes wait", () => {
    const log = Lines.make()
    return Effect.gen(function* () {
      const flow = yield* start()
      const assignment = yield* flow.kafka.assign([0, 1, 2, 3].map((number) => partition(number)))
      yield* flow.warehouse.failNext(...Array.from({ length: 4000 }, () => MemoryWarehouse.error("unavailable")))
      for (const number of [0, 1, 2, 3]) yield* assignment.deliver(records(0, 100, { partition: number }))
      yield* pass(600)
      const errors = log.lines.filter((line) => line.startsWith("Error"))
      assert.isAtLeast(errors.length, 15, "it is said again and again")
      assert.isAtMost(errors.length, 30)
      assert.match(errors[0] ?? "", /Failed to insert 100 orders into Memory: .* Retrying; nothing is lost/)
      assert.match(errors.at(-1) ?? "", /\(for 5\d\d s\)/)
    }).pipe(Effect.provide(log.layer))
  })

  it.effect("of many bad records tells ten of each sort, then how many more there were", () => {
    const log = Lines.make()
    return Effect.gen(function* () {
      const flow = yield* start()
      const assignment = yield* flow.kafka.assign([partition(0)])
      const broken = (from: number, count: number, value: string | Uint8Array) =>
        Array.from({ length: count }, (_, index) => record({ offset: from + index, value }))
      yield* assignment.deliver([...broken(0, 500, "{"), ...broken(500, 3, Uint8Array.of(0xff))])
      const told = () => log.lines.filter((line) => line.includes("Bad record"))
      assert.lengthOf(told(), 13)
      yield* pass(61)
      assert.deepStrictEqual(told().slice(13), [
        "Error Bad records: 490 more within a minute, topic=raw.orders.v1 cause=not_json; all are kept as dead letters (bronze-consumer dlq list)"
      ])
      yield* assignment.deliver(broken(503, 1, "{"))
      assert.lengthOf(told(), 15, "a new minute starts again")
    }).pipe(Effect.provide(log.layer))
  })
})
