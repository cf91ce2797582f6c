/**
 * Answers a statement that a person wrote, if it only reads by its first word; Snowflake itself takes no second one, and
 * what functions may do is up to the role.
 */
import * as Effect from "effect/Effect"
import type { QueryResult } from "../Warehouse.ts"
import { WarehouseError } from "../WarehouseError.ts"
import type { SnowflakeClient } from "./Client.ts"

const reading = ["SELECT", "WITH", "VALUES", "SHOW", "DESC", "DESCRIBE", "EXPLAIN"]

/** The first word, behind blanks, comments and parentheses. */
const firstWord = (sql: string): string =>
  /^(?:\s|\(|--[^\n]*(?:\n|$)|\/\/[^\n]*(?:\n|$)|\/\*[\s\S]*?\*\/)*([A-Za-z]*)/.exec(sql)?.[1]?.toUpperCase() ?? ""

export const run = (client: SnowflakeClient, sql: string, limit: number): Effect.Effect<QueryResult, WarehouseError> =>
  reading.includes(firstWord(sql))
    ? Effect.map(
        client.use((session) => session.read(sql, limit + 1)),
        ({ columns, rows }) => ({ columns, rows: rows.slice(0, limit), truncated: rows.length > limit })
      )
    : Effect.fail(
        new WarehouseError({
          reason: "denied",
          message: "only a statement that reads is allowed: SELECT, WITH, VALUES, SHOW, DESCRIBE, EXPLAIN"
        })
      )
