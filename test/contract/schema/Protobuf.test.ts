/** Messages that Google's own Protobuf wrote, of every type, with generated values: our text is the one Python expects. */
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { assert, describe, it } from "@effect/vitest"
import * as Schema from "effect/Schema"
import { runOrThrow } from "../../../scripts/support/command.ts"
import { installPython } from "../../../scripts/support/python.ts"
import * as Protobuf from "../../../src/schema/protobuf/Protobuf.ts"

const requirements = fileURLToPath(new URL("../../support/schema/requirements.txt", import.meta.url))
const script = fileURLToPath(new URL("protobuf_bodies.py", import.meta.url))
const decodeSchema = Schema.decodeUnknownSync(Schema.fromJsonString(Schema.Struct({ schema: Schema.String })))
const decodeLine = Schema.decodeUnknownSync(
  Schema.fromJsonString(Schema.Struct({ body: Schema.String, text: Schema.String }))
)

describe("what Google's Protobuf writes", () => {
  it("is read as the text of its message", { timeout: 180_000 }, async () => {
    const python = join(await installPython("schemas", "a registry's serializers", requirements), "python")
    const [first = "", ...lines] = (await runOrThrow(python, [script, "20260102", "500"])).trim().split("\n")
    const decode = Protobuf.make(decodeSchema(first).schema)
    assert.strictEqual(lines.length, 500)
    for (const line of lines) {
      const { body, text } = decodeLine(line)
      assert.strictEqual(decode(Buffer.from(`00${body}`, "hex"), 0, 1_000_000), text)
    }
  })
})
