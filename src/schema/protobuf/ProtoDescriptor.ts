/**
 * Reads a schema that a registry holds as a compiled descriptor in base64, as Python's serializer registers it; the
 * descriptor is itself a Protobuf message, and is read as one.
 */
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import { Budget, ByteReader } from "../ByteReader.ts"
import { Malformed } from "../Malformed.ts"
import * as ProtoReader from "./ProtoReader.ts"
import * as ProtoText from "./ProtoText.ts"
import {
  type Definition,
  definitionsOf,
  type FieldDefinition,
  fullName,
  type MessageDefinition,
  type ProtoFile
} from "./ProtoTypes.ts"

/** What is needed of descriptor.proto. */
const ownSchema = ProtoText.parse(`syntax = "proto3"; package descriptor;
  message File {
    string package = 2; repeated Message message_type = 4; repeated Enum enum_type = 5; string syntax = 12;
  }
  message Message {
    string name = 1; repeated Field field = 2; repeated Message nested_type = 3; repeated Enum enum_type = 4;
    Options options = 7; repeated Oneof oneof_decl = 8;
    message Options { bool map_entry = 7; }
    message Oneof { string name = 1; }
  }
  message Field {
    string name = 1; int32 number = 3; int32 label = 4; int32 type = 5; string type_name = 6;
    optional int32 oneof_index = 9; bool proto3_optional = 17;
  }
  message Enum {
    string name = 1; repeated Value value = 2;
    message Value { string name = 1; int32 number = 2; }
  }`)

const EnumType = Schema.Struct({
  name: Schema.String,
  value: Schema.Array(Schema.Struct({ name: Schema.String, number: Schema.Int }))
})
type EnumType = typeof EnumType.Type

const FieldType = Schema.Struct({
  name: Schema.String,
  number: Schema.Int,
  label: Schema.Int,
  type: Schema.Int,
  type_name: Schema.String,
  oneof_index: Schema.optional(Schema.Int),
  proto3_optional: Schema.Boolean
})
type FieldType = typeof FieldType.Type

interface MessageType {
  readonly name: string
  readonly field: ReadonlyArray<FieldType>
  readonly nested_type: ReadonlyArray<MessageType>
  readonly enum_type: ReadonlyArray<EnumType>
  readonly options?: { readonly map_entry: boolean } | undefined
  readonly oneof_decl: ReadonlyArray<{ readonly name: string }>
}

const MessageType = Schema.Struct({
  name: Schema.String,
  field: Schema.Array(FieldType),
  nested_type: Schema.Array(Schema.suspend((): Schema.Codec<MessageType> => MessageType)),
  enum_type: Schema.Array(EnumType),
  options: Schema.optional(Schema.Struct({ map_entry: Schema.Boolean })),
  oneof_decl: Schema.Array(Schema.Struct({ name: Schema.String }))
})

const FileType = Schema.fromJsonString(
  Schema.Struct({
    package: Schema.String,
    message_type: Schema.Array(MessageType),
    enum_type: Schema.Array(EnumType),
    syntax: Schema.String
  })
)
const decodeFile = Schema.decodeUnknownResult(FileType)

/** Larger than any schema of use. */
const maxText = 16 * 1024 * 1024

/** Whether a schema is base64 rather than text, which has brackets or quotes. */
export const isDescriptor = (schema: string): boolean => /^[A-Za-z0-9+/\s]+={0,2}\s*$/.test(schema)

export const parse = (schema: string): ProtoFile => {
  const [file] = ownSchema.messages
  if (file === undefined) throw new Malformed("its descriptor cannot be read")
  const read = ProtoReader.make(definitionsOf([ownSchema]))(file)
  const decoded = decodeFile(read(new ByteReader(Buffer.from(schema, "base64"), new Budget(maxText))))
  if (Result.isFailure(decoded)) throw new Malformed("its schema is no descriptor of a .proto file")
  const { enum_type, message_type, package: scope, syntax } = decoded.success
  const definitions: Array<Definition> = enum_type.map((type) => enumOf(type, scope))
  const messages = message_type.map((type) => messageOf(type, scope, syntax === "proto3", definitions))
  return { messages, definitions }
}

const enumOf = ({ name, value }: EnumType, scope: string): Definition => ({
  _tag: "Enum",
  name: fullName(scope, name),
  names: new Map([...value].reverse().map((one) => [one.number, one.name])),
  first: value[0]?.number ?? 0
})

const messageOf = (
  type: MessageType,
  scope: string,
  isProto3: boolean,
  definitions: Array<Definition>
): MessageDefinition => {
  const name = fullName(scope, type.name)
  const inDescriptor = type.nested_type.map((nested) =>
    nested.options?.map_entry === true ? undefined : messageOf(nested, name, isProto3, definitions)
  )
  const message: MessageDefinition = {
    _tag: "Message",
    name,
    fields: type.field.map((field) => fieldOf(field, type, name, isProto3)),
    nested: inDescriptor.filter((nested) => nested !== undefined),
    inDescriptor
  }
  definitions.push(message, ...type.enum_type.map((inner) => enumOf(inner, name)))
  return message
}

/** By their numbers in descriptor.proto; 10 is a group, 11 a message, 14 an enum, which are named apart. */
const scalarNames =
  " double float int64 uint64 int32 fixed64 fixed32 bool string   bytes uint32  sfixed32 sfixed64 sint32 sint64".split(
    " "
  )
const repeated = 3

const fieldOf = (field: FieldType, message: MessageType, scope: string, isProto3: boolean): FieldDefinition => {
  const entry = message.nested_type.find(
    (nested) => nested.options?.map_entry === true && `.${scope}.${nested.name}` === field.type_name
  )
  const value = entry?.field.find(({ number }) => number === 2) ?? field
  const key = entry?.field.find(({ number }) => number === 1)
  return {
    name: field.name,
    number: field.number,
    type: typeOf(value),
    keys: key === undefined ? undefined : typeOf(key),
    isRepeated: field.label === repeated && key === undefined,
    oneof: field.oneof_index === undefined ? undefined : message.oneof_decl[field.oneof_index]?.name,
    isImplicit: isProto3 && field.oneof_index === undefined
  }
}

const typeOf = ({ type, type_name }: FieldType): string => (type_name === "" ? (scalarNames[type] ?? "") : type_name)
