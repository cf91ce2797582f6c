/**
 * The Grafana dashboard: every panel can be read and drawn, asks for metrics that the service has, none of those is
 * left out, and what is chosen above it reaches each panel that it can narrow.
 */
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterAll, assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as PrometheusMetrics from "effect/observability/PrometheusMetrics"
import * as Schema from "effect/Schema"
import * as TestClock from "effect/testing/TestClock"
import { runOrThrow } from "../../../scripts/support/command.ts"
import { projectRoot } from "../../../scripts/support/paths.ts"
import { promtool } from "../../../scripts/support/promtool.ts"
import { names } from "../../../src/observe/Metrics.ts"
import { partition, pass, records, start } from "../../support/Flow.ts"
import * as MemoryWarehouse from "../../support/MemoryWarehouse.ts"
import { record } from "../../support/Outcomes.ts"
import { labelOf, metricsOf, unknownIn } from "./expressions.ts"
import { readOne } from "./python.ts"

const Text = Schema.String.check(Schema.isNonEmpty())
const Source = Schema.Struct({ type: Schema.Literal("prometheus"), uid: Schema.Literal(`\${datasource}`) })
const Place = Schema.Struct({ x: Schema.Int, y: Schema.Int, w: Schema.Int, h: Schema.Int })
const Row = Schema.Struct({ type: Schema.Literal("row"), id: Schema.Int, title: Text, gridPos: Place })
const Panel = Schema.Struct({
  type: Schema.Literals(["stat", "timeseries", "state-timeline", "table"]),
  id: Schema.Int,
  title: Text,
  description: Text,
  datasource: Source,
  gridPos: Place,
  targets: Schema.Array(Schema.Struct({ refId: Text, datasource: Source, expr: Text, legendFormat: Schema.String })),
  fieldConfig: Schema.Struct({ defaults: Schema.Struct({ unit: Text }) })
})
/** What Prometheus is asked for, so that one or more of it can be chosen. */
const Choice = Schema.Struct({
  type: Schema.Literal("query"),
  name: Text,
  datasource: Source,
  definition: Text,
  query: Schema.Struct({ query: Text }),
  includeAll: Schema.Literal(true),
  multi: Schema.Literal(true)
})
const Variable = Schema.Struct({ type: Schema.Literals(["datasource", "textbox"]), name: Text })
const Dashboard = Schema.Struct({
  uid: Schema.Literal("bronze-consumer"),
  panels: Schema.Array(Schema.Union([Row, Panel])),
  links: Schema.Array(Schema.Struct({ title: Text, type: Schema.Literal("link"), url: Text })),
  templating: Schema.Struct({ list: Schema.Array(Schema.Union([Choice, Variable])) }),
  annotations: Schema.Struct({ list: Schema.Array(Schema.Struct({ datasource: Source, expr: Text })) })
})

const file = join(projectRoot, "deploy/grafana/dashboard.json")
const dashboard = Schema.decodeUnknownSync(Schema.fromJsonString(Dashboard))(readFileSync(file, "utf8"))
const panels = dashboard.panels.filter((panel) => panel.type !== "row")
const expressions = [...panels.flatMap(({ targets }) => targets), ...dashboard.annotations.list].map(({ expr }) => expr)
const choices = dashboard.templating.list.filter((variable) => variable.type === "query")
/** Each metric that an expression asks for, with the labels by which it is narrowed. */
const selected = panels.flatMap(({ targets, title }) =>
  targets.flatMap(({ expr }) =>
    [...expr.matchAll(/\b((?:bronze|process|nodejs)_\w+)(?:\{([^}]*)\})?/g)].map(([, series = "", labels = ""]) => ({
      title,
      metric: metricsOf(series)[0] ?? series,
      labels: labels.split(/, */)
    }))
  )
)
const folder = mkdtempSync(join(tmpdir(), "bronze-dashboard-"))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

describe("the dashboard", () => {
  it("has rows in the order in which one looks, and panels that do not lie on each other", () => {
    assert.deepStrictEqual(
      dashboard.panels.filter(({ type }) => type === "row").map(({ title }) => title),
      ["At a glance", "Flow", "Latency", "Errors", "Snowpipe Streaming", "Process"]
    )
    assert.strictEqual(new Set(dashboard.panels.map(({ id }) => id)).size, dashboard.panels.length)
    const taken = new Map<string, string>()
    for (const { gridPos, title } of dashboard.panels) {
      assert.isAtMost(gridPos.x + gridPos.w, 24, title)
      for (let x = gridPos.x; x < gridPos.x + gridPos.w; x++)
        for (let y = gridPos.y; y < gridPos.y + gridPos.h; y++) {
          assert.isUndefined(taken.get(`${x},${y}`), `${title} lies on ${taken.get(`${x},${y}`)}`)
          taken.set(`${x},${y}`, title)
        }
    }
  })

  it("shows every metric of the service, and no other", () => {
    assert.deepStrictEqual(expressions.flatMap(unknownIn), [])
    const asked = expressions.flatMap(metricsOf)
    assert.deepStrictEqual(
      names.filter((name) => !asked.includes(name)),
      []
    )
  })

  it("tells the lines of a panel apart by labels that their expressions keep", () => {
    for (const { targets, title } of panels) {
      const legends = targets.map(({ legendFormat }) => legendFormat)
      assert.strictEqual(new Set(legends).size, legends.length, title)
      for (const { expr, legendFormat } of targets) {
        const kept = /\bby \(([^)]+)\)/.exec(expr)?.[1]?.split(/, */) ?? ["instance"]
        assert.includeMembers(
          kept,
          [...legendFormat.matchAll(/{{(\w+)}}/g)].map(([, label]) => label ?? ""),
          title
        )
      }
    }
  })

  it("lets one choose jobs, topics and tables, of series that the service has", () => {
    assert.deepStrictEqual(
      choices.map(({ name }) => name),
      ["job", "topic", "table"]
    )
    for (const { definition, name, query } of choices) {
      assert.strictEqual(query.query, definition)
      const [, series = "", label] = /^label_values\((\w+)(?:\{job=~"\$job"\})?,(\w+)\)$/.exec(definition) ?? []
      assert.strictEqual(label, name)
      assert.isNotEmpty(metricsOf(series), definition)
      // What the choices come from is there from the start, and has that label.
      if (name !== "job")
        assert.include(
          names.filter((metric) => labelOf(metric) === name),
          series
        )
    }
  })

  it.effect("knows which metrics of the service have a topic or a table", () =>
    Effect.gen(function* () {
      const flow = yield* start({ env: { TOMBSTONES: "skip" } })
      const assignment = yield* flow.kafka.assign([partition(0, { high: 5 })])
      yield* flow.warehouse.failNext(MemoryWarehouse.error("unavailable"))
      yield* assignment.deliver([
        ...records(0, 3),
        record({ offset: 3, value: "{" }),
        record({ offset: 4, value: null })
      ])
      yield* TestClock.adjust("5 seconds")
      yield* pass(10)
      const text = PrometheusMetrics.formatUnsafe(flow.progress.registry)
      const labelled = [...text.matchAll(/^(\w+)\{.*?\b(topic|table)=/gm)].map(
        ([, series = "", label = ""]) => `${metricsOf(series)[0]} ${label}`
      )
      assert.sameMembers(
        [...new Set(labelled)],
        names.flatMap((name) => (labelOf(name) === undefined ? [] : [`${name} ${labelOf(name)}`]))
      )
    })
  )

  it("narrows each series by what is chosen, where it has such a label", () => {
    for (const { labels, metric, title } of selected) {
      const label = labelOf(metric)
      assert.deepStrictEqual(
        labels,
        [`job=~"$job"`, ...(label === undefined ? [] : [`${label}=~"$${label}"`])],
        `${title}: ${metric}`
      )
    }
  })

  it("links to documents that exist", () => {
    assert.isNotEmpty(dashboard.links)
    for (const { title, url } of dashboard.links) {
      const [, path] = /^\${docs}\/(docs\/.+\.md)$/.exec(url) ?? []
      assert.isTrue(path !== undefined && existsSync(join(projectRoot, path)), `${title}: ${url}`)
    }
    assert.include(
      dashboard.templating.list.map(({ name }) => name),
      "docs"
    )
  })

  it("uses variables that it has, and PromQL that Prometheus understands", async () => {
    const known = [...dashboard.templating.list.map(({ name }) => name), "__rate_interval", "__range"]
    const rules = expressions.map((expr, index) => {
      assert.includeMembers(
        known,
        [...expr.matchAll(/\$(\w+)/g)].map(([, name]) => name ?? ""),
        expr
      )
      return { record: `panel:${index}`, expr: expr.replaceAll(/\$__(rate_interval|range)/g, "5m") }
    })
    const path = join(folder, "rules.yml")
    writeFileSync(path, JSON.stringify({ groups: [{ name: "dashboard", rules }] }))
    assert.include(await runOrThrow(await promtool(), ["check", "rules", path]), `${rules.length} rules found`)
  }, 120_000)

  it("is where Grafana looks for it, with a Prometheus to ask", async () => {
    const Sources = Schema.Struct({ datasources: Schema.Tuple([Schema.Struct({ type: Text, url: Text, uid: Text })]) })
    const Providers = Schema.Struct({
      providers: Schema.Tuple([Schema.Struct({ type: Text, options: Schema.Struct({ path: Text }) })])
    })
    const { datasources } = await readOne("deploy/grafana/provisioning/datasources/prometheus.yml", Sources)
    assert.deepStrictEqual(datasources, [{ type: "prometheus", url: "http://prometheus:9090", uid: "prometheus" }])
    const { providers } = await readOne("deploy/grafana/provisioning/dashboards/bronze.yml", Providers)
    assert.deepStrictEqual(providers, [{ type: "file", options: { path: "/var/lib/grafana/dashboards" } }])
  }, 180_000)
})
