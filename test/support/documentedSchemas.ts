/** The lines of docs/reference/schemas.md: what becomes of a body with a schema. */
import { readFileSync } from "node:fs"

export interface Line {
  readonly schema: string
  readonly body: Uint8Array
  /** The text of RAW_EVENT. */
  readonly expected: string
}

const page = readFileSync(new URL("../../docs/reference/schemas.md", import.meta.url), "utf8")

const sectionOf = (title: string): string => (page.split(`\n## ${title}\n`)[1] ?? "").split(/^## /m)[0] ?? ""

const linesOf = (title: string): ReadonlyArray<Line> =>
  sectionOf(title)
    .split("\n")
    .filter((line) => line.startsWith("| `"))
    .map((line) => {
      const [, schema, body, expected] = /^\| `([^`]+)` \| `([0-9a-f]*)` \| `([^`]*)` \| .*\|$/.exec(line) ?? []
      if (schema === undefined || body === undefined || expected === undefined)
        throw new Error(`not of the form of its table: ${line}`)
      return { schema, body: Buffer.from(body, "hex"), expected }
    })

export const avro: ReadonlyArray<Line> = linesOf("Avro")

const [, types = ""] = /```proto\n([\s\S]*?)```/.exec(sectionOf("Protobuf")) ?? []

/** The message comes first in its file, so that the path to it is one zero byte. */
export const protobuf: ReadonlyArray<Line> = linesOf("Protobuf").map(({ schema, ...line }) => ({
  ...line,
  schema: `syntax = "proto3";
    import "google/protobuf/timestamp.proto"; import "google/protobuf/wrappers.proto";
    import "google/protobuf/duration.proto"; import "confluent/type/decimal.proto";
    message M { ${schema} }
    ${types}`
}))
