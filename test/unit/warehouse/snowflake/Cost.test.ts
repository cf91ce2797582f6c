/** What a trickle costs, and a backlog, and what nothing does. */
import { assert, describe, it } from "@effect/vitest"
import * as SnowflakeCost from "../../../../src/warehouse/snowflake/Cost.ts"

/** Credits of an hour in which a write of a second comes each so many seconds. */
const anHour = (every: number): number => {
  const cost = SnowflakeCost.make()
  for (let second = 1; second < 3600; second += every) cost.ran(second * 1000, second * 1000 + 1000)
  return cost.credits(3_600_000)
}

describe("the estimate of credits", () => {
  it("is a whole warehouse where writes come before it would suspend itself", () => {
    assert.closeTo(anHour(5), 1, 0.01)
    assert.closeTo(anHour(59), 1, 0.01)
  })

  it("is a minute for each write that wakes it up", () => {
    assert.closeTo(anHour(300), (12 * 61) / 3600, 0.01)
  })

  it("is nothing where nothing is sent, and no more than the time that has passed", () => {
    const cost = SnowflakeCost.make()
    assert.strictEqual(cost.credits(0), 0)
    cost.ran(1000, 2000)
    assert.closeTo(cost.credits(2000), 1 / 3600, 1e-9)
    assert.closeTo(cost.credits(1e9), 61 / 3600, 1e-9)
  })

  it("counts statements that run side by side once", () => {
    const cost = SnowflakeCost.make()
    for (let writer = 0; writer < 4; writer++) cost.ran(1000, 31_000)
    assert.closeTo(cost.credits(1e9), 90 / 3600, 1e-9)
  })

  it("says what a setting costs a day", () => {
    assert.strictEqual(SnowflakeCost.creditsPerDay(5), 24)
    assert.strictEqual(Math.round(SnowflakeCost.creditsPerDay(300)), 5)
  })
})
