/** A YAML text of settings: values as they were written, one place for each problem, and never a word of a value. */
import { assert, describe, it } from "@effect/vitest"
import * as Yaml from "../../../src/settings/Yaml.ts"

const values = (text: string) => {
  const { entries, problems } = Yaml.parse(text)
  assert.deepStrictEqual(problems, [])
  return Object.fromEntries(entries.map(({ name, value }) => [name, value]))
}
const problems = (text: string) =>
  Yaml.parse(text).problems.map(
    ({ column, line, message, name }) => `${line}${column === undefined ? "" : `:${column}`} ${name ?? ""}: ${message}`
  )

describe("values", () => {
  it("are the text that was written", () => {
    assert.deepStrictEqual(
      values("A: 5.0\nB: 0x10\nC: True\nD: \"x # y\"\nE: 'it''s'\nF: 9007199254740993\nG: 2026-01-01\nH: !!str 007\n"),
      { A: "5.0", B: "0x10", C: "True", D: "x # y", E: "it's", F: "9007199254740993", G: "2026-01-01", H: "007" }
    )
  })
  it("may be lists, blocks of lines, and empty", () => {
    assert.deepStrictEqual(values("A:\n  - x=Y(B=b:NUMBER,C=c) # one\n  # two\n  - 5.0\nB: [a:1, b:2]\nC: []\n"), {
      A: ["x=Y(B=b:NUMBER,C=c)", "5.0"],
      B: ["a:1", "b:2"],
      C: []
    })
    assert.deepStrictEqual(values('A: |\n  one\n  two\nB: >-\n  one\n  two\nC:\nD: ~\nE: null\nF: ""\n'), {
      ...{ A: "one\ntwo\n", B: "one two", C: undefined, D: undefined, E: undefined, F: "" }
    })
  })
  it("are none in an empty text, and in one of comments", () => {
    for (const text of ["", "# nothing\n", "---\n", "null\n", "\uFEFF\n"]) assert.deepStrictEqual(values(text), {})
    assert.deepStrictEqual(values("\uFEFFA: 1\r\nB: 2\r\n"), { A: "1", B: "2" })
  })
  it("come with their lines", () => {
    assert.deepStrictEqual(
      Yaml.parse("# c\nA: 1\n\nB:\n  - x\n").entries.map(({ line, name }) => [name, line]),
      [
        ["A", 2],
        ["B", 4]
      ]
    )
  })
})

describe("problems", () => {
  it("are what is no scalar, with the line, and do not hide each other", () => {
    assert.deepStrictEqual(problems("A: {b: c}\nB:\n  c:\n    d: e\nC:\n  - x\n  - y: z\n  -\n  - [q]\nD: 1\nD: 2\n"), [
      "1 A: expected text, a number, true or false, got a map; text that looks like one needs quotes",
      "3 B: expected text, a number, true or false, got a map; text that looks like one needs quotes",
      "7 C: expected text, a number, true or false, got a map; text that looks like one needs quotes",
      "8 C: expected text, got an item that is empty",
      "9 C: expected text, a number, true or false, got a list; text that looks like one needs quotes",
      "11 D: is set already in line 10"
    ])
  })
  it("are names that are none", () => {
    for (const text of ["? [a]\n: b\n", ": b\n", "? {a: b}\n", "&x A: b\n"])
      assert.deepStrictEqual(problems(text), ["1 : expected NAME: value, got no name before the colon"], text)
    assert.deepStrictEqual(problems("<<: {A: 1}\n"), [
      "1 <<: expected text, a number, true or false, got a map; text that looks like one needs quotes"
    ])
  })
  it("are texts that are no map of names", () => {
    const lines = "1 : expected lines of NAME: value, with a blank after the colon"
    for (const text of ["A:1\n", "A=1\n", "- A: 1\n", "[1]\n", "A=1\nB=2\n"])
      assert.deepStrictEqual(problems(text), [lines])
    assert.deepStrictEqual(problems("A: 1\n---\nB: 2\n"), ["2 : expected one document, got several"])
  })
  it("of YAML itself have line and column", () => {
    const unexpected = "AT : unexpected text; check quotes and indentation. Text that begins with { or [ needs quotes"
    for (const [text, problem] of [
      ["A: 1\n\tB: 2\n", "2:1 : tabs cannot indent; use blanks"],
      ["A: b: c\n", "1:4 : maps cannot be nested on one line; text with a colon and a blank in it needs quotes"],
      ["A: 1\nB=2\n", "2:1 : expected NAME: value in each line"],
      ['A:\n  - x\n  - "y\n  - z\n', "3:5 : the quote is not closed"],
      ["A: [x,\nB: 2\n", "2:1 : a bracket is not closed, or what is in it is not indented"],
      ["  A: 1\nB: 2\n", unexpected.replace("AT", "2:1")],
      ["A: {a}.b={A}\n", unexpected.replace("AT", "1:7")],
      [
        "A: [a.{b}]\n",
        "1:7 : a comma or a bracket is missing; in a list in brackets, text with brackets in it needs quotes"
      ],
      ["B=2\nA: 1\n", "1:1 : expected NAME: value in each line"],
      ["A: 'x\nB: 1\n", "1:4 : the quote is not closed"],
      ['A: "\\q"\n', "1:4 : invalid escape sequence; in single quotes a backslash is itself"],
      ["A: !js/function x\n", "1:4 : tags are not supported; text that begins with !, & or * needs quotes"],
      ["A: !!binary aGk=\n", "1:4 : tags are not supported; text that begins with !, & or * needs quotes"],
      ["A: @x\n", "1:4 : text that begins with @, ` or % needs quotes"],
      ["%FOO x\n---\nA: 1\n", "1:1 : directives are not supported"]
    ] as const) {
      assert.deepStrictEqual(problems(text), [problem])
      assert.isFalse(Yaml.parse(text).isYaml, text)
    }
  })
  it("are anchors and aliases, so that a text is never longer than it is", () => {
    assert.deepStrictEqual(problems("A: &a x\nB: *a\nC: &c [x]\nD: [*a, *a]\nE: &e\n"), [
      "1 A: anchors are not supported; text that begins with !, & or * needs quotes",
      "2 B: expected text, a number, true or false, got an alias; text that looks like one needs quotes",
      "3 C: anchors are not supported; text that begins with !, & or * needs quotes",
      "4 D: expected text, a number, true or false, got an alias; text that looks like one needs quotes",
      "4 D: expected text, a number, true or false, got an alias; text that looks like one needs quotes",
      "5 E: anchors are not supported; text that begins with !, & or * needs quotes"
    ])
  })
  it("are levels without an end, of whatever kind, rather than the end of the process", () => {
    for (const piece of ["[", "{", "- ", "? ", "a: ", "[{a: "])
      assert.deepStrictEqual(
        problems(`A:\n  ${piece.repeat(20_000)}`).map((problem) => problem.replace(/^\d+:?\d*/, "")),
        [" : expected NAME: value in each line, got more than 20 levels"],
        piece
      )
  })
  it("never quote a value, wherever in it the text breaks", () => {
    const secret = "hunter2"
    const marks = [
      "!",
      "&",
      "*",
      "@",
      "%",
      "`",
      '"',
      "'",
      "|",
      ">",
      "[",
      "]",
      "{",
      "}",
      ": ",
      " #",
      "\t",
      "\\",
      ",",
      "?",
      "-"
    ]
    for (const before of ["A: ", "A:\n  - ", "A: [", 'A: "', "A: '", "%", "? ", "- "])
      for (const mark of marks)
        for (const text of [
          `${before}${mark}${secret}\n`,
          `${before}${secret}${mark}x\n`,
          `B: 1\n${before}x${mark} ${secret}: y`
        ])
          for (const problem of Yaml.parse(text).problems) assert.notInclude(problem.message, secret, text)
  })
})
