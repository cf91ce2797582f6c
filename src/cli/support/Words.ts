/**
 * The words of a command line: one that begins with a dash but cannot name a flag is a value, such as a statement that
 * begins with a comment. What can be a flag and is meant as a value stands behind `--`.
 */

const isFlag = (word: string): boolean => /^(?:-[a-z]+|--[a-z][a-z0-9-]*)(?:=[^\r\n]*)?$/i.test(word)

const isValue = (word: string): boolean => word.startsWith("-") && word.length > 2 && !isFlag(word)

/** The same words, with such values behind `--`, where no parser takes them for flags. */
export const separated = (words: ReadonlyArray<string>): ReadonlyArray<string> => {
  const end = words.indexOf("--")
  const [before, after] = end === -1 ? [words, []] : [words.slice(0, end), words.slice(end + 1)]
  const values = before.filter(isValue)
  return end === -1 && values.length === 0
    ? words
    : [...before.filter((word) => !isValue(word)), "--", ...values, ...after]
}
