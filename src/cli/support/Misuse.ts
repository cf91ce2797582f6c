/** What is said of words that were not understood: one line each, the flag first. */
import type * as CliError from "effect/cli/CliError"

export const describe = (error: CliError.NonShowHelpErrors): string => {
  if (error._tag !== "InvalidValue") return error.message
  const name = error.kind === "flag" ? `--${error.option}` : error.option.toUpperCase()
  if (error.value === "") return `${name} needs a value`
  return `${name} ${error.value}: ${requirement(error.expected.replace(/^(?:Expected:? |Schema validation failed: )*/i, ""))}`
}

/** `a value greater than 0` → `must be greater than 0` */
const requirement = (expected: string): string => {
  if (expected.startsWith("Path ")) return expected.slice("Path ".length).replace(/: .*$/s, "")
  if (/\binteger\b/.test(expected)) return "must be a whole number"
  if (/\bnumber\b/.test(expected)) return "must be a number"
  const words = [...expected.matchAll(/"([^"]+)"/g)].map(([, word]) => word)
  if (words.length > 1) return `must be one of ${words.join(", ")}`
  return `must be ${expected.replace(/^a value (?=greater|less|between)/, "")}`
}
