/** What the commands print fits the terminal, leaves nothing out without an ellipsis, and is whole in a pipe. */
import { assert, describe, it } from "@effect/vitest"
import * as CliOutput from "effect/cli/CliOutput"
import { render as renderAudit } from "../../../../src/cli/audit/Audit.ts"
import type { AuditReport } from "../../../../src/cli/audit/Report.ts"
import { render as renderConfig } from "../../../../src/cli/ConfigCheck.ts"
import * as Show from "../../../../src/cli/dlq/Show.ts"
import { render as renderDoctor } from "../../../../src/cli/doctor/Doctor.ts"
import { bad, good } from "../../../../src/cli/doctor/Finding.ts"
import * as Query from "../../../../src/cli/Query.ts"
import type { StatusReport } from "../../../../src/cli/status/Report.ts"
import { frame, render as renderStatus } from "../../../../src/cli/status/View.ts"
import * as Layout from "../../../../src/cli/support/Layout.ts"
import type { StoredDeadLetter } from "../../../../src/domain/DeadLetters.ts"

const topic = `raw.${"orders-".repeat(30)}`.padEnd(249, "v")
const tableName = `${"LONG_TABLE_".repeat(20)}RAW`
const sentence = `${topic}/0: 3 offsets lost: neither row, dead letter nor counted skip, among ${"1-2, ".repeat(40)}7`
const painted = (columns: number) => ({ green: String, red: String, yellow: String, dim: String, columns })

const status: StatusReport = {
  ...{
    at: 1,
    group: "g".repeat(120),
    delivery: "exactly-once",
    target: `DuckDB file /data/${"deep/".repeat(30)}raw.db`
  },
  service: { url: "http://127.0.0.1:9464", startedAt: 0 },
  partitions: [0, 1].map((partition) => ({
    ...{ topic, partition, low: 1_234_567_890, high: 9_876_543_210, stable: 9_876_543_210, next: 9_876_543_200 },
    ...{ source: "committed", lag: 10, waiting: 0, problem: null }
  })),
  ...{ lag: 20, problems: [sentence], notes: [sentence] },
  tables: [{ table: tableName, rows: 1_234_567, lastWriteAt: 1 }]
}
const place = {
  rows: 1_000_000,
  offsets: 1_000_000,
  first: 0,
  last: 999_999,
  deadLetters: 0,
  waiting: 0,
  duplicates: 0
}
const audit: AuditReport = {
  ...{
    at: 1,
    group: "g",
    delivery: "exactly-once",
    target: status.target ?? "",
    problems: [sentence],
    notes: [sentence]
  },
  partitions: [topic, "raw.clicks.v1"].map((topic) => ({
    ...{ ...place, topic, partition: 0, table: tableName, missing: 3, gaps: [], low: 0, high: 1_000_003 },
    ...{ committed: 1_000_003, lag: 0, problems: [], notes: [] },
    ledger: { start: 0, next: 1_000_003, skipped: 3, epoch: 7, owner: `host-${"x".repeat(60)}-end` }
  }))
}
const letter: StoredDeadLetter = {
  ...{ topic, partition: 11, offset: 123_456_789, table: tableName, timestamp: 0, key: null, headers: null },
  ...{ cause: "unknown_schema", message: sentence, bytes: 12, truncated: false, payload: null, ingestedAt: 0 },
  replayedAt: null
}
const findings = [
  good("warehouse: tables", sentence),
  bad(
    "consumer group",
    sentence,
    `bronze-consumer reset ${topic} --to earliest`,
    `bronze-consumer reset raw.orders.v1 ${"--to earliest ".repeat(9)}--dry-run`,
    "Set A to B, or C to D. ".repeat(9)
  )
]
const many = Array.from({ length: 20 }, (_, index) => `COLUMN_${index}`)
const result = {
  columns: [...many, "RAW_EVENT"],
  rows: [[...many.map((_, index) => 10 ** index), JSON.stringify({ é: "味噌".repeat(200), topic })]],
  truncated: true
}

const config = {
  settings: [
    {
      name: "BRONZE_ROUTES",
      value: `${topic}=${tableName}`,
      source: `/etc/${"deep/".repeat(20)}bronze.yaml:12`,
      isDefault: false
    },
    { name: "SNOWFLAKE_PRIVATE_KEY_PASSPHRASE", value: "", source: "environment", isDefault: false }
  ],
  problems: [sentence],
  warnings: [sentence]
}

const printed: ReadonlyArray<readonly [name: string, print: (columns: number) => string]> = [
  ["status", (columns) => renderStatus(status, painted(columns))],
  ["audit", (columns) => renderAudit(audit, painted(columns))],
  ["dlq list", (columns) => Show.list([letter, { ...letter, message: null }], 1, columns)],
  ["doctor", (columns) => renderDoctor(findings, painted(columns))],
  ["query", (columns) => Query.table(result, columns)],
  ["config check", (columns) => renderConfig(config, painted(columns))]
]

describe("in a terminal", () => {
  for (const [name, print] of printed)
    for (const columns of [60, 80, 100, 200])
      it(`of ${columns} columns no line of ${name} is wider`, () => {
        const lines = print(columns).split("\n")
        for (const line of lines) assert.isAtMost(CliOutput.displayWidth(line), columns, line)
      })

  it("status --watch is no wider either", () => {
    for (const columns of [60, 80, 100])
      for (const line of frame([status], { columns, rows: 40 }, painted(columns)))
        assert.isAtMost(CliOutput.displayWidth(line), columns, line)
  })

  it("every number and every name of a column is there; names keep both ends", () => {
    const text = renderAudit(audit, painted(80))
    for (const word of ["LOG START", "COMMITTED", "OWNER", "1,000,003", "raw.clicks.v1"]) assert.include(text, word)
    assert.match(text, /raw\.orders-\S*…\S*vvv/)
    assert.match(Show.list([letter], 1, 80), /…\S*\/11@123456789/)
    for (const column of many) assert.include(Query.table(result, 80), column)
    assert.include(Query.table(result, 80), String(10 ** 19))
  })

  it("sentences are whole, over several lines; a command of several lines is still one", () => {
    const joined = (text: string) => text.replace(/\s+/g, "")
    assert.include(joined(renderStatus(status, painted(80))), joined(sentence))
    assert.include(joined(renderAudit(audit, painted(100))), joined(sentence))
    const advice = renderDoctor(findings, painted(80))
    assert.include(joined(advice), joined(sentence))
    const [, command = ""] = /or (bronze-consumer reset raw\.orders\.v1 [\s\S]*?--dry-run)/.exec(advice) ?? []
    assert.isAbove(command.split("\n").length, 2)
    for (const line of command.split("\n").slice(0, -1)) assert.match(line, / \\$/)
  })
})

describe("in a pipe", () => {
  for (const [name, print] of printed)
    it(`all of ${name} is there, one row a line`, () => {
      const text = print(Number.POSITIVE_INFINITY)
      assert.notInclude(text, "…")
      assert.include(text, topic)
      if (name !== "query") assert.include(text, sentence)
      if (name === "audit") assert.include(text, `host-${"x".repeat(60)}-end`)
      if (name === "query") assert.strictEqual(text.split("\n").length, 4)
    })
})

describe("a layout", () => {
  it("shortens a name in its middle, a sentence at its end, and counts what is seen", () => {
    assert.strictEqual(Layout.shorten("raw.orders.v1", 8), "raw.….v1")
    assert.strictEqual(Layout.shorten("not at all JSON", 8), "not at …")
    assert.strictEqual(Layout.shorten("味噌味噌", 5), "味…噌")
    assert.strictEqual(Layout.shorten("raw", 3), "raw")
  })
  it("wraps at blanks, and breaks only a word that fits no line", () => {
    assert.deepStrictEqual(Layout.wrap("one two three", 8, "  "), ["one two", "  three"])
    assert.deepStrictEqual(Layout.wrap("a abcdefghij b", 6, "  "), ["a abcd", "  efgh", "  ij b"])
    assert.deepStrictEqual(Layout.wrap("味味", 1), ["味", "味"])
  })
  it("takes from the widest texts first, then continues rows below themselves", () => {
    const rows = [
      ["NAME", "N", "WHAT"],
      ["a".repeat(30), "1,000", "b".repeat(20)]
    ]
    assert.strictEqual(
      Layout.table(rows, [1], 50).split("\n")[1],
      `${"a".repeat(10)}…${"a".repeat(10)}  1,000  ${"b".repeat(20)}`
    )
    assert.strictEqual(
      Layout.table(rows, [1], 31),
      `NAME\n        N  WHAT\n${"a".repeat(13)}…${"a".repeat(13)}\n    1,000  ${"b".repeat(20)}`
    )
  })
})
