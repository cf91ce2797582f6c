/** The help of a command: every line fits the terminal, only commands to copy are never broken. */
import * as CliOutput from "effect/cli/CliOutput"
import type { FlagDoc, HelpDoc } from "effect/cli/HelpDoc"
import * as Option from "effect/Option"

/** Wide enough for any table; longer lines of text are hard to read. */
const widest = 120

export const format = (doc: HelpDoc, options: { readonly columns: number; readonly colors: boolean }): string =>
  wrap(CliOutput.defaultFormatter({ colors: options.colors }).formatHelpDoc(brief(doc)), options.columns)

/** The list of shells belongs into the description: as a type it would leave no room for one. */
const brief = (doc: HelpDoc): HelpDoc => ({
  ...doc,
  globalFlags: (doc.globalFlags ?? []).map(
    (flag): FlagDoc =>
      flag.name === "completions"
        ? {
            ...flag,
            type: "SHELL",
            description: Option.some("Print a completion script for bash, zsh, fish or powershell")
          }
        : flag
  )
})

/** Wraps at blanks; what continues a row of a table stands below its description. */
export const wrap = (text: string, columns: number): string => {
  const width = Math.min(columns, widest)
  const lines: Array<string> = []
  let heading = ""
  for (const line of text.split("\n")) {
    const seen = visible(line)
    if (/^\S/.test(seen)) {
      heading = seen
      if (lines.length > 0 && lines.at(-1) !== "") lines.push("")
    }
    const isComment = seen.startsWith("  # ")
    if (heading === "EXAMPLES" && !isComment) lines.push(line)
    else lines.push(...broken(line, width, isComment ? "  # " : " ".repeat(indentOf(seen, heading))))
  }
  return lines.join("\n")
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: colours begin with one
const colour = /\u001b\[[0-9;]*m/g

const visible = (text: string): string => text.replace(colour, "")

const indentOf = (line: string, heading: string): number => {
  const isTable = heading !== "DESCRIPTION" && heading !== "USAGE"
  return ((isTable ? /^ {2}\S.*? {2,}(?=\S)/.exec(line) : null) ?? /^ */.exec(line))?.[0].length ?? 0
}

const broken = (line: string, width: number, indent: string): ReadonlyArray<string> => {
  const lines: Array<string> = []
  let current = ""
  for (const word of line.split(/(?<=\S)(?= )/)) {
    const longer = current + word
    if (current === "" || CliOutput.displayWidth(longer) <= width) current = longer
    else {
      lines.push(current)
      current = `${indent}${word.trimStart()}`
    }
  }
  return [...lines, current]
}
