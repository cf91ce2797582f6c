/** The files of the live page: few, small, and as they are sent. */
import { gunzipSync } from "node:zlib"
import { assert, describe, it } from "@effect/vitest"
import * as PageFiles from "../../../src/http/PageFiles.ts"

describe("the live page", () => {
  const files = PageFiles.read()
  const sum = (sizes: ReadonlyArray<number>) => sizes.reduce((total, size) => total + size, 0)

  it("is loaded whole with less than 150 KB, all files counted as they are, and a third of that compressed", () => {
    assert.isBelow(sum(files.map(({ content }) => content.length)), 150_000)
    assert.isBelow(sum(files.map(({ gzip }) => gzip.length)), 50_000)
    assert.includeMembers(
      files.map(({ path }) => path),
      ["/", "/page/app.js", "/page/style.css", "/page/icon.svg", "/page/plot.js"]
    )
  })

  it("is sent as it stands in the repository: nothing is built, and no file of the compiler is sent", () => {
    for (const { content, gzip } of files) assert.isTrue(gunzipSync(gzip).equals(content))
    assert.deepStrictEqual(
      files.map(({ path }) => path).filter((path) => /tsconfig|\.ts$/.test(path)),
      []
    )
  })
})
