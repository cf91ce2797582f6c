/**
 * A YAML text of settings: one map of names to values, each a scalar or a list of scalars. Values are the text that was
 * written (`5.0` stays `5.0`); nothing is resolved or executed, and no problem quotes a value.
 */
import {
  Composer,
  type CST,
  isMap,
  isScalar,
  isSeq,
  LineCounter,
  type ParsedNode,
  Parser,
  type YAMLError,
  type YAMLMap,
  type YAMLSeq
} from "yaml"

export interface Entry {
  readonly name: string
  readonly line: number
  /** A list for what was written as one; undefined for null, which is the same as leaving the name out. */
  readonly value: string | ReadonlyArray<string> | undefined
}

export interface Problem {
  readonly line: number
  readonly column?: number
  /** The name whose value it is about; undefined when it is about the text as a whole. */
  readonly name?: string
  readonly message: string
}

export interface Parsed {
  readonly entries: ReadonlyArray<Entry>
  readonly problems: ReadonlyArray<Problem>
  /** False when the text is no YAML: then there are no entries. */
  readonly isYaml: boolean
}

/** A map of lists needs two; composing recurses into what is deeper. */
const maxDepth = 20

const isTooDeep = (tokens: ReadonlyArray<CST.Token>): boolean => {
  const left: Array<readonly [token: CST.Token, depth: number]> = tokens.map((token) => [token, 0])
  for (let next = left.pop(); next !== undefined; next = left.pop()) {
    const [token, depth] = next
    if (depth > maxDepth) return true
    if (token.type === "document" && token.value !== undefined) left.push([token.value, depth + 1])
    if ("items" in token)
      for (const { key, value } of token.items)
        for (const below of [key, value]) if (below) left.push([below, depth + 1])
  }
  return false
}

const quoting = "text that begins with !, & or * needs quotes"
const brackets = "a comma or a bracket is missing; in a list in brackets, text with brackets in it needs quotes"
const anchors = `anchors are not supported; ${quoting}`

/** The library's words, where they quote nothing of the text. */
const saying = ({ code, message }: YAMLError): string => {
  switch (code) {
    case "TAG_RESOLVE_FAILED":
      return `tags are not supported; ${quoting}`
    case "BAD_ALIAS":
      return `aliases are not supported; ${quoting}`
    case "BAD_SCALAR_START":
      return "text that begins with @, ` or % needs quotes"
    case "BAD_DQ_ESCAPE":
      return "invalid escape sequence; in single quotes a backslash is itself"
    case "BAD_DIRECTIVE":
      return "directives are not supported"
    case "BLOCK_AS_IMPLICIT_KEY":
      return "maps cannot be nested on one line; text with a colon and a blank in it needs quotes"
    case "MULTILINE_IMPLICIT_KEY":
      return "expected NAME: value in each line"
    case "TAB_AS_INDENT":
      return "tabs cannot indent; use blanks"
    case "MISSING_CHAR":
      if (/quote$/.test(message)) return "the quote is not closed"
      return message.includes("flow") ? brackets : "expected NAME: value in each line"
    case "BAD_INDENT":
      return "a bracket is not closed, or what is in it is not indented"
    case "UNEXPECTED_TOKEN":
      return "unexpected text; check quotes and indentation. Text that begins with { or [ needs quotes"
    default:
      return message
  }
}

/** Where the scalar begins that a fault is in: a quote that is not closed is found only at the end of the text. */
const startOf = (contents: ParsedNode | null, position: number): number => {
  const values = isMap(contents) ? contents.items.map(({ value }) => value) : []
  const scalars = values.flatMap((value) => (isSeq(value) ? value.items : [value])).filter((node) => isScalar(node))
  const around = scalars.find(({ range: [start, end] }) => start < position && position <= end)
  return around?.range[0] ?? position
}

const what = (node: ParsedNode): string => (isMap(node) ? "a map" : isSeq(node) ? "a list" : "an alias")

interface Fault {
  readonly node: ParsedNode
  readonly message: string
}

/** Why a node is not the text of one value. */
const faultsOf = (node: ParsedNode | null): ReadonlyArray<Fault> => {
  if (node === null) return []
  if (!isScalar(node))
    return [
      {
        node,
        message: `expected text, a number, true or false, got ${what(node)}; text that looks like one needs quotes`
      }
    ]
  if (node.anchor !== undefined) return [{ node, message: anchors }]
  return node.source.includes("\0") ? [{ node, message: "expected text without NUL characters" }] : []
}

const faultsIn = (list: YAMLSeq.Parsed): ReadonlyArray<Fault> => [
  ...(list.anchor === undefined ? [] : [{ node: list, message: anchors }]),
  ...list.items.flatMap((node) =>
    isScalar(node) && node.anchor === undefined && node.value === null
      ? [{ node, message: "expected text, got an item that is empty" }]
      : faultsOf(node)
  )
]

/** As it was written; undefined for null. */
const textOf = (node: ParsedNode | null): string | undefined =>
  isScalar(node) && node.value !== null ? node.source : undefined

const fault = (line: number, message: string): Parsed => ({
  entries: [],
  problems: [{ line, message }],
  isYaml: false
})

export const parse = (text: string): Parsed => {
  const lines = new LineCounter()
  const tokens = [...new Parser(lines.addNewLine).parse(text)]
  if (isTooDeep(tokens)) return fault(1, `expected NAME: value in each line, got more than ${maxDepth} levels`)
  const options = { schema: "core", uniqueKeys: false, prettyErrors: false, resolveKnownTags: false } as const
  const [document, another] = new Composer(options).compose(tokens, true, text.length)
  if (document === undefined) return { entries: [], problems: [], isYaml: true }
  const errors = [...document.errors, ...document.warnings].slice(0, 100).map((error) => {
    const { col, line } = lines.linePos(startOf(document.contents, error.pos[0]))
    return { line, column: col, message: saying(error) }
  })
  // What follows in a line is mostly of the same fault.
  const first = errors.filter(({ line }, index) => errors.findIndex((error) => error.line === line) === index)
  if (errors.length > 0) return { entries: [], problems: first, isYaml: false }
  const lineOf = (node: ParsedNode): number => lines.linePos(node.range[0]).line
  if (another !== undefined) return fault(lines.linePos(another.range[0]).line, "expected one document, got several")
  const { contents } = document
  if (contents === null || (isScalar(contents) && contents.value === null))
    return { entries: [], problems: [], isYaml: true }
  return isMap(contents)
    ? entriesOf(contents, lineOf)
    : fault(lineOf(contents), "expected lines of NAME: value, with a blank after the colon")
}

const entriesOf = (map: YAMLMap.Parsed, lineOf: (node: ParsedNode) => number): Parsed => {
  const seen = new Map<string, number>()
  const entries: Array<Entry> = []
  const problems: Array<Problem> = []
  for (const { key, value } of map.items) {
    const line = lineOf(key)
    const name = isScalar(key) && key.anchor === undefined ? key.source : ""
    const before = seen.get(name)
    if (name === "") problems.push({ line, message: "expected NAME: value, got no name before the colon" })
    else if (before !== undefined) problems.push({ line, name, message: `is set already in line ${before}` })
    else {
      seen.set(name, line)
      const faults = isSeq(value) ? faultsIn(value) : faultsOf(value)
      if (faults.length === 0)
        entries.push({
          name,
          line,
          value: isSeq(value) ? value.items.flatMap((item) => textOf(item) ?? []) : textOf(value)
        })
      problems.push(...faults.map(({ message, node }) => ({ line: lineOf(node), name, message })))
    }
  }
  return { entries, problems, isYaml: true }
}
