/** What a Protobuf schema defines, wherever it was read from: messages and enums by their full names. */
import { Malformed } from "../Malformed.ts"

export interface FieldDefinition {
  readonly name: string
  readonly number: number
  /** A scalar's word, or the name of a type as the schema writes it: full with a dot before it, else relative. */
  readonly type: string
  /** Of a map: the type of its keys. */
  readonly keys: string | undefined
  readonly isRepeated: boolean
  /** The oneof that it is a part of. */
  readonly oneof: string | undefined
  /** Its zero is not sent, so that an absent field is zero: proto3's plain scalars. */
  readonly isImplicit: boolean
}

export interface MessageDefinition {
  readonly _tag: "Message"
  /** With its package and the messages around it. */
  readonly name: string
  readonly fields: ReadonlyArray<FieldDefinition>
  /** The messages that the schema defines inside it, in its order. */
  readonly nested: ReadonlyArray<MessageDefinition>
  /**
   * The same in a descriptor's order, which has a type for the entries of each map as well; undefined stands for such.
   */
  readonly inDescriptor: ReadonlyArray<MessageDefinition | undefined>
}

export interface EnumDefinition {
  readonly _tag: "Enum"
  readonly name: string
  /** Of a number with several names the first. */
  readonly names: ReadonlyMap<number, string>
  /** The number of the first name, which is the default. */
  readonly first: number
}

export type Definition = MessageDefinition | EnumDefinition

/** One .proto file. */
export interface ProtoFile {
  /** The messages that stand in no other. */
  readonly messages: ReadonlyArray<MessageDefinition>
  readonly definitions: ReadonlyArray<Definition>
}

export type Definitions = ReadonlyMap<string, Definition>

/** What the files define; of a name that occurs twice the first. */
export const definitionsOf = (files: ReadonlyArray<ProtoFile>): Definitions =>
  new Map(
    files
      .flatMap((file) => file.definitions)
      .reverse()
      .map((definition) => [definition.name, definition])
  )

/** The type that a name means inside a message: the innermost scope that has it. */
export const resolve = (definitions: Definitions, type: string, inside: string): Definition => {
  if (!type.startsWith("."))
    for (let scope = inside; scope !== ""; scope = scope.slice(0, Math.max(0, scope.lastIndexOf(".")))) {
      const found = definitions.get(`${scope}.${type}`)
      if (found !== undefined) return found
    }
  const found = definitions.get(type.replace(/^\./, ""))
  if (found === undefined) throw new Malformed(`its schema names a type that it does not define: ${type}`)
  return found
}

export const fullName = (scope: string, name: string): string => (scope === "" ? name : `${scope}.${name}`)
