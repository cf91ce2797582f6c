/** Protobuf bodies as JSON text, by the schema that the registry has: text or descriptor, with what it imports. */
import { Budget, ByteReader } from "../ByteReader.ts"
import { Malformed } from "../Malformed.ts"
import { knownFiles } from "./KnownFiles.ts"
import * as MessageIndexes from "./MessageIndexes.ts"
import * as ProtoDescriptor from "./ProtoDescriptor.ts"
import * as ProtoReader from "./ProtoReader.ts"
import * as ProtoText from "./ProtoText.ts"
import { definitionsOf, type MessageDefinition, type ProtoFile } from "./ProtoTypes.ts"

const parse = (schema: string): ProtoFile =>
  ProtoDescriptor.isDescriptor(schema) ? ProtoDescriptor.parse(schema) : ProtoText.parse(schema)

/** The JSON of a body; the path to its message type is at `at`, or in `path` where a header has it. */
export type Decode = (bytes: Uint8Array, at: number, maxText: number, path?: Uint8Array) => string

export const make = (schema: string, references: ReadonlyArray<string> = []): Decode => {
  const file = parse(schema)
  const files = [file, ...references.map(parse)]
  const messageReader = ProtoReader.make(definitionsOf([...files, ...knownFiles]))
  // Whatever is wrong with the schema shows itself now, not at some body.
  for (const { definitions } of files)
    for (const definition of definitions) if (definition._tag === "Message") messageReader(definition)

  const decodeAs = (message: MessageDefinition, body: Uint8Array, maxText: number) => {
    const budget = new Budget(maxText)
    const text = messageReader(message)(new ByteReader(body, budget))
    return { text, unknownFields: budget.unknownFields }
  }

  return (bytes, at, maxText, path) => {
    const reader = new ByteReader(bytes, new Budget(maxText), at)
    const indexes = MessageIndexes.read(path === undefined ? reader : new ByteReader(path, new Budget(maxText)))
    const body = reader.bytes(reader.left)
    const [first, second] = MessageIndexes.find(file, indexes)
    if (first === undefined) throw new Malformed(`its schema has no message type at ${indexes.join("/")}`)
    if (second === undefined) return decodeAs(first, body, maxText).text
    // Both ways of counting lead to a message: the body fits only one of them, as a rule.
    return best(
      () => decodeAs(first, body, maxText),
      () => decodeAs(second, body, maxText)
    )
  }
}

interface Decoded {
  readonly text: string
  readonly unknownFields: number
}

const best = (first: () => Decoded, second: () => Decoded): string => {
  const one = attempt(first)
  if (!(one instanceof Error) && one.unknownFields === 0) return one.text
  const other = attempt(second)
  if (one instanceof Error) {
    if (other instanceof Error) throw one
    return other.text
  }
  return other instanceof Error || one.unknownFields <= other.unknownFields ? one.text : other.text
}

const attempt = (decode: () => Decoded): Decoded | Error => {
  try {
    return decode()
  } catch (error) {
    if (error instanceof Error) return error
    throw error
  }
}
