/**
 * Takes the typed columns of a Debezium change event out of the row that it holds: the new one (`after`), or for a
 * delete the old one (`before`). As all typed columns they never fail an event: what is not there is null.
 *
 * Source of the form: https://debezium.io/documentation/reference/stable/connectors/postgresql.html#postgresql-events
 */
import * as Result from "effect/Result"
import * as Json from "../domain/Json.ts"
import { type Column, opColumn } from "../domain/Route.ts"
import * as TypedColumns from "./TypedColumns.ts"

type Values = ReadonlyArray<string | null>

/** For the columns of a table, of which OP is the last: their text forms, from an event and its text. */
export const make = (columns: ReadonlyArray<Column>): ((event: unknown, text: string) => Values) => {
  const ofRow = columns.filter(({ name }) => name !== opColumn.name)
  const nothing = ofRow.map(() => null)
  const within = (path: ReadonlyArray<string>) => ({
    after: TypedColumns.make(ofRow.map((column) => ({ ...column, path: [...path, "after", ...column.path] }))),
    before: TypedColumns.make(ofRow.map((column) => ({ ...column, path: [...path, "before", ...column.path] })))
  })
  const bare = within([])
  // Kafka Connect's JSON converter puts a schema beside the event, unless it is told not to.
  const withSchema = within(["payload"])
  const ofText = TypedColumns.make(ofRow)
  return (event, text) => {
    const inPayload = memberOf(event, "payload")
    const envelope = opOf(event) === undefined ? inPayload : event
    const op = opOf(envelope)
    if (op === undefined) return [...nothing, null]
    const side = op === "d" ? "before" : "after"
    const row = memberOf(envelope, side)
    // The connector for MongoDB sends a document as text.
    if (typeof row === "string") {
      const document = Json.parse(row)
      return [...(Result.isSuccess(document) ? ofText(document.success, row) : nothing), op]
    }
    return [...(envelope === event ? bare : withSchema)[side](event, text), op]
  }
}

const memberOf = (value: unknown, name: string): unknown =>
  typeof value === "object" && value !== null && Object.hasOwn(value, name) ? Reflect.get(value, name) : undefined

const opOf = (value: unknown): string | undefined => {
  const op = memberOf(value, "op")
  return typeof op === "string" ? op : undefined
}
