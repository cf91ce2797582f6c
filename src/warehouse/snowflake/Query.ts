/**
 * Answers a statement that a person wrote, if by its text it only reads. Snowflake itself takes no second statement, and
 * what functions may do is up to the role.
 */
import * as Effect from "effect/Effect"
import { onlyReading, refused, upTo } from "../sql/Reading.ts"
import type { QueryResult } from "../Warehouse.ts"
import type { WarehouseError } from "../WarehouseError.ts"
import type { SnowflakeClient } from "./Client.ts"

/** Comments, texts and quoted names, each as a whole; of what is not closed the mark is left. */
const opaque = /--[^\n]*|\/\/[^\n]*|\/\*[\s\S]*?\*\/|'(?:[^'\\]|\\[\s\S]|'')*'|"(?:[^"]|"")*"|\$\$[\s\S]*?\$\$/g

/** Why a statement is not run; undefined when it only reads. */
export const refusal = (sql: string): string | undefined => {
  const code = sql.replace(opaque, (part) => (/^['"$]/.test(part) ? " x " : " "))
  if (/['"]|\$\$|\/\*/.test(code)) return "a text, a name or a comment is not closed"
  if (!/^[\s(]*(SELECT|WITH|VALUES|SHOW|DESC|DESCRIBE|EXPLAIN)\b/i.test(code)) return onlyReading
  if (/;[\s\S]*\S/.test(code)) return "expected one statement"
  // A chain may end in any statement, and a procedure may do anything.
  if (code.includes("->>")) return "a chain of statements (->>) is not allowed"
  if (/\bAS\s+PROCEDURE\b|\)\s*CALL\b/i.test(code)) return "a procedure is not allowed"
  return /\bSYSTEM\$/i.test(code) ? "a function of the system (SYSTEM$…) is not allowed" : undefined
}

export const run = (
  client: SnowflakeClient,
  sql: string,
  limit: number
): Effect.Effect<QueryResult, WarehouseError> => {
  const why = refusal(sql)
  return why === undefined
    ? Effect.map(
        client.use((session) => session.read(sql, limit + 1)),
        ({ columns, rows }) => upTo(limit, columns, rows)
      )
    : Effect.fail(refused(why))
}
