/** Templates: which topics they lead to, into which table, and which never. */
import { assert, describe, it } from "@effect/vitest"
import { parseRoutes } from "../../../src/domain/RouteText.ts"
import * as Template from "../../../src/domain/Template.ts"

const expand = (text: string, topics: ReadonlyArray<string>) => {
  const { problems, routes, templates } = parseRoutes(text)
  assert.deepStrictEqual(problems, [])
  return Template.expand(templates, topics, routes)
}
const led = (text: string, ...topics: ReadonlyArray<string>) =>
  expand(text, topics).routes.map(({ table, topic }) => `${topic} -> ${table.name}`)

describe("a template", () => {
  it("leads each topic that fits to a table of its own", () => {
    const template = "raw.{name}.v1={NAME}_RAW(ID=id:NUMBER)"
    assert.deepStrictEqual(led(template, "raw.orders.v1", "raw.clicks.v1", "raw.orders.v2", "orders", "raw.v1"), [
      "raw.clicks.v1 -> CLICKS_RAW",
      "raw.orders.v1 -> ORDERS_RAW"
    ])
    const [route] = expand(template, ["raw.orders.v1"]).routes
    assert.deepStrictEqual(route, {
      topic: "raw.orders.v1",
      table: { name: "ORDERS_RAW", columns: [{ name: "ID", path: ["id"], type: "NUMBER" }] },
      template: "raw.{name}.v1"
    })
  })

  for (const [template, topic, table] of [
    ["raw.{name}.v1={name}_raw", "raw.orders.v1", "ORDERS_RAW"],
    ["raw.{Name}.v1={NAME}_RAW", "raw.Orders.v1", "ORDERS_RAW"],
    ["raw.{name}.v1={NAME}_RAW", "raw.order-items.v1", "ORDER_ITEMS_RAW"],
    ["raw.{name}.v1={NAME}_RAW", "raw.2024_orders.v1", "_2024_ORDERS_RAW"],
    ["raw.{name}.v1={NAME}_RAW", "raw.a.b.v1", undefined],
    ["raw.{name}.v1={NAME}_RAW", "raw..v1", undefined],
    ["raw.{name}.v1={NAME}_RAW", "rawXordersXv1", undefined],
    ["raw.{name}.v1={NAME}_RAW", "xraw.orders.v1", undefined],
    ["raw.{name}.v1={NAME}_RAW", "raw.orders.v10", undefined],
    ["raw.{name}.v{version}={NAME}_V{VERSION}_RAW", "raw.orders.v10", "ORDERS_V10_RAW"],
    ["{server}.{schema}.{table}={SCHEMA}_{TABLE}", "shop.public.customers", "PUBLIC_CUSTOMERS"],
    ["raw.{name}.v1=EVENTS_RAW", "raw.orders.v1", "EVENTS_RAW"],
    ["{topic}={TOPIC}", "orders", "ORDERS"],
    ["{topic}={TOPIC}", "__consumer_offsets", undefined],
    ["raw.{name}.v1={NAME}_RAW, raw.{x}.{y}={X}_RAW", "raw.orders.v1", "ORDERS_RAW"],
    ["raw.{name}.v1={NAME}_RAW, raw.{x}.{y}=OTHER_RAW", "raw.orders.v2", "OTHER_RAW"]
  ] as const)
    it(`${template} leads ${topic} to ${table ?? "nothing"}`, () =>
      assert.deepStrictEqual(led(template, topic), table === undefined ? [] : [`${topic} -> ${table}`]))

  it("leaves a topic alone that has a route", () =>
    assert.deepStrictEqual(led("raw.{name}.v1={NAME}_RAW, raw.orders.v1=SALES(ID=id)", "raw.orders.v1", "raw.b.v1"), [
      "raw.b.v1 -> B_RAW"
    ]))

  it("keeps the envelope of change events", () => {
    const [route] = expand("shop.public.{table}={TABLE}_RAW(ID=id) unwrap=debezium", ["shop.public.orders"]).routes
    assert.strictEqual(route?.unwrap, "debezium")
    assert.deepStrictEqual(
      route?.table.columns.map(({ name }) => name),
      ["ID", "OP"]
    )
  })

  for (const [text, topic, message] of [
    ["{topic}={TOPIC}", "dead_letters", "DEAD_LETTERS is a table of the service itself"],
    ["{topic}={TOPIC}", "constructor", "its name means something else to the Kafka client"],
    ["{topic}={TOPIC}_RAW", "x".repeat(249), undefined],
    ["{topic}={TOPIC}_RAW_TABLE", "x".repeat(249), `"${"X".repeat(249)}_RAW_TABLE" is not a table name`],
    ["raw.{a}.v1={A}_RAW(X=x), b=B_RAW", "raw.b.v1", "table B_RAW has another route with different columns"],
    ["raw.{a}.v1={A}_RAW, b=B_RAW", "raw.b.v1", undefined]
  ] as const)
    it(`${text} takes ${topic.slice(0, 20)}: ${message?.slice(0, 40) ?? "yes"}`, () => {
      const { refused, routes } = expand(text, [topic])
      assert.strictEqual(routes.length, message === undefined ? 1 : 0)
      if (message !== undefined) assert.include(refused[0]?.message, message)
    })

  for (const [text, problem] of [
    ["raw.{name}.v1={OTHER}_RAW", "{OTHER}_RAW has a placeholder that raw.{name}.v1 has not: {OTHER}"],
    ["raw.v1={NAME}_RAW", "{NAME}_RAW has a placeholder, and its topic raw.v1 has none"],
    ["raw.{a}.{A}={A}_RAW", "raw.{a}.{A} has a placeholder twice"],
    ["raw.{a}{b}={A}_RAW", "raw.{a}{b} has two placeholders without anything between them"],
    ["raw.{}.v1=X_RAW", '"raw.{}.v1" is not a topic name with placeholders such as {name}'],
    ["raw.{name.v1=X_RAW", '"raw.{name.v1" is not a topic name with placeholders such as {name}'],
    ["raw.{na-me}.v1=X_RAW", '"raw.{na-me}.v1" is not a topic name with placeholders such as {name}'],
    ["raw.{name}.v1={NAME}-RAW", '"{NAME}-RAW" is not a table name with placeholders such as {NAME}'],
    ["raw.{name}.v1={NAME}_RAW, raw.{name}.v1=X", "raw.{name}.v1 has two routes"],
    ["raw.{name}.v1={NAME}_RAW(RAW_EVENT=x)", "column RAW_EVENT is one that every raw table has already"]
  ] as const)
    it(`${text}: ${problem}`, () => assert.deepStrictEqual(parseRoutes(text).problems, [problem]))
})
