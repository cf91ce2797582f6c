/** Each mutation of the chaos suite is about code that is there: one that has moved would prove nothing. */
import { readFile } from "node:fs/promises"
import { assert, describe, it } from "vitest"
import { mutations } from "../../chaos/Mutations.ts"

describe("a mutation", () => {
  for (const { edits, name } of mutations)
    it(`changes the built service: ${name}`, async () => {
      for (const { file, from, to } of edits) {
        const text = await readFile(new URL(`../../../dist/${file}`, import.meta.url), "utf8")
        assert.include(text, from, file)
        assert.notInclude(text, to === "" ? "\0" : to, file)
      }
    })
})
