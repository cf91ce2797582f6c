/** The lines of docs/reference/columns.md: what a typed column makes of a value. */
import { readFileSync } from "node:fs"
import { type ColumnType, columnTypes } from "../../src/domain/Route.ts"

export interface Line {
  readonly type: ColumnType
  /** The value as it is in the event. */
  readonly json: string
  /** The text form of the column; null for NULL. */
  readonly expected: string | null
}

const page = new URL("../../docs/reference/columns.md", import.meta.url)

export const lines: ReadonlyArray<Line> = columnTypes.flatMap((type) => {
  const [, section = ""] = readFileSync(page, "utf8").split(`### ${type}\n`)
  return (section.split(/^##/m)[0] ?? "").split("\n").flatMap((line): ReadonlyArray<Line> => {
    const match = /^\| `(.+)` \| (?:`(.*)`|NULL) \|/.exec(line)
    return match?.[1] === undefined ? [] : [{ type, json: match[1], expected: match[2] ?? null }]
  })
})
