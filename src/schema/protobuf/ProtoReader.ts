/**
 * Reads Protobuf's wire form straight into JSON text, in the order of the schema: what was sent, and the zeros that
 * proto3 does not send. A value that cannot be of its type is an error, because the schema is the writer's own.
 */
import { compile, type Kind, type ReadMessage } from "./ProtoMessage.ts"
import { int32, type Scalar, scalar, wire } from "./ProtoScalars.ts"
import { type Definitions, type EnumDefinition, type MessageDefinition, resolve } from "./ProtoTypes.ts"
import * as WellKnown from "./WellKnown.ts"

/** A function per message, compiled when it is first needed: messages may hold themselves. */
export const make = (definitions: Definitions): ((message: MessageDefinition) => ReadMessage) => {
  const compiled = new Map<string, ReadMessage>()
  const messageReader = (message: MessageDefinition): ReadMessage => {
    const known = compiled.get(message.name)
    if (known !== undefined) return known
    const read = WellKnown.wrap(message.name, compile(message, kindOf))
    compiled.set(message.name, read)
    return read
  }
  const kindOf = (type: string, inside: string): Kind => {
    const known = scalar(type)
    if (known !== undefined) return { _tag: "Scalar", scalar: known }
    const definition = resolve(definitions, type, inside)
    if (definition._tag === "Enum") return { _tag: "Scalar", scalar: enumOf(definition) }
    return { _tag: "Message", read: (body) => messageReader(definition)(body) }
  }
  return messageReader
}

const enumOf = ({ first, names }: EnumDefinition): Scalar => {
  const nameOf = (number: number): string => {
    const name = names.get(number)
    return name === undefined ? String(number) : JSON.stringify(name)
  }
  return { wire: wire.varint, read: (reader) => reader.put(nameOf(int32(reader))), zero: nameOf(first) }
}
