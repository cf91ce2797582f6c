/** The version of this program, from its package.json. */
import { readFileSync } from "node:fs"
import * as Schema from "effect/Schema"

export const { version } = Schema.decodeUnknownSync(Schema.fromJsonString(Schema.Struct({ version: Schema.String })))(
  readFileSync(new URL("../package.json", import.meta.url), "utf8")
)
