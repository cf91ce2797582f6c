/**
 * The short form of the chaos suite, with a seed that stays the same: one round on each warehouse, with what breaks
 * exactly-once first.
 */
import { assert, describe, it } from "vitest"
import { missing, run } from "./Chaos.ts"
import { scenarios } from "./Scenarios.ts"

const seed = 20_261_123
/**
 * On Snowflake: every kill point, the zombies, and the faults whose outcome is unclear. The long run does all there is.
 */
const onSnowflake = /^SIG|lost_reply|gone|reset|lock_limit/
const onDuckDb = /SIG|backlog/

describe.each([
  ["snowflake", onSnowflake],
  ["duckdb", onDuckDb]
] as const)("chaos on %s", (sink, wanted) => {
  it("loses and duplicates nothing, whatever is killed or fails", async () => {
    const chosen = scenarios.filter(
      ({ isSlow, name, sinks }) => isSlow !== true && sinks.includes(sink) && wanted.test(name)
    )
    const log: Array<string> = []
    const report = await run({
      ...{ seed, sinks: [sink], scenarios: chosen, perRound: chosen.length, limit: 0 },
      say: (line) => void log.push(line)
    })
    assert.deepStrictEqual(report.problems, [], `seed ${seed}\n${log.join("\n")}`)
    assert.deepStrictEqual(missing(report, chosen), [], "each fault did happen")
    assert.isAbove(report.records, 500)
    assert.deepStrictEqual([report.duplicates, report.gaps], [0, 0])
  })
})
