/** Indents JSON without reading its values: numbers keep all their digits, and a text that is cut off is still shown. */

/** @param {string} text */
export const pretty = (text) => {
  let depth = 0
  const newline = () => `\n${"  ".repeat(depth)}`
  const tokens = text.match(/"(?:[^"\\]|\\.)*"?|[{}[\],:]|[^\s{}[\],:"]+/gs) ?? []
  let result = ""
  tokens.forEach((token, index) => {
    const before = tokens[index - 1]
    if (token === "{" || token === "[") {
      depth += 1
      const isEmpty = tokens[index + 1] === "}" || tokens[index + 1] === "]"
      result += token + (isEmpty ? "" : newline())
    } else if (token === "}" || token === "]") {
      depth = Math.max(0, depth - 1)
      result += (before === "{" || before === "[" ? "" : newline()) + token
    } else if (token === ",") result += token + newline()
    else if (token === ":") result += ": "
    else result += token
  })
  return result
}
