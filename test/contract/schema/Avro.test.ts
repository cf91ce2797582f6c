/** Avro bodies that fastavro wrote, with generated schemas and values: our text is the one that Python expects. */
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { assert, describe, it } from "@effect/vitest"
import * as Schema from "effect/Schema"
import { runOrThrow } from "../../../scripts/support/command.ts"
import { installPython } from "../../../scripts/support/python.ts"
import * as AvroReader from "../../../src/schema/avro/AvroReader.ts"
import * as AvroSchema from "../../../src/schema/avro/AvroSchema.ts"

const requirements = fileURLToPath(new URL("../../support/schema/requirements.txt", import.meta.url))
const script = fileURLToPath(new URL("fastavro_bodies.py", import.meta.url))
const decodeLine = Schema.decodeUnknownSync(
  Schema.fromJsonString(Schema.Struct({ schema: Schema.String, body: Schema.String, text: Schema.String }))
)

describe("what fastavro writes", () => {
  it("is read as the text of its value", { timeout: 180_000 }, async () => {
    const python = join(await installPython("schemas", "a registry's serializers", requirements), "python")
    const lines = (await runOrThrow(python, [script, "20260102", "1500"])).trim().split("\n")
    assert.strictEqual(lines.length, 1500)
    for (const line of lines) {
      const { body, schema, text } = decodeLine(line)
      const decode = AvroReader.make(AvroSchema.parse(schema))
      assert.strictEqual(decode(Buffer.from(body, "hex"), 0, 1_000_000), text, schema)
    }
  })
})
