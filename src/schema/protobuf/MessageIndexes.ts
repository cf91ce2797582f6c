/**
 * Which message of its schema a body is: the serializer writes the path of places in front of it. There are two ways to
 * count these: Java's counts the messages that the schema defines, that of Python, Go and .NET the entries of maps too.
 */
import type { ByteReader } from "../ByteReader.ts"
import { Malformed } from "../Malformed.ts"
import type { MessageDefinition, ProtoFile } from "./ProtoTypes.ts"

/** Messages are not nested deeper in each other than this. */
const maxSteps = 64

/** The path; one zero byte stands for the first message. */
export const read = (reader: ByteReader): ReadonlyArray<number> => {
  const count = Number(reader.zigzag())
  if (count < 0 || count > maxSteps) throw new Malformed("the path to its message type is no path")
  return count === 0 ? [0] : Array.from({ length: count }, () => Number(reader.zigzag()))
}

type Step = (message: MessageDefinition, place: number) => MessageDefinition | undefined

const walk = ({ messages }: ProtoFile, [first = 0, ...rest]: ReadonlyArray<number>, step: Step) =>
  rest.reduce<MessageDefinition | undefined>(
    (message, place) => (message === undefined ? undefined : step(message, place)),
    messages[first]
  )

/** The messages that a path can mean: one, or where the two ways differ two. */
export const find = (file: ProtoFile, path: ReadonlyArray<number>): ReadonlyArray<MessageDefinition> => {
  const found = [
    walk(file, path, (message, place) => message.inDescriptor[place]),
    walk(file, path, (message, place) => message.nested[place])
  ].filter((message) => message !== undefined)
  return [...new Set(found)]
}
