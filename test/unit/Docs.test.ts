/**
 * The documents tell the truth where a machine can check it: links, settings, metrics, commands, scripts, and how long
 * they are.
 */
import { existsSync, readdirSync, readFileSync } from "node:fs"
import { posix } from "node:path"
import { fileURLToPath } from "node:url"
import { assert, describe, it } from "@effect/vitest"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import { run } from "../../src/cli/Cli.ts"
import { metrics } from "../../src/observe/Metrics.ts"
import { table } from "../../src/settings/Variables.ts"

const root = fileURLToPath(new URL("../..", import.meta.url))
const read = (file: string): string => readFileSync(posix.join(root, file), "utf8")
const pages = [
  ...["README.md", "CONTRIBUTING.md", "CHANGELOG.md", "SECURITY.md"],
  ...readdirSync(posix.join(root, "docs"), { recursive: true, encoding: "utf8" })
    .filter((file) => file.endsWith(".md"))
    .map((file) => posix.join("docs", file))
]
const textOf = new Map(pages.map((page) => [page, read(page)]))
const all = [...textOf.values()].join("\n")

/** The cells of each row of the table whose first column holds code. */
const rowsOf = (text: string): ReadonlyArray<ReadonlyArray<string>> =>
  [...text.matchAll(/^\| `([^`|]+)` \| (.*) \|$/gm)].map(([, first = "", rest = ""]) => [first, ...rest.split(" | ")])
/** The text between two marks. */
const marked = (text: string, mark: string): string =>
  text.slice(text.indexOf(`<!-- ${mark} -->`), text.indexOf(`<!-- /${mark} -->`))

/** As a forge makes them of headings. */
const anchorsOf = (text: string): ReadonlyArray<string> =>
  [...text.matchAll(/^#+ (.*)$/gm)].map(([, heading = ""]) =>
    heading
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N} _-]/gu, "")
      .replaceAll(" ", "-")
  )

describe("the documents", () => {
  it("are short where they are read first", () => {
    assert.isAtMost(read("README.md").split(/\s+/).length, 1800)
    assert.isAtMost(read("CONTRIBUTING.md").trimEnd().split("\n").length, 60)
  })

  it("link to files and headings that exist", () => {
    const broken = [...textOf].flatMap(([page, text]) =>
      [...text.matchAll(/\]\(([^)\s]+)\)/g)].flatMap(([, link = ""]) => {
        if (/^[a-z]+:/.test(link)) return []
        const [path = "", anchor] = link.split("#")
        const file = path === "" ? page : posix.join(posix.dirname(page), path)
        if (!existsSync(posix.join(root, file))) return [`${page}: ${link}`]
        return anchor === undefined || anchorsOf(read(file)).includes(anchor) ? [] : [`${page}: ${link}`]
      })
    )
    assert.deepStrictEqual(broken, [])
  })

  it("are all reached from the README", () => {
    const seen = new Set(["README.md"])
    for (const page of seen)
      for (const [, link = ""] of (textOf.get(page) ?? "").matchAll(/\]\(([^)\s#]+)/g)) {
        const file = posix.join(posix.dirname(page), link)
        if (textOf.has(file)) seen.add(file)
      }
    assert.deepStrictEqual(
      pages.filter((page) => !seen.has(page)),
      []
    )
  })

  it("quote titles that the tests they name have", () => {
    for (const [, file, title] of all.matchAll(/\]\(([^)]+\.test\.ts)\) "([^"]+)"/g))
      assert.include(read(file ?? ""), title ?? "")
  })
})

describe("the reference", () => {
  it("lists every setting with its default and meaning, in the order of the table, and no other", () => {
    assert.deepStrictEqual(
      rowsOf(marked(read("docs/reference/settings.md"), "settings")),
      table.map(({ default: byDefault, meaning, name }) => [
        name,
        byDefault === "" ? "" : byDefault.length > 40 ? "see below" : `\`${byDefault}\``,
        meaning
      ])
    )
    for (const { default: byDefault } of table)
      if (byDefault.length > 40) assert.include(read("docs/reference/settings.md"), byDefault)
  })

  it("lists every metric with its type and meaning, and no other", () => {
    assert.deepStrictEqual(
      rowsOf(marked(read("docs/reference/metrics.md"), "metrics")),
      Object.values(metrics).map(({ description, id, type }) => [id, type.toLowerCase(), description ?? ""])
    )
  })

  it("names no variable of ours that the service does not read", () => {
    const known = new Set(table.flatMap(({ name, secret }) => (secret ? [name, `${name}_FILE`] : [name])))
    const named = [
      ...all.matchAll(/`((?:KAFKA|SNOWFLAKE|BRONZE|BATCH|WRITE|HTTP|LOG|DUCKDB|DLQ)_[A-Z_]+)(?:=[^`]*)?`/g)
    ]
      .map(([, name = ""]) => name)
      // Of the scripts of this repository.
      .filter((name) => !["KAFKA_PORT", "KAFKA_TOPIC_PARTITIONS"].includes(name) && !name.endsWith("_"))
      // Columns of the tables have such names, too.
      .filter((name) => !/^KAFKA_(TOPIC|PARTITION|OFFSET|TIMESTAMP|KEY|HEADERS|SCHEMA_ID)$/.test(name))
    assert.deepStrictEqual(
      [...new Set(named)].filter((name) => !known.has(name)),
      []
    )
  })
})

/** What a command says of itself. */
const helpOf = async (words: ReadonlyArray<string>): Promise<string> => {
  const lines: Array<string> = []
  const quiet: Console.Console = { ...globalThis.console, log: (...parts) => void lines.push(parts.join(" ")) }
  await Effect.runPromise(
    run([...words, "--help"]).pipe(Effect.provideService(Console.Console, quiet), Effect.ignore, Effect.scoped)
  )
  return lines.join("\n")
}
const namesIn = (help: string): ReadonlyArray<string> => {
  const [, list = ""] = /^SUBCOMMANDS\n((?: {2}.*\n?)*)/m.exec(help) ?? []
  return [...list.matchAll(/^ {2}([a-z]+) {2,}\S/gm)].map(([, name = ""]) => name)
}
/** Every command by its words, with its help. */
const commands = async (words: ReadonlyArray<string> = []): Promise<ReadonlyArray<readonly [string, string]>> => {
  const help = await helpOf(words)
  const below = await Promise.all(namesIn(help).map((name) => commands([...words, name])))
  return [[words.join(" "), help], ...below.flat()]
}

describe("commands", async () => {
  const helps = new Map(await commands())
  const leaves = [...helps.keys()].filter(
    (name) => name !== "" && ![...helps.keys()].some((other) => other.startsWith(`${name} `))
  )

  it("are understood: each that a page quotes is one, and has the flags that are there", () => {
    const said = [...all.matchAll(/(?<!generic )bronze-consumer((?: [^\s`#|>…]+)*)/g)].map(([, rest = ""]) =>
      rest.trim().split(/\s+/).filter(Boolean)
    )
    assert.isAbove(said.length, 30)
    const strange = said.flatMap((words) => {
      const count = [2, 1, 0].find((length) => helps.has(words.slice(0, length).join(" "))) ?? 0
      const name = words.slice(0, count).join(" ")
      const help = helps.get(name) ?? ""
      const flags = words.filter((word) => word.startsWith("--")).map((word) => word.split("=")[0] ?? "")
      const isKnown =
        (count > 0 || words.length === 0 || words[0]?.startsWith("-") === true) &&
        flags.every((flag) => help.includes(flag))
      return isKnown ? [] : [words.join(" ")]
    })
    assert.deepStrictEqual(strange, [])
  })

  it("are all in the reference", () => {
    const reference = read("docs/reference/commands.md")
    assert.deepStrictEqual(
      leaves.filter((name) => !reference.includes(`\`npx bronze-consumer ${name}\``)),
      []
    )
  })

  it("of npm are scripts, and each script is in a document", () => {
    const { scripts }: { readonly scripts: Readonly<Record<string, string>> } = JSON.parse(read("package.json"))
    const said = new Set([...all.matchAll(/npm (?:run (?:-s )?)?([a-z][a-z:]*)/g)].map(([, name = ""]) => name))
    for (const word of ["ci", "install", "pack", "prints"]) said.delete(word)
    assert.deepStrictEqual(
      [...said].filter((name) => scripts[name] === undefined),
      []
    )
    assert.deepStrictEqual(
      // npm runs prepack by itself.
      Object.keys(scripts).filter((name) => !said.has(name) && name !== "prepack"),
      []
    )
  })
})
