/** Reads the text of a .proto file. The grammar is the library's; what types mean to each other is not asked of it. */
import protobuf from "protobufjs"
import { Malformed } from "../Malformed.ts"
import * as ProtoOutline from "./ProtoOutline.ts"
import {
  type Definition,
  type EnumDefinition,
  type FieldDefinition,
  fullName,
  type MessageDefinition,
  type ProtoFile
} from "./ProtoTypes.ts"

export const parse = (text: string): ProtoFile => {
  const { package: scope = "", root } = parsed(text)
  const definitions: Array<Definition> = []
  const top = scope === "" ? root : root.lookup(scope)
  const context = { outline: ProtoOutline.read(text), definitions }
  const messages = top instanceof protobuf.Namespace ? definitionsIn(top, scope, "", context) : []
  return { messages, definitions }
}

const parsed = (text: string): protobuf.IParserResult => {
  try {
    return protobuf.parse(text, new protobuf.Root(), { keepCase: true })
  } catch (error) {
    throw new Malformed(`its schema is no .proto file (${error instanceof Error ? error.message : "unreadable"})`)
  }
}

interface Context {
  readonly outline: ProtoOutline.Outline
  readonly definitions: Array<Definition>
}

/** `path` is where they are within the file, `scope` with the package before it. */
const definitionsIn = (
  parent: protobuf.NamespaceBase,
  scope: string,
  path: string,
  context: Context
): ReadonlyArray<MessageDefinition> =>
  parent.nestedArray.flatMap((item): ReadonlyArray<MessageDefinition> => {
    const name = fullName(scope, item.name)
    if (item instanceof protobuf.Enum) context.definitions.push(enumOf(item, name))
    return item instanceof protobuf.Type ? [messageOf(item, name, fullName(path, item.name), context)] : []
  })

const messageOf = (type: protobuf.Type, name: string, path: string, context: Context): MessageDefinition => {
  const nested = definitionsIn(type, name, path, context)
  const order = context.outline.orders.get(path) ?? []
  const message: MessageDefinition = {
    _tag: "Message",
    name,
    fields: type.fieldsArray.map((field) => fieldOf(field, context.outline.isProto3)),
    nested,
    inDescriptor: order.map((inner) => nested.find((other) => other.name === `${name}.${inner}`))
  }
  context.definitions.push(message)
  return message
}

const enumOf = ({ values }: protobuf.Enum, name: string): EnumDefinition => {
  const entries = Object.entries(values)
  return {
    _tag: "Enum",
    name,
    names: new Map(entries.reverse().map(([word, number]) => [number, word])),
    first: entries.at(-1)?.[1] ?? 0
  }
}

const fieldOf = (field: protobuf.Field, isProto3: boolean): FieldDefinition => ({
  name: field.name,
  number: field.id,
  type: field.type,
  keys: field instanceof protobuf.MapField ? field.keyType : undefined,
  isRepeated: field.repeated,
  oneof: field.partOf?.name,
  isImplicit: isProto3 && !field.partOf
})
