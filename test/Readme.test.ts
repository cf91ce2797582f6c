/** The README tells the truth where a machine can check it: every setting with its default, every link. */
import { existsSync, readFileSync } from "node:fs"
import { assert, describe, it } from "@effect/vitest"
import { fileVariable, secrets, table } from "../src/SettingsTable.ts"

const root = new URL("../", import.meta.url)
const readme = readFileSync(new URL("README.md", root), "utf8")

describe("the README", () => {
  it("lists every setting with its default and meaning, in the order of the table, and no other", () => {
    const rows = [...readme.matchAll(/^\| `([A-Z_]+)` \| (.*?) \| (.*) \|$/gm)].map(([, name, byDefault, meaning]) => [
      name,
      byDefault,
      meaning
    ])
    const expected = table.map(({ default: byDefault, meaning, name }) => [
      name,
      byDefault === "" ? "" : byDefault.length > 40 ? "see below" : `\`${byDefault}\``,
      meaning
    ])
    assert.deepStrictEqual(rows, expected)
  })

  it("and the page on secrets name every secret", () => {
    const page = readFileSync(new URL("docs/how-to/secrets.md", root), "utf8")
    const sentence = readme.match(/^Each secret \((.+?)\) may also be given as a file/m)?.[1]
    assert.deepStrictEqual(sentence?.split(", "), secrets)
    assert.deepStrictEqual(
      [...page.matchAll(/^\| `(\w+)` \| `(\w+)` \|$/gm)].map(([, name, file]) => [name, file]),
      secrets.map((name) => [name, fileVariable(name)])
    )
  })

  it("links to files that exist", () => {
    const links = [...readme.matchAll(/\]\(([^)#]+)\)/g)].map(([, path]) => path ?? "")
    assert.isAbove(links.length, 10)
    for (const path of links) assert.isTrue(existsSync(new URL(path, root)), path)
  })

  it("quotes the tests it names", () => {
    for (const [, file, title] of readme.matchAll(/\]\(([^)]+\.test\.ts)\) "([^"]+)"/g))
      assert.include(readFileSync(new URL(file ?? "", root), "utf8"), title ?? "")
  })
})
