/** How this account's VARIANT stores JSON: the cases in which a payload may not come back as it was sent. */
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import type { Session } from "../../warehouse/snowflake/Driver.ts"
import { decodeRows } from "../../warehouse/sql/LedgerRows.ts"
import type { Dialect } from "../../warehouse/sql/Tables.ts"
import { type Finding, good, warning } from "./Finding.ts"

const nested = (depth: number): string => "[".repeat(depth) + "]".repeat(depth)

const cases: Readonly<Record<string, string>> = {
  "duplicate keys": '{"a":1,"a":2}',
  "order of keys": '{"z":1,"a":2}',
  "trailing zero": "1.10",
  exponent: "1e2",
  "integer beyond 2^53": "9007199254740993",
  "38 digits": "9".repeat(38),
  "39 digits": "9".repeat(39),
  decimal: "0.1",
  "beyond a double": "1e400",
  "minus zero": "-0",
  "NUL in a text": '"\\u0000x"',
  "NUL in a key": '{"k\\u0000":1,"k":2}',
  "half a surrogate": '"\\ud800"',
  "1,000 deep": nested(1000),
  "10,000 deep": nested(10_000)
}

const decode = decodeRows(Schema.Struct({ J: Schema.NullOr(Schema.String) }))

/** One finding for each case. What is refused becomes a dead letter, and stops nobody. */
export const examine = (session: Session, names: Dialect): Effect.Effect<ReadonlyArray<Finding>> => {
  const table = names.qualified("EVENTS")
  const look = (name: string, event: string, id: number) =>
    session
      .execute(
        `INSERT INTO ${table} (ID, V) SELECT ${id}, f.value:v FROM TABLE(FLATTEN(INPUT => PARSE_JSON(?, 'd'))) f`,
        [`[{"v":${event}}]`]
      )
      .pipe(
        Effect.andThen(session.query(`SELECT TO_JSON(V) AS J FROM ${table} WHERE ID = ${id}`)),
        Effect.flatMap(decode),
        Effect.map(([row]) => {
          const kept = row?.J ?? "nothing"
          const said = kept === event ? "kept as it was sent" : `comes back as ${kept.slice(0, 40)}`
          return good("json", `${name}: ${said}`)
        }),
        Effect.catch(({ code, reason }) =>
          Effect.succeed(
            warning("json", `${name}: ${reason} (${code ?? "no code"}); such an event becomes a dead letter`)
          )
        )
      )
  return Effect.forEach(Object.entries(cases), ([name, event], id) => look(name, event, id))
}
