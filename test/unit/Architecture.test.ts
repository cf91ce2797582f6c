/** The rooms of src/: an import goes down only, types counted; no circles; drivers stay in the rooms that wrap them. */
import { readdirSync, readFileSync } from "node:fs"
import { posix } from "node:path"
import { fileURLToPath } from "node:url"
import { assert, describe, it } from "@effect/vitest"

const src = fileURLToPath(new URL("../../src", import.meta.url))

/** From the entry down to the ground; rooms of one floor do not know each other. */
const floors = [
  ["main"],
  ["cli"],
  ["app"],
  ["http"],
  ["pipeline"],
  ["kafka", "schema"],
  ["warehouse", "observe"],
  ["settings"],
  ["domain", "Retry", "Throttle", "Version"]
]

/** What only these rooms may load. */
const drivers: ReadonlyArray<readonly [name: RegExp, rooms: ReadonlyArray<string>]> = [
  [/^(kafkajs|aws-msk-iam-sasl-signer-js)(\/|$)/, ["kafka"]],
  [/^snowflake-sdk(\/|$)/, ["warehouse/snowflake"]],
  [/^@duckdb\//, ["warehouse/duckdb"]],
  [/^protobufjs(\/|$)/, ["schema/protobuf"]],
  [/^yaml$/, ["settings/Yaml.ts"]],
  [/^effect\/cli$|^effect\/cli\//, ["cli"]]
]

const files = readdirSync(src, { recursive: true, encoding: "utf8" })
  .map((file) => file.replaceAll("\\", "/"))
  .filter((file) => file.endsWith(".ts"))
const specifier = /\b(?:from|import)\s*\(?\s*"([^"]+)"/g
const importsOf = (text: string): ReadonlyArray<string> => [
  ...new Set([...text.matchAll(specifier)].map(([, name = ""]) => name))
]
const textOf = new Map(files.map((file) => [file, readFileSync(posix.join(src, file), "utf8")]))
const insideOf = (file: string): ReadonlyArray<string> =>
  importsOf(textOf.get(file) ?? "")
    .filter((name) => name.startsWith("."))
    .map((name) => posix.join(posix.dirname(file), name))

/** `kafka/Admin.ts` is in kafka; a file of the root is a room of its own. */
const roomOf = (file: string): string => file.split("/")[0]?.replace(/\.ts$/, "") ?? file
const floorOf = (room: string): number => floors.findIndex((rooms) => rooms.includes(room))
const isDown = (from: string, to: string): boolean => from === to || floorOf(from) < floorOf(to)

/** The first circle on a walk along imports. */
const circle = (next: (file: string) => ReadonlyArray<string>): ReadonlyArray<string> => {
  const done = new Set<string>()
  const walk = (file: string, path: ReadonlyArray<string>): ReadonlyArray<string> => {
    if (path.includes(file)) return [...path.slice(path.indexOf(file)), file]
    if (done.has(file)) return []
    for (const other of next(file)) {
      const found = walk(other, [...path, file])
      if (found.length > 0) return found
    }
    done.add(file)
    return []
  }
  return files.map((file) => walk(file, [])).find((found) => found.length > 0) ?? []
}

describe("the rooms of src/", () => {
  it("are known, each on its floor", () => {
    assert.deepStrictEqual(
      [...new Set(files.map(roomOf))].filter((room) => floorOf(room) < 0),
      []
    )
  })

  it("import downwards only, types counted", () => {
    const upwards = files.flatMap((file) =>
      insideOf(file)
        .filter((other) => !isDown(roomOf(file), roomOf(other)))
        .map((other) => `${file} imports ${other}`)
    )
    assert.deepStrictEqual(upwards, [])
  })

  it("have no circle of files, types counted", () => {
    assert.deepStrictEqual(circle(insideOf), [])
  })

  it("keep each driver in the room that wraps it; a type is no exception", () => {
    const strangers = files.flatMap((file) =>
      importsOf(textOf.get(file) ?? "").flatMap((name) =>
        drivers
          .filter(
            ([driver, rooms]) =>
              driver.test(name) && !rooms.some((room) => file === room || file.startsWith(`${room}/`))
          )
          .map(() => `${file} imports ${name}`)
      )
    )
    assert.deepStrictEqual(strangers, [])
  })

  it("load the reader of YAML only where a file is to be read", () => {
    const statically = /^import(?! type)[^"]*"([^"]+)"/gm
    const users = (name: string) =>
      files.filter((file) =>
        [...(textOf.get(file) ?? "").matchAll(statically)].some(([, from = ""]) => from.endsWith(name))
      )
    assert.deepStrictEqual(users("/Yaml.ts"), ["settings/ConfigFile.ts"])
    assert.deepStrictEqual(users("/ConfigFile.ts"), [])
  })

  it("leave at most six files in the root", () => {
    assert.isAtMost(readdirSync(src, { withFileTypes: true }).filter((entry) => entry.isFile()).length, 6)
  })

  it("begin each file with what it is", () => {
    const silent = files.filter((file) => !/^(#!.*\n)?\/(\*\*|\/)/.test(textOf.get(file) ?? ""))
    assert.deepStrictEqual(silent, [])
  })
})

describe("the rules themselves", () => {
  it("see an import of every form", () => {
    const forms = [
      'import type { A } from "./a.ts"',
      'import * as B from "./b.ts"',
      'export { C } from "./c.ts"',
      'const d = await import("./d.ts")',
      'type E = typeof import("./e.ts")',
      'import "./f.ts"'
    ]
    assert.deepStrictEqual(importsOf(forms.join("\n")), ["./a.ts", "./b.ts", "./c.ts", "./d.ts", "./e.ts", "./f.ts"])
  })

  it("refuse what goes up or across, and find a circle", () => {
    assert.isTrue(isDown("pipeline", "kafka"))
    assert.isFalse(isDown("domain", "settings"))
    assert.isFalse(isDown("observe", "warehouse"))
    const [first = "", second = ""] = files
    assert.deepStrictEqual(
      circle((file) => (file === first ? [second] : file === second ? [first] : [])),
      [first, second, first]
    )
  })
})

it("messages name the program by its name, wherever it is installed", () => {
  for (const [file, text] of textOf) assert.notInclude(text, "node dist/main.js", file)
})
