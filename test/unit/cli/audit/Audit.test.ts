/**
 * What `audit` finds: every way in which Kafka, rows, dead letters and ledger can disagree, and none where they only
 * seem to.
 */
import * as NodeServices from "@effect/platform-node/NodeServices"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as TestConsole from "effect/testing/TestConsole"
import { audit, render } from "../../../../src/cli/audit/Audit.ts"
import { gather } from "../../../../src/cli/audit/Report.ts"
import type { PartitionCoverage } from "../../../../src/domain/Coverage.ts"
import { Admin } from "../../../../src/kafka/Admin.ts"
import type { CommitNote } from "../../../../src/kafka/CommitNote.ts"
import * as Settings from "../../../../src/settings/Settings.ts"
import { Warehouse } from "../../../../src/warehouse/Warehouse.ts"
import * as MemoryWarehouse from "../../../support/MemoryWarehouse.ts"
import { routes } from "../../../support/Outcomes.ts"
import { batchOf, claimAll, letter, skip } from "../../../support/warehouse/batches.ts"

const topic = "raw.orders.v1"
const plain = { green: String, red: String, yellow: String, dim: String, columns: Number.POSITIVE_INFINITY }

interface Kafka {
  readonly low?: number
  readonly high?: number
  readonly committed?: number
  /** Whether the partition is there at all. */
  readonly missing?: boolean
  readonly topicId?: string
  readonly note?: CommitNote
  /** The offsets that are no records, and those of records without a value. */
  readonly controls?: ReadonlyArray<number>
  readonly tombstones?: ReadonlyArray<number>
}

const kafka = ({
  controls = [],
  tombstones = [],
  committed,
  high = 100,
  low = 0,
  missing = false,
  note,
  topicId
}: Kafka) =>
  Layer.mock(Admin, {
    count: ({ from, to }) =>
      Effect.sync(() => {
        assert.isTrue(from <= to && from >= low && to < high, `${from} to ${to}`)
        const within = Array.from({ length: to - from + 1 }, (_, index) => from + index)
        const records = within.filter((offset) => !controls.includes(offset))
        const values = records.filter((offset) => !tombstones.includes(offset))
        return { records: records.length, tombstones: records.length - values.length, first: values[0] }
      }),
    partitions: (topics) =>
      Effect.succeed(
        topics.map((topic) => ({ topic, partition: 0 })).filter((place) => !missing || place.topic !== topic)
      ),
    ranges: (topics) =>
      Effect.succeed(
        topics.map((name) =>
          name === topic
            ? { topic, partition: 0, low, high, stable: high, topicId }
            : { topic: name, partition: 0, low: 0, high: 0, stable: 0 }
        )
      ),
    committed: () => Effect.succeed(committed === undefined ? [] : [{ topic, partition: 0, offset: committed, note }])
  })

const sound: PartitionCoverage = {
  ...{
    table: "ORDERS_RAW",
    topic,
    partition: 0,
    rows: 95,
    offsets: 95,
    first: 0,
    last: 99,
    deadLetters: 3,
    waiting: 2
  },
  ...{ duplicates: 0, missing: 3, gaps: [{ from: 7, to: 9 }] },
  ledger: { start: 0, next: 100, skipped: 3, epoch: 4, owner: "me" }
}
const ledger = (given: Partial<NonNullable<PartitionCoverage["ledger"]>>) => ({
  ledger: { start: 0, next: 100, skipped: 3, epoch: 4, owner: "me", ...given }
})

const look = (coverage: Partial<PartitionCoverage>, log: Kafka = {}, env: Record<string, string> = {}) =>
  gather.pipe(
    Effect.provide([
      kafka(log),
      Layer.mock(Warehouse, {
        name: "DuckDB",
        writers: 4,
        target: "DuckDB file x",
        ddl: [],
        coverage: Effect.succeed([{ ...sound, ...coverage }])
      })
    ]),
    Effect.provide(Settings.layer),
    Effect.provide(Settings.environment({ SINK: "duckdb", ...env }))
  )

describe("audit finds", () => {
  const wrong: ReadonlyArray<readonly [what: string, said: RegExp, coverage: Partial<PartitionCoverage>, log?: Kafka]> =
    [
      ["what is there twice", /^raw\.orders\.v1\/0: 2 offsets stored more than once/, { duplicates: 2 }],
      [
        "what is lost, with the offsets",
        /2 offsets lost: .*among 7-9, 12, …$/,
        {
          missing: 5,
          gaps: [
            { from: 7, to: 9 },
            { from: 12, to: 12 }
          ]
        }
      ],
      ["rows that the ledger did not count", /counts 3 skipped, but only 1 /, { missing: 1 }],
      ["a ledger behind its rows", /rows up to 99, beyond the ledger \(next 99\)/, ledger({ next: 99 })],
      [
        "a commit ahead of the ledger",
        /committed offset 101 is ahead of the ledger \(next 100\)/,
        {},
        { committed: 101, high: 200 }
      ],
      ["a topic that was recreated, or a log that was cut", /read up to 100, but ends at 5: /, {}, { high: 5 }],
      [
        "a topic that was recreated, and is larger than before",
        /^raw\.orders\.v1\/0: the topic was recreated: partition 0 was read up to offset 100/,
        ledger({ topicId: "old" }),
        { high: 150, topicId: "new" }
      ],
      [
        "a log that was truncated",
        /truncated \(unclean leader election\)$/,
        ledger({ topicId: "one" }),
        { high: 5, topicId: "one" }
      ],
      [
        "the offsets of another ledger",
        /the group has committed 70 with another ledger/,
        { ledger: null, rows: 0, offsets: 0, first: null, last: null, missing: 0, waiting: 0, deadLetters: 0 },
        { committed: 70, note: { kind: "ledger", topicId: undefined } }
      ],
      [
        "records that were gone before they were read",
        /offsets 100 to 149 of partition 0 are no longer in Kafka/,
        {},
        { low: 150, high: 200 }
      ],
      ["rows without a ledger", /95 rows and no ledger of this consumer group/, { ledger: null }],
      ["a topic that is gone", /^Kafka has no topic raw\.orders\.v1$/, {}, { missing: true }]
    ]
  for (const [what, said, coverage, log] of wrong)
    it.effect(what, () =>
      Effect.gen(function* () {
        const { problems } = yield* look(coverage, log)
        assert.match(problems[0] ?? "", said)
        assert.isAtMost(problems.length, 2)
      })
    )

  it.effect(
    "nothing where everything is accounted for: a lag, records that Kafka dropped after they were written, a replayed letter",
    () =>
      Effect.gen(function* () {
        for (const log of [
          { high: 500, committed: 90 },
          { low: 60, committed: 100 },
          { low: 100, high: 100 }
        ]) {
          const { notes, partitions, problems } = yield* look({}, log)
          assert.deepStrictEqual([problems, notes], [[], []])
          assert.strictEqual(partitions[0]?.lag, (log.high ?? 100) - 100)
          // A partition that nobody has touched is shown as well.
          assert.deepInclude(partitions[1], { topic: "raw.clicks.v1", rows: 0, ledger: null })
        }
      })
  )

  it.effect("rows before the ledger began to count, as a remark", () =>
    Effect.gen(function* () {
      const { notes, problems } = yield* look(ledger({ start: 50 }))
      assert.deepStrictEqual(problems, [])
      assert.match(notes.join(), /rows before 50/)
    })
  )
})

describe("audit without a ledger", () => {
  const env = { DELIVERY: "at-least-once" }
  const none = { ledger: null, missing: 0, gaps: [] }

  it.effect("accepts rows up to the committed offset, and allows duplicates", () =>
    Effect.gen(function* () {
      const { notes, problems } = yield* look({ ...none, duplicates: 4 }, { committed: 100, high: 120 }, env)
      assert.deepStrictEqual(problems, [])
      assert.match(notes.join(), /4 offsets stored more than once.*allows that/)
    })
  )

  const holes = { ...none, rows: 97, missing: 3, gaps: [{ from: 7, to: 9 }] }

  it.effect("asks Kafka what is not there: a record is lost, a marker or a skipped tombstone is not", () =>
    Effect.gen(function* () {
      const { notes, problems } = yield* look(holes, { committed: 110, high: 120, controls: [7, 105] }, env)
      assert.deepStrictEqual(problems, [
        "raw.orders.v1/0: 11 records lost: neither row nor dead letter, the first at or after 7"
      ])
      assert.deepStrictEqual(notes, [])
      const log = { committed: 101, high: 120, controls: [7, 100], tombstones: [8, 9] }
      assert.strictEqual((yield* look(holes, log, env)).problems.length, 1)
      const skipping = yield* look(holes, log, { ...env, TOMBSTONES: "skip" })
      assert.deepStrictEqual([skipping.problems, skipping.notes], [[], []])
    })
  )

  it.effect("says of what Kafka no longer has that it is unknown", () =>
    Effect.gen(function* () {
      for (const [low, lost] of [
        [9, 1],
        [50, 0]
      ] as const) {
        const { notes, problems } = yield* look(holes, { committed: 100, low }, env)
        assert.strictEqual(problems.length, lost)
        assert.match(notes.join(), low === 9 ? /2 offsets missing that Kafka no longer has/ : /3 offsets missing/)
      }
    })
  )

  it.effect("reads all from the first gap where not every gap is named", () =>
    Effect.gen(function* () {
      const many = { ...none, rows: 60, missing: 40, gaps: [{ from: 20, to: 20 }] }
      const controls = Array.from({ length: 40 }, (_, index) => 20 + 2 * index)
      assert.deepStrictEqual((yield* look(many, { committed: 100, controls }, env)).problems, [])
      const { problems } = yield* look(many, { committed: 100, controls: controls.slice(1) }, env)
      assert.match(problems[0] ?? "", /1 record lost/)
    })
  )

  it.effect("leaves alone what is not committed: it may be on its way", () =>
    Effect.gen(function* () {
      const flying = { ...none, rows: 97, missing: 3, gaps: [{ from: 95, to: 97 }] }
      assert.deepStrictEqual((yield* look(flying, { committed: 95 }, env)).problems, [])
    })
  )

  it.effect("does not miss what came before a group that began at the end", () =>
    Effect.gen(function* () {
      const empty = { ...none, rows: 0, offsets: 0, first: null, last: null }
      assert.strictEqual(
        (yield* look(empty, { committed: 100 }, { ...env, AUTO_OFFSET_RESET: "latest" })).problems.length,
        0
      )
      assert.strictEqual((yield* look(empty, { committed: 100 }, env)).problems.length, 1)
    })
  )
})

describe("audit as a command", () => {
  const run = (json: boolean, high: number) =>
    Effect.gen(function* () {
      const memory = yield* MemoryWarehouse.make({
        routes: routes("raw.orders.v1=ORDERS_RAW,raw.clicks.v1=CLICKS_RAW")
      })
      const claimed = yield* Effect.provide(claimAll(), memory.layer)
      yield* memory.warehouse.write(
        batchOf("ORDERS_RAW", claimed.slice(0, 1), [{ offset: 0 }, letter({ offset: 1 }), skip({ offset: 2 })])
      )
      const exit = yield* Effect.exit(audit({ json })).pipe(
        Effect.provide([kafka({ high, committed: 3 }), memory.layer, NodeServices.layer]),
        Effect.provide(Settings.layer),
        Effect.provide(Settings.environment({ SINK: "duckdb" }))
      )
      return { code: exit._tag, out: String((yield* TestConsole.logLines).at(-1)) }
    })

  it.effect("prints a table and exits with 0", () =>
    Effect.gen(function* () {
      const { code, out } = yield* run(false, 1010)
      assert.strictEqual(code, "Failure", "partition 1 of the ledger is not in this Kafka")
      assert.match(out, /^✓ {2}raw\.orders\.v1 +0 +0 +1,010 +1 +1 +1 +1 +0 +0 +3 +3 +1,007 +1 {2}member-1$/m)
      assert.match(out, /^✗ raw\.orders\.v1\/1: the ledger has this partition, but Kafka does not$/m)
    })
  )

  it.effect("--json is one object with its verdict", () =>
    Effect.gen(function* () {
      const report = JSON.parse((yield* run(true, 3)).out)
      assert.strictEqual(report.ok, false)
      assert.deepInclude(report.partitions[0], { rows: 1, waiting: 1, missing: 1, lag: 0, problems: [] })
    })
  )

  it.effect("says that it is OK", () =>
    Effect.gen(function* () {
      const text = render(yield* look({}), plain)
      assert.match(text, /✓ OK: 95 rows, 2 dead letters, 0 pending$/)
    })
  )
})
