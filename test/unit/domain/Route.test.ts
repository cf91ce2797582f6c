/** Routes: the default parses, and every mistake of every route is named. */
import { assert, describe, it } from "@effect/vitest"
import { nounOf, tablesOf } from "../../../src/domain/Route.ts"
import { parseRoutes } from "../../../src/domain/RouteText.ts"

const problemsOf = (text: string): ReadonlyArray<string> => parseRoutes(text).problems

describe("parseRoutes", () => {
  it("reads topic, table and typed columns", () => {
    const { problems, routes } = parseRoutes(
      " raw.orders.v1 = orders_raw ( ORDER_ID = order_id , user_id=user.id:number,AT=meta.at:TIMESTAMP ) , raw.clicks.v1=CLICKS_RAW"
    )
    assert.deepStrictEqual(problems, [])
    assert.deepStrictEqual(routes, [
      {
        topic: "raw.orders.v1",
        table: {
          name: "ORDERS_RAW",
          columns: [
            { name: "ORDER_ID", path: ["order_id"], type: "STRING" },
            { name: "USER_ID", path: ["user", "id"], type: "NUMBER" },
            { name: "AT", path: ["meta", "at"], type: "TIMESTAMP" }
          ]
        }
      },
      { topic: "raw.clicks.v1", table: { name: "CLICKS_RAW", columns: [] } }
    ])
  })

  it("adds the column OP where the envelope of change events is opened", () => {
    const op = { name: "OP", path: ["op"], type: "STRING" } as const
    const id = { name: "ID", path: ["id"], type: "NUMBER" } as const
    for (const [text, columns] of [
      ["cdc=T(ID=id:NUMBER) unwrap=debezium", [id, op]],
      ["cdc=T(ID=id:NUMBER)unwrap=debezium", [id, op]],
      ["cdc=T ( ID=id:NUMBER ) UNWRAP=Debezium ", [id, op]],
      ["cdc=T unwrap=debezium", [op]],
      ["cdc=T() unwrap=debezium", [op]]
    ] as const)
      assert.deepStrictEqual(
        parseRoutes(`${text}, b=U`),
        {
          problems: [],
          templates: [],
          routes: [
            { topic: "cdc", table: { name: "T", columns }, unwrap: "debezium" },
            { topic: "b", table: { name: "U", columns: [] } }
          ]
        },
        text
      )
  })

  it("lets several topics share a table of one shape", () => {
    const { problems, routes } = parseRoutes("a=T(X=x:NUMBER), b=T(X=x:NUMBER)")
    assert.deepStrictEqual(problems, [])
    assert.strictEqual(tablesOf(routes).length, 1)
  })

  for (const [text, problem] of [
    ["", "names no route"],
    [" , ", "names no route"],
    ["orders", '"orders" is not of the form topic=TABLE(COLUMN=json.path:TYPE,…)'],
    ["a=T(X)", '"X" in "a=T(X)" is not of the form COLUMN=json.path:TYPE'],
    ["a=T(X=x:INT)", "column X has the unknown type INT; known are STRING, NUMBER, FLOAT, BOOLEAN, TIMESTAMP"],
    ["a=T(X=x", '"a=T(X=x" is not of the form topic=TABLE(COLUMN=json.path:TYPE,…)'],
    ["a b=T", '"a b=T" is not of the form topic=TABLE(COLUMN=json.path:TYPE,…)'],
    ["a/b=T", '"a/b" is not a topic name (letters, digits, dot, underscore, hyphen)'],
    ["a=T, a=U", "topic a has two routes"],
    ["constructor=T", "topic constructor cannot be read: its name means something else to the Kafka client"],
    ["a=MY-TABLE", '"MY-TABLE" is not a table name (letters, digits, underscore)'],
    ["a=DEAD_LETTERS", "DEAD_LETTERS is a table of the service itself"],
    ["a=T(X=x), b=T(X=y)", "table T has two routes with different columns"],
    ["a=T(X-Y=x)", '"X-Y" is not a column name (letters, digits, underscore)'],
    ["a=T(RAW_EVENT=x)", "column RAW_EVENT is one that every raw table has already"],
    ["a=T(KAFKA_SCHEMA_ID=x)", "column KAFKA_SCHEMA_ID is one that every raw table has already"],
    ["a=T unwrap=avro", '"unwrap=avro" in "a=T unwrap=avro" is not unwrap=debezium'],
    ["a=T b=U", '"b=U" in "a=T b=U" is not unwrap=debezium'],
    ["a=T unwrap=debezium unwrap=debezium", '"a=T unwrap=debezium unwrap=debezium" has the option unwrap twice'],
    [
      "a=T(unwrap=debezium)",
      '"unwrap=debezium" in "a=T(unwrap=debezium)" stands among the columns: options come after the parentheses'
    ],
    ["a=T(OP=op) unwrap=debezium", "column OP of T is named twice"],
    ["a=T(X=x), b=T(X=x) unwrap=debezium", "table T has two routes with different columns"],
    ["a=T(X=x,x=y)", "column X of T is named twice"],
    ["a=T(X=user..id)", '"X=user..id" in "a=T(X=user..id)" has an empty step in its path']
  ] as const)
    it(`${JSON.stringify(text)}: ${problem}`, () => {
      assert.deepStrictEqual(problemsOf(text), [problem])
    })

  it("names all mistakes together", () => {
    assert.strictEqual(problemsOf("orders, a=T(X=x:INT), a/b=U(RAW_EVENT=x)").length, 4)
  })
})

it("nounOf names the rows of a table", () => {
  assert.deepStrictEqual(["ORDERS_RAW", "CLICKS_RAW", "EVENTS"].map(nounOf), ["orders", "clicks", "events"])
})
