/** Words that begin with a dash: flags, and values that cannot be one. */
import { assert, describe, it } from "@effect/vitest"
import * as Words from "../../../../src/cli/support/Words.ts"

describe("words", () => {
  it("that begin with a dash and cannot name a flag are values", () => {
    for (const value of ["-- all\nSELECT 1", "--all\nSELECT 1", "--a=b\nSELECT 1", "-- all", "--'x'", "-1+1", "- 1"])
      assert.deepStrictEqual(Words.separated(["query", value, "--json"]), ["query", "--json", "--", value])
  })
  it("that can name a flag, or are behind --, stay where they are", () => {
    for (const words of [
      ["status", "-w", "--interval", "2", "--json=true", "--topic=a b", "--since=-1", "-n=5"],
      ["query", "-"],
      ["dlq", "show", "--", "-topic/0@1", "--json"],
      ["--env-file", "x y", "run"]
    ])
      assert.deepStrictEqual(Words.separated(words), words)
    assert.deepStrictEqual(Words.separated(["query", "-- a b", "--", "--x"]), ["query", "--", "-- a b", "--x"])
  })
})
