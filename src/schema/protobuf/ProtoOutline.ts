/**
 * What the parsed form of a .proto text does not tell: its syntax, and in which order a message defines messages and
 * maps, because a descriptor counts the entries of a map as a message.
 */
import protobuf from "protobufjs"

export interface Outline {
  readonly isProto3: boolean
  /** By the name of a message within its file: the messages inside it; undefined stands for a map's entries. */
  readonly orders: ReadonlyMap<string, ReadonlyArray<string | undefined>>
}

/** The text has been parsed already, so that it is a valid one. */
export const read = (text: string): Outline => {
  const tokens = tokensOf(text)
  const orders = new Map<string, Array<string | undefined>>()
  // The message around each open brace; a brace of another kind has that of the brace around it.
  const open: Array<string> = []
  let opening: string | undefined
  tokens.forEach((token, index) => {
    const around = open.at(-1) ?? ""
    const previous = tokens[index - 1] ?? ";"
    const next = tokens[index + 1] ?? ""
    const order = orders.get(around)
    if (token === "{") {
      open.push(opening ?? around)
      opening = undefined
    } else if (token === "}") open.pop()
    else if (isMessage(token, previous, tokens[index + 2])) {
      order?.push(next)
      opening = around === "" ? next : `${around}.${next}`
      orders.set(opening, [])
    } else if (token === "map" && startsStatement(previous) && next === "<") order?.push(undefined)
  })
  return { isProto3: tokens[0] === "syntax" && tokens[2] === quoted("proto3"), orders }
}

const startsStatement = (previous: string): boolean => [";", "{", "}"].includes(previous)

const isMessage = (token: string, previous: string, afterName: string | undefined): boolean =>
  token === "message"
    ? startsStatement(previous) && afterName === "{"
    : token === "group" && ["optional", "required", "repeated"].includes(previous) && afterName === "="

const quoted = (text: string): string => `"${text}"`

/** The tokens, a string being one of them. */
const tokensOf = (text: string): ReadonlyArray<string> => {
  const { next } = protobuf.tokenize(text, false)
  const tokens: Array<string> = []
  for (let token = next(); token !== null; token = next()) {
    if (token === '"' || token === "'") {
      tokens.push(quoted(next() ?? ""))
      next()
    } else tokens.push(token)
  }
  return tokens
}
