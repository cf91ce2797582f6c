/** The files of the live page: few, small, and as they are sent. */
import { readdirSync, statSync } from "node:fs"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { assert, describe, it } from "@effect/vitest"

const page = fileURLToPath(new URL("../../../src/http/page", import.meta.url))
const uPlot = ["uPlot.iife.min.js", "uPlot.min.css"].map((file) =>
  fileURLToPath(import.meta.resolve(`uplot/dist/${file}`))
)

describe("the live page", () => {
  it("is loaded whole with less than 150 KB, and is sent as it is", () => {
    const own = readdirSync(page).filter((file) => /\.(js|css|html|svg)$/.test(file))
    const sizes = [...own.map((file) => join(page, file)), ...uPlot].map((file) => statSync(file).size)
    const total = sizes.reduce((sum, size) => sum + size, 0)
    assert.isBelow(total, 150 * 1024, `the files are ${total} bytes`)
  })
})
