/**
 * The alert rules: promtool accepts them, their unit tests pass and would notice each rule's absence, and each says
 * what to do with words that exist.
 */
import { spawn } from "node:child_process"
import { once } from "node:events"
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import * as Schema from "effect/Schema"
import { runCommand, runOrThrow } from "../../../scripts/support/command.ts"
import { projectRoot } from "../../../scripts/support/paths.ts"
import { promtool } from "../../../scripts/support/promtool.ts"
import { metricsOf, unknownIn } from "./expressions.ts"
import { readOne } from "./python.ts"

const Rule = Schema.Struct({
  alert: Schema.String,
  expr: Schema.String,
  for: Schema.optionalKey(Schema.String),
  labels: Schema.Struct({ severity: Schema.Literals(["critical", "warning"]) }),
  annotations: Schema.Struct({ summary: Schema.String, description: Schema.String, runbook_url: Schema.String })
})
type Rule = typeof Rule.Type
const Rules = Schema.Struct({
  groups: Schema.Tuple([Schema.Struct({ name: Schema.String, rules: Schema.Array(Rule) })])
})

const home = join(projectRoot, "deploy/prometheus")
const folder = mkdtempSync(join(tmpdir(), "bronze-alerts-"))
let tool = ""
let rules: ReadonlyArray<Rule> = []

beforeAll(async () => {
  tool = await promtool()
  rules = (await readOne("deploy/prometheus/alerts.yml", Rules)).groups[0].rules
}, 180_000)
afterAll(() => rmSync(folder, { recursive: true, force: true }))

/** The sections of the runbook by their headings. */
const sections = new Map(
  readFileSync(join(projectRoot, "docs/how-to/runbook.md"), "utf8")
    .split(/^## /m)
    .slice(1)
    .map((section) => {
      const end = section.indexOf("\n")
      return [section.slice(0, end), section.slice(end)] as const
    })
)

/** What promtool says of our unit tests when these rules are in place of ours; nothing when it is content. */
const complaintsWith = async (name: string, changed: ReadonlyArray<Rule>): Promise<string> => {
  const place = join(folder, name)
  cpSync(home, place, { recursive: true })
  // JSON is YAML.
  writeFileSync(join(place, "alerts.yml"), JSON.stringify({ groups: [{ name: "changed", rules: changed }] }))
  const { code, output } = await runCommand(tool, ["test", "rules", join(place, "alerts.test.yml")])
  return code === 0 ? "" : output
}

describe("promtool", () => {
  it("accepts the rules and the configuration", async () => {
    assert.include(await runOrThrow(tool, ["check", "rules", join(home, "alerts.yml")]), "SUCCESS")
    assert.include(await runOrThrow(tool, ["check", "config", join(home, "prometheus.yml")]), "SUCCESS")
  })

  it("passes the unit tests", async () => {
    assert.strictEqual(await complaintsWith("same", rules), "")
  })

  it("fails them for each rule that never fires", async () => {
    const never = rules.map((rule) => ({ ...rule, expr: `(${rule.expr}) and vector(1) > 2` }))
    const complaints = await complaintsWith("never", never)
    for (const { alert } of rules) assert.include(complaints, `alertname="${alert}"`)
  })

  it("fails them for each rule that does not wait", async () => {
    const complaints = await complaintsWith(
      "at-once",
      rules.map((rule) => ({ ...rule, for: "0s" }))
    )
    for (const rule of rules) if (rule.for !== undefined) assert.include(complaints, `alertname="${rule.alert}"`)
  })
})

describe("each alert", () => {
  it("asks for metrics that the service has", () => {
    for (const { alert, expr } of rules) {
      assert.deepStrictEqual(unknownIn(expr), [], alert)
      assert.isNotEmpty(metricsOf(expr), alert)
    }
  })

  it("shows labels that its expression keeps", () => {
    for (const { alert, annotations, expr } of rules) {
      const kept = /\bby \(([^)]+)\)/.exec(expr)?.[1]?.split(/, */) ?? ["job", "instance"]
      const shown = [...JSON.stringify(annotations).matchAll(/\$labels\.(\w+)/g)].map(([, label]) => label ?? "")
      assert.includeMembers(kept, shown, alert)
    }
  })

  it("has a section of the runbook, which says what it means, what to look at and what to do, with a command", () => {
    assert.sameMembers(
      [...sections.keys()],
      rules.map(({ alert }) => alert)
    )
    for (const { alert, annotations } of rules) {
      assert.strictEqual(annotations.runbook_url, `docs/how-to/runbook.md#${alert.toLowerCase()}`)
      const section = sections.get(alert) ?? ""
      for (const part of ["Means", "Look", "Do"])
        assert.match(section, new RegExp(`^\\*\\*${part}\\.\\*\\* \\S`, "m"), alert)
      assert.match(section, /^npx bronze-consumer \w/m, alert)
    }
  })

  it("says what to do first: a command that the service understands", async () => {
    const commands = rules.map(({ alert, annotations: { description, summary } }) => {
      assert.isAbove(summary.length, 10, alert)
      const [, command] = /First: `bronze-consumer ([^`]+)`/.exec(description) ?? []
      assert.isDefined(command, alert)
      return command ?? ""
    })
    // What is understood gets as far as the settings; what is not ends with 64.
    const env = { PATH: process.env["PATH"] ?? "", LOG_FILE: "", SINK: "none", KAFKA_BOOTSTRAP_SERVERS: "?" }
    await Promise.all(
      [...new Set(commands)].map(async (command) => {
        const child = spawn(process.execPath, ["dist/main.js", ...command.split(" ")], { cwd: projectRoot, env })
        const [code] = await once(child, "exit")
        assert.include([1, 78], code, command)
      })
    )
  }, 120_000)
})
